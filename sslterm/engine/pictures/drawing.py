"""How a sheet is drawn: a title, then row by row a heading and its tiles, the words of each below it.

Tiles are shown at the data's own size. What is too small to be seen is enlarged by a whole number, so that each pixel
stays one; what no terminal can show is made smaller. Shapes: C channels, S side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from sslterm.engine.pictures.sheet import Row, Sheet, Tile
from sslterm.tables import safe

SMALLEST, LARGEST = 32, 224
MARGIN, GAP = 14, 12
TITLE, TEXT = 14, 11
"""Sizes of letters."""
TITLE_LINE, LINE = 19, 14
CAPTION, HEADING = 116, 300
"""Pixels that words may take in a line: of a tile, of a row."""
PAGE, NARROWEST = 720, 320
"""Pixels that rows may take side by side, and that the title has at least."""
PAPER, INK, PALE, RIGHT, WRONG = "#ffffff", "#1a1a1a", "#5f6368", "#2e7d32", "#c62828"
FONTS = ("DejaVuSans.ttf", "Arial.ttf")
"""They know more than ASCII; where neither is there, Pillow has its own."""


@dataclass(frozen=True)
class Ready:
    """A row whose pictures and words have their size."""

    row: Row
    heading: str
    pictures: list[Image.Image]
    words: list[list[str]]

    @property
    def heading_height(self) -> int:
        """Pixels above the tiles."""
        return LINE + 6 if self.heading else 0

    @property
    def height(self) -> int:
        """With the space below."""
        lines = max(map(len, self.words))
        return self.heading_height + max(one.height for one in self.pictures) + 4 + lines * LINE + GAP

    @property
    def cell(self) -> int:
        """The widest of its tiles."""
        return max([one.width for one in self.pictures] + [width(line) for lines in self.words for line in lines])


def draw(sheet: Sheet) -> tuple[Image.Image, list[dict[str, Any]]]:
    """The sheet as a picture, and its rows with the place of every tile. Short rows stand side by side."""
    rows = [_ready(row) for row in sheet.rows]
    cell = max(row.cell for row in rows) + GAP
    block = GAP + max(*(len(row.pictures) * cell for row in rows), *(width(row.heading) + GAP for row in rows))
    beside = max(1, min(len(rows), PAGE // block))
    lines = [rows[start : start + beside] for start in range(0, len(rows), beside)]
    across = max(beside * block, NARROWEST)
    title = wrapped(sheet.title, across, TITLE)
    top = MARGIN + len(title) * TITLE_LINE + 8
    down = top + sum(max(row.height for row in line) for line in lines)
    paper = Image.new("RGB", (across + 2 * MARGIN - GAP, down + MARGIN - GAP), PAPER)
    pen = ImageDraw.Draw(paper)
    for number, text in enumerate(title):
        pen.text((MARGIN, MARGIN - 3 + number * TITLE_LINE), text, INK, font(TITLE))
    framed = {tile.right for row in sheet.rows for tile in row.tiles} >= {True, False}
    described = []
    for line in lines:
        for place, row in enumerate(line):
            described.append(_draw_row(paper, pen, row, (MARGIN + place * block, top), cell, framed))
        top += max(row.height for row in line)
    return paper, described


def _ready(row: Row) -> Ready:
    pictures = [shown(tile.pixels) for tile in row.tiles]
    return Ready(row, cut(row.caption, HEADING), pictures, [wrapped(tile.caption, CAPTION) for tile in row.tiles])


def _draw_row(
    paper: Image.Image, pen: ImageDraw.ImageDraw, row: Ready, corner: tuple[int, int], cell: int, framed: bool
) -> dict[str, Any]:
    """Draws a row; gives back where its tiles are."""
    left, top = corner
    pen.text(corner, row.heading, PALE, font(TEXT))
    y, tiles = top + row.heading_height, []
    for place, (tile, picture, lines) in enumerate(zip(row.row.tiles, row.pictures, row.words, strict=True)):
        x = left + place * cell
        paper.paste(picture, (x, y))
        if framed and tile.right is not None:
            corners = (x - 3, y - 3, x + picture.width + 2, y + picture.height + 2)
            pen.rectangle(corners, outline=RIGHT if tile.right else WRONG, width=2)
        for number, line in enumerate(lines):
            pen.text((x, y + picture.height + 4 + number * LINE), line, INK, font(TEXT))
        tiles.append(_place(tile, x, y, picture))
    return {"caption": row.row.caption, "tiles": tiles}


def _place(tile: Tile, x: int, y: int, picture: Image.Image) -> dict[str, Any]:
    return {
        "x": x, "y": y, "width": picture.width, "height": picture.height,
        "caption": tile.caption, "image": tile.image, "right": tile.right,
    }  # fmt: skip


def shown(pixels: Tensor) -> Image.Image:
    """uint8 (C, S, S) as an RGB picture of 32 to 224 pixels."""
    picture = Image.fromarray(pixels.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy())
    side = picture.width
    if side < SMALLEST:
        side *= -(-SMALLEST // side)
        return picture.resize((side, side), Image.Resampling.NEAREST)
    if side > LARGEST:
        return picture.resize((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return picture


# ---------------------------------------------------------------- words


@cache
def font(size: int) -> Any:
    """Letters of a size."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def width(text: str, size: int = TEXT) -> int:
    """Pixels that a line takes."""
    return int(font(size).getlength(text) + 1)


def cut(text: str, room: int, size: int = TEXT) -> str:
    """One line of it, as much as there is room for."""
    text = " ".join(safe(text).split())[:room]  # no letter is narrower than a pixel
    if width(text, size) <= room:
        return text
    while text and width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text}…"


def wrapped(text: str, room: int, size: int = TEXT) -> list[str]:
    """It in at most two lines, cut where it is longer still."""
    first, *words = " ".join(safe(text).split()).split(" ")
    while words and width(f"{first} {words[0]}", size) <= room:
        first += f" {words.pop(0)}"
    return [cut(line, room, size) for line in (first, " ".join(words)) if line]
