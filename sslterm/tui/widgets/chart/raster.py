"""From columns of values to dots, and from dots to glyphs in cells.

Each column of pixels is filled between the least and greatest row that the line touches there, up to half-way to its
neighbours, so that no line has holes. Glyph sets say how many dots a cell has: braille 2 x 4, blocks 2 x 2, text 1 x 3.
W, H: columns and rows of pixels; C, R: columns and rows of cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sslterm.tui.widgets.chart.columns import Booleans, Columns, Integers
from sslterm.tui.widgets.chart.series import Floats

Characters = NDArray[np.str_]
Ink = NDArray[np.uint8]
GlyphSet = Literal["braille", "block", "ascii"]


@dataclass(frozen=True)
class Glyphs:
    """A way to show dots: how many a cell has, the weight of each in a cell's number, and the glyph of each number."""

    across: int
    down: int
    weights: tuple[tuple[int, ...], ...]
    table: Characters
    signs: dict[str, str]
    """What stands for things that are no lines."""


SIGNS = {
    "point": "●", "best": "★", "nan": "×", "above": "▲", "below": "▼", "single": "•", "mark": "┊", "crosshair": "│",
}  # fmt: skip
PLAIN_SIGNS = {
    "point": "o",
    "best": "*",
    "nan": "x",
    "above": "^",
    "below": "v",
    "single": "o",
    "mark": ":",
    "crosshair": "|",
}
BRAILLE = Glyphs(
    2, 4, ((1, 8), (2, 16), (4, 32), (64, 128)), np.array([" ", *(chr(0x2800 + i) for i in range(1, 256))]), SIGNS
)
BLOCK = Glyphs(2, 2, ((1, 2), (4, 8)), np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")), SIGNS)
ASCII = Glyphs(1, 3, ((1,), (2,), (4,)), np.array(list(" '-'.:,|")), PLAIN_SIGNS)
GLYPHS: dict[GlyphSet, Glyphs] = {"braille": BRAILLE, "block": BLOCK, "ascii": ASCII}

PATTERNS: dict[str, tuple[str, str]] = {
    "solid": ("1", "1"),
    "dashed": ("111100", "110"),
    "dotted": ("100", "10"),
    "dash-dot": ("11110100", "1101"),
    "sparse": ("100000", "1000"),
}
"""Which dots of a line are set: along it, and, where it is steep, up and down. The ends of a steep part always are."""
AUTOMATIC = ("solid", "dashed", "dotted", "dash-dot", "sparse")
"""The patterns in the order in which colours without colour get them."""
SAMPLE = 8
"""Dots that are enough to tell patterns apart."""
STEEP = 3
"""A column with more dots than this is steep."""


@dataclass(frozen=True)
class Spans:
    """The rows of pixels that a line fills in each column; low is above high, as rows are; where `low > high`: none."""

    top: Integers
    bottom: Integers
    above: Booleans
    """Columns where the line goes on above the picture."""
    below: Booleans
    single: Booleans
    """Columns with a value that no line leads to."""


def spans(found: Columns, width: int, height: int, low: float, high: float) -> Spans:
    """The rows that a line fills in each of `width` columns, where `low` is the bottom row and `high` the top one."""
    x = np.arange(width)
    if not len(found.at):
        nowhere, no = np.ones(width, dtype=np.int64), np.zeros(width, dtype=np.bool_)
        return Spans(nowhere, nowhere - 1, no, no, no)
    entry = np.searchsorted(found.at, x, side="right") - 1
    here = np.maximum(entry, 0)
    exact = found.at[here] == x
    onward = (entry >= 0) & found.joined[here]
    values = np.array([found.first, found.low, found.high, found.last])
    with np.errstate(over="ignore"):
        values = np.clip((high - values) * (max(height - 1, 0.5) / (high - low)), -1e6, 1e6)
    dense = np.where(exact, values[:, here], np.nan)
    way = np.flatnonzero(onward & ~exact)
    a, b = here[way], here[way] + 1
    share = (x[way] - found.at[a]) / (found.at[b] - found.at[a])
    dense[:, way] = values[3, a] + share * (values[0, b] - values[3, a])
    comes, lowest, highest, goes = dense
    top, bottom = np.floor(highest + 0.5), np.floor(lowest + 0.5)
    _reach(top, bottom, comes, goes, onward)
    there = (bottom >= 0) & (top <= height - 1)
    return Spans(
        np.where(there, np.clip(top, 0, height - 1), 1).astype(np.int64),
        np.where(there, np.clip(bottom, 0, height - 1), 0).astype(np.int64),
        exact & (highest < -0.5),
        exact & (lowest > height - 0.5),
        _single(found, exact, here) & (top == bottom),
    )


def _reach(top: Floats, bottom: Floats, comes: Floats, goes: Floats, onward: Booleans) -> None:
    """Make every column reach half-way to its neighbours; both meet, neither repeats the other's dot."""
    a, b = goes[:-1], comes[1:]
    middle = (a + b) / 2
    middle = np.where(b > a, np.floor(middle + 0.5), np.ceil(middle - 0.5))
    middle = np.where(onward[:-1], middle, np.nan)
    end = middle - np.sign(middle - np.floor(a + 0.5))
    top[:-1], bottom[:-1] = np.fmin(top[:-1], end), np.fmax(bottom[:-1], end)
    top[1:], bottom[1:] = np.fmin(top[1:], middle), np.fmax(bottom[1:], middle)


def _single(found: Columns, exact: Booleans, here: Integers) -> Booleans:
    """Columns whose line neither comes from the left nor goes on to the right."""
    alone = ~found.joined
    alone[1:] &= ~found.joined[:-1]
    return exact & alone[here]


def filled(of: Spans, height: int, pattern: str = "solid") -> Booleans:
    """The dots of a line, H x W."""
    rows = np.arange(height)[:, None]
    dots: Booleans = (rows >= of.top) & (rows <= of.bottom)
    if pattern == "solid":
        return dots
    along, steep = (np.array([dot == "1" for dot in text]) for text in PATTERNS[pattern])
    across = np.resize(along, dots.shape[1])
    ends = (rows == of.top) | (rows == of.bottom) | np.resize(steep, height)[:, None]
    return dots & np.where(of.bottom - of.top < STEEP, across, ends)


def between(upper: Spans, lower: Spans, height: int) -> Booleans:
    """The dots of a band, H x W: from the top of its upper line to the bottom of its lower line."""
    rows = np.arange(height)[:, None]
    there = (upper.top <= upper.bottom) & (lower.top <= lower.bottom)
    dots: Booleans = (rows >= upper.top) & (rows <= lower.bottom) & there
    return dots


def packed(dots: Booleans, glyphs: Glyphs) -> Ink:
    """The number of each cell, R x C, of H x W dots."""
    ink = np.zeros((dots.shape[0] // glyphs.down, dots.shape[1] // glyphs.across), dtype=np.uint8)
    bits = dots.view(np.uint8)
    for row, weights in enumerate(glyphs.weights):
        for column, weight in enumerate(weights):
            ink |= bits[row :: glyphs.down, column :: glyphs.across] * np.uint8(weight)
    return ink


def sample(pattern: str, glyphs: Glyphs) -> str:
    """A flat piece of line, long enough to tell its pattern."""
    height, width = glyphs.down, SAMPLE
    middle = np.full(width, (height - 1) // 2)
    no = np.zeros(width, dtype=np.bool_)
    return "".join(glyphs.table[packed(filled(Spans(middle, middle, no, no, no), height, pattern), glyphs)[0]])
