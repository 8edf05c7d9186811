"""Where tiles go: rows that belong together stay together, several beside each other where there is room."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len, set_cell_size

from sslterm.tui.widgets.tiles.answer import Row, Tile

GAP = 2
"""Cells between two tiles."""
BETWEEN = 5
"""Cells between two rows beside each other."""


@dataclass(frozen=True)
class Widths:
    """How wide a tile may be, in cells; it is half as many lines high."""

    least: int = 18
    """Narrower ones are chosen only where not even one fits."""
    liked: int = 24
    most: int = 32


@dataclass(frozen=True)
class Said:
    """Words somewhere in a line; `right` colours them."""

    x: int
    width: int
    text: str
    right: bool | None = None


@dataclass(frozen=True)
class Line:
    """Tiles beside each other, with what is said above and beneath."""

    top: int
    above: tuple[Said, ...]
    tiles: tuple[tuple[int, Tile], ...]
    """Each with its first column."""
    beneath: tuple[tuple[Said, ...], ...]
    """Line by line."""
    height: int
    rows: tuple[int, int] = (0, 0)
    """The numbers of the first and the last row that it shows, or a part of it."""


@dataclass(frozen=True)
class Plan:
    """All lines of tiles, one beneath the other."""

    width: int
    """Of a tile, in cells."""
    height: int
    """Of a tile, in lines."""
    lines: tuple[Line, ...] = ()

    @property
    def tall(self) -> int:
        """Lines of text, in all; the air after the last one does not count."""
        return self.lines[-1].top + self.lines[-1].height - 1 if self.lines else 0

    @cached_property
    def tops(self) -> list[int]:
        """Where each line of tiles begins."""
        return [line.top for line in self.lines]

    def rows_between(self, first: int, last: int) -> tuple[int, int]:
        """The rows of which at least half a line of tiles is in sight between two lines of text."""
        if not self.lines:
            return 0, -1
        seen = [line for line in self.lines if first <= line.top + line.height // 2 < last]
        seen = seen or [self.lines[self.at(first)]]
        return seen[0].rows[0], seen[-1].rows[1]

    def at(self, y: int) -> int:
        """The number of the line of tiles at a line of text."""
        return max(0, bisect_right(self.tops, y) - 1)


def plan(rows: Sequence[Row], width: int, height: int, widths: Widths, flowing: bool = False) -> Plan:
    """Lay rows out: all at once in sight if tiles of at least the liked width allow it, else as they are liked.

    `flowing`: rows do not matter, tiles follow each other.
    """
    if flowing:
        rows = [Row("", (tile,)) for row in rows for tile in row.tiles]
    if not rows or width < 2 or height < 1:
        return Plan(2, 1)
    most = max(2, min(widths.most, width // 2 * 2))
    for size in range(most, widths.liked - 1, -2):
        whole = _laid(rows, width, size)
        if whole.tall <= height:
            return whole
    return _laid(rows, width, _size(rows, width, height, widths, most))


def _size(rows: Sequence[Row], width: int, height: int, widths: Widths, most: int) -> int:
    """The liked width, larger until its line is full, or smaller until a row fits; else what needs fewest lines."""
    count = max(len(row.tiles) for row in rows)
    highest = max(2, 2 * (height - 3))  # a tile, a line above and two beneath
    largest = min(widths.liked, most, highest)
    sizes = range(largest, min(widths.least, largest) - 1, -2)
    for size in sizes:
        if beside := _beside(width, count, size):
            room = (width + _between(count)) // beside - _between(count)
            return max(2, min((room + GAP) // count - GAP, most, highest) // 2 * 2)
    return min(sizes, key=lambda size: (_deep(count, (width + GAP) // (size + GAP)), -size))


def _between(count: int) -> int:
    return BETWEEN if count > 1 else GAP


def _beside(width: int, count: int, size: int) -> int:
    """How many rows fit beside each other."""
    return (width + _between(count)) // (_breadth(count, size) + _between(count))


def _deep(count: int, across: int) -> int:
    """Lines of a row that goes on beneath, under its second tile."""
    return 1 - (across - count) // max(1, across - 1)


def _breadth(count: int, size: int) -> int:
    return count * (size + GAP) - GAP


def _laid(rows: Sequence[Row], width: int, size: int) -> Plan:
    """Tiles of that width in lines. A row that is wider than the screen goes on beneath, under its second tile."""
    count = max(len(row.tiles) for row in rows)
    across = max(1, (width + GAP) // (size + GAP))
    lines: list[Line] = []
    if count <= across:
        breadth, beside = _breadth(count, size), max(1, _beside(width, count, size))
        step = breadth + _between(count)
        for start in range(0, len(rows), beside):
            group = [(place * step, row) for place, row in enumerate(rows[start : start + beside])]
            heads = [(x, min(breadth, width - x), row.caption) for x, row in group]
            tiles = [(x + i * (size + GAP), tile) for x, row in group for i, tile in enumerate(row.tiles)]
            lines.append(_line(lines, heads, tiles, size, (start, start + len(group) - 1)))
    else:
        for place, row in enumerate(rows):
            for number, part in enumerate(_parts(row.tiles, across)):
                x = size + GAP if number and across > 1 else 0
                heads = [] if number else [(0, width, row.caption)]
                tiles = [(x + i * (size + GAP), tile) for i, tile in enumerate(part)]
                lines.append(_line(lines, heads, tiles, size, (place, place)))
    return Plan(size, size // 2, tuple(lines))


def _parts(tiles: Sequence[Tile], across: int) -> list[Sequence[Tile]]:
    rest, after = tiles[across:], max(1, across - 1)
    return [tiles[:across], *(rest[start : start + after] for start in range(0, len(rest), after))]


def _line(
    before: Sequence[Line],
    heads: Sequence[tuple[int, int, str]],
    tiles: Sequence[tuple[int, Tile]],
    size: int,
    rows: tuple[int, int],
) -> Line:
    top = before[-1].top + before[-1].height if before else 0
    above = tuple(Said(x, room, cut(text, room)) for x, room, text in heads if text)
    said = [(x, tile, wrapped(_marked(tile), size)) for x, tile in tiles]
    deep = max((len(words) for *_, words in said), default=0)
    beneath = tuple(
        tuple(Said(x, size, words[row], tile.right) for x, tile, words in said if row < len(words))
        for row in range(deep)
    )
    return Line(top, above, tuple(tiles), beneath, bool(above) + size // 2 + deep + 1, rows)


def _marked(tile: Tile) -> str:
    glyph = {True: "✓ ", False: "✗ ", None: ""}[tile.right]
    return glyph + tile.caption


def wrapped(text: str, width: int, most: int = 2) -> list[str]:
    """Words in at most so many lines; a number and its % stay together."""
    lines: list[str] = []
    for word in text.replace(" %", "\N{NO-BREAK SPACE}%").split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
            break
    return [cut(line, width) for line in lines]


def cut(text: str, width: int) -> str:
    """As much of a text as fits."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"
