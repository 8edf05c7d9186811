"""Numbers as shades: a glyph that is the denser the larger the share, so that it reads without any colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer[Any]]
GLYPHS = " ·░▒▓█"
STEPS = (0.02, 0.1, 0.3, 0.75)
"""Shares from which a cell is ░ ▒ ▓ █; what is less, and not nothing, is a dot. Mistakes are mostly a few per cent: in
even steps they would all look the same."""


def shares(matrix: Counts) -> NDArray[np.float64]:
    """Each row divided by its sum; a row of nothing stays nothing."""
    sums = matrix.sum(axis=1, keepdims=True, dtype=np.float64)
    return matrix / np.maximum(sums, 1)


def of_largest(matrix: Counts) -> NDArray[np.float64]:
    """Everything divided by the largest count."""
    return matrix / max(int(matrix.max(initial=0)), 1)


def levels(parts: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 for nothing, else 1 to 5, for each share."""
    return np.where(parts > 0, 1 + np.digitize(parts, STEPS), 0)


def legend(largest: int | None) -> str:
    """From where each shade begins: in per cent, or in images where `largest` is the largest count."""
    if largest is None:
        words, unit = [f"{step * 100:.0f}" for step in STEPS], " %"
    else:
        words, unit = [short(round(step * largest)) for step in STEPS], ""
    return "· > 0  " + "  ".join(f"{glyph} {word}" for glyph, word in zip(GLYPHS[2:], words, strict=True)) + unit


def short(count: int) -> str:
    """A count in four cells: `812`, `9999`, `12k`, `3M`."""
    if count < 10_000:
        return str(count)
    return f"{count // 1000}k" if count < 10_000_000 else f"{count // 1_000_000}M"
