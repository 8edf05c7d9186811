"""Smoothing: the exponential moving average with bias correction, without a loop over points.

    s[t] = factor s[t-1] + (1 - factor) y[t],    shown: s[t] / (1 - factor^t)

so that the first value stands for itself instead of being drawn towards zero. Within a block of values the recursion is
a sum, `s[t] = factor^t (1 - factor) sum(y[i] / factor^i)`, and numpy knows running sums; what one block leaves to the
next is a recursion of its own, over blocks. Blocks are short enough for `factor^-i` to remain far from overflow.
"""

from __future__ import annotations

import math

import numpy as np

from sslterm.tui.widgets.chart.series import Floats

FORGOTTEN = 1e-17
"""A share of a value that a double no longer shows."""
GREATEST = 1e60
"""How large `factor^-i` may become within a block: leaves 1e240 to the values themselves."""


def ema(values: Floats, factor: float) -> Floats:
    """The smoothed values. NaN and infinities stay where they are, and the average goes on behind them."""
    if factor <= 0 or not len(values):
        return values
    finite = np.isfinite(values)
    with np.errstate(over="ignore", invalid="ignore"):  # values beyond 1e240 become infinities
        if finite.all():
            return _smoothed(values, factor)
        smooth = np.array(values, dtype=np.float64)
        smooth[finite] = _smoothed(values[finite], factor)
    return smooth


def memory(factor: float) -> int:
    """How many values an average remembers: what lies further back changes no digit of it."""
    return math.ceil(math.log(FORGOTTEN) / math.log(factor)) if factor > 0 else 0


def _smoothed(values: Floats, factor: float) -> Floats:
    count = len(values)
    if not count:
        return values
    block = max(8, min(int(-math.log(GREATEST) / math.log(factor)), 4096, count))
    blocks = -(-count // block)
    padded = values if blocks * block == count else np.concatenate([values, np.zeros(blocks * block - count)])
    growth = factor ** -np.arange(1, block + 1, dtype=np.float64)
    within = np.cumsum(padded.reshape(blocks, block) * ((1 - factor) * growth), axis=1)
    within /= growth
    within[1:] += _carried(within[:, -1], factor**block)[:-1, None] / growth
    smooth: Floats = within.reshape(-1)[:count]
    early = min(count, memory(factor))
    smooth[:early] /= 1 - factor ** np.arange(1, early + 1, dtype=np.float64)
    return smooth


def _carried(ends: Floats, factor: float) -> Floats:
    """What each block ends with once all blocks before it count: `s[b] = ends[b] + factor s[b-1]`."""
    carried = ends.copy()
    share, distance = factor, 1
    while share > FORGOTTEN and distance < len(ends):
        carried[distance:] += share * ends[:-distance]
        share, distance = share * factor, distance + 1
    return carried
