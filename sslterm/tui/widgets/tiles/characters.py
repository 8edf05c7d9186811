"""Images out of characters: quarters and halves of cells in two colours, braille dots, letters from dark to bright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = np.ndarray

QUARTERS = " ▘▝▀▖▌▞▛"
"""By which of a cell's quarters are in the first colour: 1 upper left, 2 upper right, 4 lower left."""
LETTERS = " .:-=+*#%@"
DOTS = np.array([1, 8, 2, 16, 4, 32, 64, 128])
"""What each of a cell's eight dots adds to U+2800, row by row."""
PARTS = {"quarters": (2, 2), "halfcell": (1, 2), "braille": (2, 4), "ascii": (1, 1)}
"""Pixels of a cell, across and down."""

STEPS = (0, 95, 135, 175, 215, 255)
"""Of each of the three colours, in the 256 that most terminals have; besides, there are greys."""
PALETTE = [(r, g, b) for r in STEPS for g in STEPS for b in STEPS] + [(grey, grey, grey) for grey in range(8, 239, 10)]

SPREAD = 0.6
"""How much of an error is spread, where there are few colours."""


def draw(image: Image, how: str, style: Style, dark: bool) -> list[Strip]:
    """An image as lines of cells; it must have PARTS[how] pixels for each. `dark`: bright is what is written."""
    if how in ("quarters", "halfcell"):
        pixels = np.asarray(image, np.float32)
        return _coloured(*(quarters(pixels) if how == "quarters" else halves(pixels)))
    lines = dots(image, dark) if how == "braille" else letters(image, dark)
    return [Strip([Segment(line, style)], len(line)) for line in lines]


def halves(pixels: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """For each cell: which quarters are in the first colour, that colour, and the other one."""
    upper, lower = pixels[0::2], pixels[1::2]
    return np.full(upper.shape[:2], QUARTERS.index("▀")), upper, lower


def quarters(pixels: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """The same, where each cell is parted into two so that both are as even as can be."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    cells = pixels.reshape(height, 2, width, 2, 3).transpose(0, 2, 1, 3, 4).reshape(height, width, 4, 3)
    parting = np.zeros((height, width), int)
    first = second = cells.mean(2)
    least = ((cells - second[:, :, None]) ** 2).sum((2, 3))
    for number in range(1, len(QUARTERS)):
        inside = np.array([number >> bit & 1 for bit in range(4)], bool)
        ours, others = cells[:, :, inside].mean(2), cells[:, :, ~inside].mean(2)
        means = np.where(inside[None, None, :, None], ours[:, :, None], others[:, :, None])
        off = ((cells - means) ** 2).sum((2, 3))
        better = off < least - 1
        least = np.where(better, off, least)
        parting = np.where(better, number, parting)
        first = np.where(better[:, :, None], ours, first)
        second = np.where(better[:, :, None], others, second)
    return parting, first, second


def of_few_colours(image: Image) -> Image:
    """The same in PALETTE. The error of a pixel is spread over those after it, so that tones are kept; all of it would
    sprinkle even areas, so only a part is."""
    from PIL import Image as pillow

    palette = pillow.new("P", (1, 1))
    palette.putpalette([value for colour in PALETTE for value in colour])
    nearest = image.quantize(palette=palette, dither=pillow.Dither.NONE).convert("RGB")
    towards = pillow.blend(image, nearest, 1 - SPREAD)
    return towards.quantize(palette=palette, dither=pillow.Dither.FLOYDSTEINBERG).convert("RGB")


def _coloured(parting: Pixels, first: Pixels, second: Pixels) -> list[Strip]:
    glyphs = np.array(list(QUARTERS))[parting].tolist()
    one, other = _bytes(first), _bytes(second)
    width = len(glyphs[0]) if glyphs else 0
    return [
        Strip([Segment(glyph, _style(a, b)) for glyph, a, b in zip(*line, strict=True)], width)
        for line in zip(glyphs, one, other, strict=True)
    ]


def _bytes(colours: Pixels) -> list[list[tuple[int, int, int]]]:
    return np.clip(np.rint(colours), 0, 255).astype(int).tolist()


def _style(first: tuple[int, int, int], second: tuple[int, int, int]) -> Style:
    return Style.from_color(_colour(first), _colour(second))


def _colour(rgb: tuple[int, int, int]) -> Color:
    # Color.from_triplet() spends three times as long, on writing a name that nobody reads.
    return Color("", ColorType.TRUECOLOR, None, ColorTriplet(*rgb))


def dots(image: Image, dark: bool) -> list[str]:
    """Braille, eight dots a cell; the error of each dot is spread over those after it (Floyd and Steinberg)."""
    lit = np.asarray(_grey(image, dark).convert("1"))
    height, width = lit.shape[0] // 4, lit.shape[1] // 2
    cells = lit.reshape(height, 4, width, 2).transpose(0, 2, 1, 3).reshape(height, width, 8) @ DOTS
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells.tolist()]


def letters(image: Image, dark: bool) -> list[str]:
    """One letter a cell, the more ink the brighter."""
    places = np.asarray(_grey(image, dark), int) * len(LETTERS) // 256
    return ["".join(LETTERS[place] for place in line) for line in places.tolist()]


def _grey(image: Image, dark: bool) -> Image:
    """Brightness over its whole range, as few dots tell little; turned around where ink is dark."""
    from PIL import ImageOps

    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    return grey if dark else ImageOps.invert(grey)
