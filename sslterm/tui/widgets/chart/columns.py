"""A line of any number of points as what it leaves in each column of pixels: first, least, greatest and last value.

Nothing more of it can be seen (M4, Jugel et al. 2014), so a million points cost two passes over them and no spike is
ever lost. W: columns of pixels; N: points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sslterm.tui.widgets.chart.series import Floats
from sslterm.tui.widgets.chart.smoothing import ema, memory

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

AT_ONCE = 1 << 16
"""Points that are smoothed and reduced together: they stay in the processor's cache, and memory does not grow."""
FAR = 1 << 30
"""Further outside than any picture is wide."""


@dataclass(frozen=True)
class Columns:
    """One entry for each column of pixels that holds a number; the nearest point outside on either side is one too."""

    at: Integers
    first: Floats
    low: Floats
    high: Floats
    last: Floats
    joined: Booleans
    """Whether the line goes on to the next entry: no NaN (on a log axis: nothing but positive values) between them."""
    nans: Integers
    """The columns that hold a NaN."""

    def inside(self, width: int) -> Booleans:
        """Which entries lie in the picture."""
        return (self.at >= 0) & (self.at < width)


def columns(
    x: Floats, y: Floats, start: float, end: float, width: int, factor: float = 0.0, log: bool = False
) -> Columns:
    """Reduce the points between start and end to `width` columns, smoothed by `factor`. x does not fall.

    On a log axis values become exponents of ten; what is not positive is a gap.
    """
    step = (end - start) / max(width - 1, 1)
    cuts = np.searchsorted(x, start + (np.arange(width + 1) - 0.5) * step)
    at, begins, ends = _entries(x, cuts, start, step)
    pieces = [
        _reduced(_values(y, int(begins[a]), int(ends[b - 1]), factor), begins[a:b], log)
        for a, b in _portions(begins, ends)
    ]
    if not pieces:
        nothing, nowhere = np.empty(0), np.empty(0, dtype=np.int64)
        return Columns(nowhere, nothing, nothing, nothing, nothing, np.empty(0, dtype=np.bool_), nowhere)
    first, low, high, last, opens, closes, broken = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    there = closes >= 0
    nans = at[broken & (at >= 0) & (at < width)]
    at, opens, closes = at[there], opens[there], closes[there]
    joined = np.append(opens[1:] == closes[:-1] + 1, False) if len(at) else np.empty(0, dtype=np.bool_)
    first, low, high, last = (np.log10(part[there]) if log else part[there] for part in (first, low, high, last))
    return Columns(at, first, low, high, last, joined, nans)


def _entries(x: Floats, cuts: Integers, start: float, step: float) -> tuple[Integers, Integers, Integers]:
    """Where the entries are, and which points begin and end them: one neighbour, the columns, one neighbour."""
    filled = np.flatnonzero(cuts[1:] > cuts[:-1])
    at, begins, ends = [filled], [cuts[filled]], [cuts[filled + 1]]
    if cuts[0] > 0:
        at.insert(0, _outside(x[cuts[0] - 1], start, step))
        begins.insert(0, cuts[:1] - 1)
        ends.insert(0, cuts[:1])
    if cuts[-1] < len(x):
        at.append(_outside(x[cuts[-1]], start, step))
        begins.append(cuts[-1:])
        ends.append(cuts[-1:] + 1)
    return np.concatenate(at), np.concatenate(begins), np.concatenate(ends)


def _outside(x: float, start: float, step: float) -> Integers:
    return np.array([round(min(max((float(x) - start) / step, -FAR), FAR))])


def _portions(begins: Integers, ends: Integers) -> Iterator[tuple[int, int]]:
    """Entries that are worked on together, as (from, before)."""
    a = 0
    while a < len(begins):
        b = max(a + 1, int(np.searchsorted(ends, begins[a] + AT_ONCE, side="right")))
        yield a, b
        a = b


def _values(y: Floats, begin: int, end: int, factor: float) -> Floats:
    """y from begin to end, smoothed as if from the very beginning: an average forgets, so a run-up is enough."""
    if factor <= 0:
        return y[begin:end]
    before = max(0, begin - memory(factor))
    return ema(y[before:end], factor)[begin - before :]


def _reduced(values: Floats, begins: Integers, log: bool) -> tuple[NDArray[np.generic], ...]:
    """First, low, high, last; the indices of the first and last number (-1: there is none); whether a NaN is there."""
    starts = begins - begins[0]
    ends = np.append(starts[1:], len(values))
    low = np.minimum.reduceat(values, starts)
    broken = np.isnan(low)
    if not broken.any() and not (log and low.min() <= 0):
        high = np.maximum.reduceat(values, starts)
        return values[starts], low, high, values[ends - 1], begins, begins[0] + ends - 1, broken
    good = values > 0 if log else ~np.isnan(values)
    kept = np.flatnonzero(good)
    a, b = np.searchsorted(kept, starts), np.searchsorted(kept, ends)
    filled = np.flatnonzero(b > a)
    low, high, first, last = (np.full(len(starts), np.nan) for _ in range(4))
    opens, closes = np.full(len(starts), -1), np.full(len(starts), -1)
    if len(filled):
        some = values[kept]
        low[filled], high[filled] = np.minimum.reduceat(some, a[filled]), np.maximum.reduceat(some, a[filled])
        first[filled], last[filled] = some[a[filled]], some[b[filled] - 1]
        opens[filled], closes[filled] = kept[a[filled]] + begins[0], kept[b[filled] - 1] + begins[0]
    return first, low, high, last, opens, closes, broken
