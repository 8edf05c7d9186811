"""Taking times: rivals take turns, medians count, and a difference within the spread is called none.

A busy machine slows whatever runs at that moment. Where two things take turns it slows both, so their ratio holds where
neither figure alone would; and each turn gives one ratio, whose spread says how far to believe it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Something that was measured several times."""

    name: str
    values: tuple[float, ...]
    unit: str
    """`views/s`, `images/s`, `ms`, `s`, `MiB`: rates are better the higher, times the lower."""
    note: str = ""

    @property
    def median(self) -> float:
        """What counts."""
        return statistics.median(self.values)

    @property
    def rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")

    def better_than(self, reference: Figure) -> list[float]:
        """How many times as good as the reference, turn by turn."""
        pairs = zip(self.values, reference.values, strict=True)
        return [mine / theirs if self.rate else theirs / mine for mine, theirs in pairs]


@dataclass(frozen=True)
class Ratio:
    """How one figure stands to another."""

    value: float
    low: float
    high: float
    """The middle half of the turns lies between these."""

    @property
    def told_apart(self) -> bool:
        """Whether it is a difference at all, and not the machine's mood."""
        return not self.low <= 1.0 <= self.high

    def __str__(self) -> str:
        spread = f"{self.low:.2f} to {self.high:.2f}"
        return f"{self.value:.2f}x" if self.told_apart else f"no difference ({spread})"


def ratio(figure: Figure, reference: Figure) -> Ratio:
    """The median of the turns' ratios, and where their middle half lies."""
    found = sorted(figure.better_than(reference))
    if len(found) < 4:
        return Ratio(statistics.median(found), found[0], found[-1])
    quarter = statistics.quantiles(found, n=4)
    return Ratio(quarter[1], quarter[0], quarter[2])


def in_turns(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each rival in each round; each ran once before, for nobody's first time counts.

    Where a rival comes in the turn changes from round to round, so that none always follows the same one.
    """
    for rival in rivals.values():
        rival()
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    names = list(rivals)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(seconds(rivals[name]))
    return taken


def seconds(do: Callable[[], object]) -> float:
    """How long it takes, once."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
