"""What a chart is given: series, bands, marks; and which colour a name has.

    Series("moco-a1", column.step, column.value)

Arrays, and memoryviews of a run's columns, are not copied.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Pattern = Literal["auto", "solid", "dashed", "dotted", "dash-dot", "sparse"]
FARTHEST = 1e15
"""Neither a step nor a time is greater: an x that is, is damage."""
COLOURS = 8
"""How many colours there are for series."""


@dataclass(frozen=True, eq=False)
class Series:
    """A line. `colour` None: by its name; `style` "auto": solid where colours tell lines apart, else by the colour."""

    name: str
    x: Floats
    y: Floats
    colour: int | None = None
    style: Pattern = "auto"
    best: tuple[float, float] | None = None
    """Where its best value is, as (x, y): gets a star."""

    def __init__(
        self,
        name: str,
        x: ArrayLike | memoryview[float],
        y: ArrayLike | memoryview[float],
        colour: int | None = None,
        style: Pattern = "auto",
        best: tuple[float, float] | None = None,
    ) -> None:
        xs, (ys,) = in_order(x, y)
        values: dict[str, Any] = {"name": name, "x": xs, "y": ys, "colour": colour, "style": style, "best": best}
        self.__dict__.update(values)  # frozen for everybody else

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def first_nan(self) -> float | None:
        """The x of the first NaN."""
        if not len(self) or not np.isnan(self.y.min()):
            return None
        return float(self.x[np.isnan(self.y).argmax()])

    def nearest(self, x: float) -> int:
        """The index of the point nearest to x; the series has one."""
        right = int(np.searchsorted(self.x, x))
        if right == len(self):
            return right - 1
        return right if right == 0 or self.x[right] - x <= x - self.x[right - 1] else right - 1


@dataclass(frozen=True, eq=False)
class Band:
    """A shade between two lines: mean - std and mean + std over seeds."""

    x: Floats
    low: Floats
    high: Floats
    colour: int = 0

    def __init__(
        self,
        x: ArrayLike | memoryview[float],
        low: ArrayLike | memoryview[float],
        high: ArrayLike | memoryview[float],
        colour: int = 0,
    ) -> None:
        xs, (lows, highs) = in_order(x, low, high)
        self.__dict__.update({"x": xs, "low": lows, "high": highs, "colour": colour})


def in_order(x: ArrayLike | memoryview[float], *ys: ArrayLike | memoryview[float]) -> tuple[Floats, list[Floats]]:
    """As arrays of float64, ordered by x, without points that have no place on it. Copies only where it must."""
    xs, values = np.asarray(x, dtype=np.float64), [np.asarray(y, dtype=np.float64) for y in ys]
    assert all(len(value) == len(xs) for value in values), "as many values as places"
    if len(xs) and not (xs[0] >= -FARTHEST and xs[-1] <= FARTHEST and np.all(xs[1:] >= xs[:-1])):
        keep = np.flatnonzero(np.abs(xs) <= FARTHEST)
        keep = keep[np.argsort(xs[keep], kind="stable")]
        xs, values = xs[keep], [value[keep] for value in values]
    return xs, values


def mean_and_band(name: str, series: Sequence[Series], colour: int | None = None) -> tuple[Series, Band]:
    """Several seeds as one: their mean, and mean +- std (n - 1), at the places of the longest that all have reached."""
    there = [one for one in series if len(one)]
    if not there:
        return Series(name, [], [], colour), Band([], [], [])
    start, end = max(one.x[0] for one in there), min(one.x[-1] for one in there)
    longest = max(there, key=len).x
    x = longest[(longest >= start) & (longest <= end)]
    values = np.array([np.interp(x, one.x, one.y) for one in there])
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged is drawn as far as it can be
        mean, std = values.mean(axis=0), values.std(axis=0, ddof=min(1, len(there) - 1))
    mine = colour if colour is not None else colour_of(name)
    return Series(name, x, mean, mine), Band(x, mean - std, mean + std, mine)


def colour_of(name: str) -> int:
    """The colour that a name would like: the same in every chart, on every day."""
    return zlib.crc32(name.encode()) % COLOURS


class Palette:
    """Colours of names that are shown together: what each would like, or the next free one; kept once given."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The colour of this name."""
        if name not in self._given:
            taken = set(self._given.values())
            wishes = [(colour_of(name) + step) % COLOURS for step in range(COLOURS)]
            self._given[name] = next((wish for wish in wishes if wish not in taken), wishes[0])
        return self._given[name]
