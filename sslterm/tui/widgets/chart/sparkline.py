"""A line of numbers in one row of text, for tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

BARS = "▁▂▃▄▅▆▇█"
GAP = " "


def sparkline(values: ArrayLike | memoryview[float], width: int) -> str:
    """Values in at most `width` blocks, each the mean of its share; NaN and infinities are gaps."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) or width < 1:
        return ""
    edges = np.linspace(0, len(numbers), min(width, len(numbers)) + 1).astype(np.int64)
    finite = np.isfinite(numbers)
    sums = np.add.reduceat(np.clip(np.where(finite, numbers, 0.0), -1e100, 1e100), edges[:-1])
    counts = np.add.reduceat(finite.astype(np.int64), edges[:-1])
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return "".join(GAP if np.isnan(level) else BARS[int(level)] for level in _levels(means))


def _levels(means: np.ndarray) -> np.ndarray:
    """From 0 to the highest bar; a constant lies in the middle."""
    low, high = (np.nanmin(means), np.nanmax(means)) if not np.isnan(means).all() else (0.0, 0.0)
    if high <= low:
        return np.where(np.isnan(means), np.nan, len(BARS) // 2 - 1)
    return np.clip(np.floor((means - low) / (high - low) * len(BARS)), 0, len(BARS) - 1)
