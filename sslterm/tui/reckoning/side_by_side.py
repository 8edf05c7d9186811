"""Runs side by side: who belongs together, what each reached, and how far that is from the baseline. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sslterm.tui.reckoning.curve import Curve
from sslterm.tui.widgets.run_table.groups import folded, mean_and_spread

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One question that was asked of a test set: the protocol, and with which augmentation."""

    protocol: str
    tta: str = ""


@dataclass(frozen=True)
class Sight:
    """All that a comparison needs of one run."""

    row: Row
    curves: Mapping[str, Curve]
    tests: Mapping[Question, float]
    """Top-1 of the best checkpoint, or else of the newest answer."""
    settings: Mapping[str, Any]
    likeness: Hashable = None
    gone: bool = False


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a run, or several that differ in their seed only."""

    name: str
    sights: tuple[Sight, ...]
    baseline: bool = False

    @property
    def several(self) -> bool:
        """Whether it stands for several runs."""
        return len(self.sights) > 1

    @property
    def row(self) -> Row:
        """As the list would show it."""
        rows = [sight.row for sight in self.sights]
        return folded(rows) if self.several else rows[0]


def sides(sights: Sequence[Sight], baseline: str | None) -> list[Side]:
    """Runs by their likeness, the baseline's side first. Where all are alike, each stands for itself, and all of them
    together come last."""
    families: dict[Hashable, list[Sight]] = {}
    for sight in sights:
        families.setdefault((sight.likeness, sight.row["methods"]), []).append(sight)
    if len(families) == 1 and len(sights) > 1:
        found = [Side(sight.row["name"], (sight,)) for sight in sights]
    else:
        found = [Side(_name(family), tuple(family)) for family in families.values()]
    pinned = next((side for side in found if any(one.row["path"] == baseline for one in side.sights)), found[0])
    found = [Side(pinned.name, pinned.sights, True), *(side for side in found if side is not pinned)]
    if len(families) == 1 and len(sights) > 1:
        found.append(Side(f"all ×{len(sights)}", tuple(sights)))
    return _told_apart(found)


def _name(family: Sequence[Sight]) -> str:
    name: str = folded([sight.row for sight in family])["name"] if len(family) > 1 else family[0].row["name"]
    return name


def _told_apart(found: Sequence[Side]) -> list[Side]:
    """Two groups may have the same name; charts know lines by theirs."""
    taken: dict[str, int] = {}
    told = []
    for side in found:
        count = taken[side.name] = taken.get(side.name, 0) + 1
        name = side.name if count == 1 else f"{side.name} ({count})"
        told.append(Side(name, side.sights, side.baseline))
    return told


# ---------------------------------------------------------------- what each reached


@dataclass(frozen=True)
class Reached:
    """A value; of several runs their mean, and their standard deviation where there are two or more."""

    value: float
    spread: float | None = None


@dataclass(frozen=True)
class Metric:
    """Something that sides are compared by."""

    title: str
    curve: str = ""
    test: Question | None = None
    falls: bool = False
    """Whether less is better."""


CURVES = (
    Metric("knn/top1", "knn/top1"), Metric("valid/top1", "valid/top1"), Metric("train/loss", "train/loss", falls=True),
)  # fmt: skip


def metrics(sights: Sequence[Sight]) -> list[Metric]:
    """What any of the runs has, accuracies first; each test beside the same one with augmentation."""
    curves = [one for one in CURVES if any(one.curve in sight.curves for sight in sights)]
    tests = sorted({test for sight in sights for test in sight.tests}, key=lambda test: (test.protocol, test.tta))
    asked = [Metric(f"test top-1 {test.protocol}{f' +{test.tta}' if test.tta else ''}", test=test) for test in tests]
    return [*(one for one in curves if not one.falls), *asked, *(one for one in curves if one.falls)]


def last(side: Side, metric: Metric) -> Reached | None:
    """What it measured at its end; nothing of a test, which is asked once."""
    return _together([float(values[-1]) for values in _values(side, metric)])


def best(side: Side, metric: Metric) -> Reached | None:
    """The best that it measured, or the answer to a test."""
    if metric.test is not None:
        return _together([sight.tests[metric.test] for sight in side.sights if metric.test in sight.tests])
    found = []
    for values in _values(side, metric):
        finite = values[np.isfinite(values)]
        if len(finite):
            found.append(float(finite.min() if metric.falls else finite.max()))
    return _together(found)


def _values(side: Side, metric: Metric) -> list[Any]:
    curves = (sight.curves.get(metric.curve) for sight in side.sights)
    return [np.asarray(curve.value) for curve in curves if curve is not None and len(curve.value)]


def _together(values: Sequence[float]) -> Reached | None:
    if not values:
        return None
    if not all(map(math.isfinite, values)):
        return Reached(math.nan)
    return Reached(*mean_and_spread(values))


@dataclass(frozen=True)
class Difference:
    """How far a side's best is from the baseline's, and what that means: better, worse, or alike."""

    value: float
    means: str


def difference(side: Side, baseline: Side, metric: Metric) -> Difference | None:
    """None where it would mean nothing: losses of different methods are different things."""
    mine, other = best(side, metric), best(baseline, metric)
    methods = {sight.row["methods"] for one in (side, baseline) for sight in one.sights}
    if side.baseline or mine is None or other is None or (metric.falls and len(methods) > 1):
        return None
    value = mine.value - other.value
    if not math.isfinite(value):
        return None
    spreads = [one.spread for one in (mine, other) if one.spread is not None]
    if value == 0 or (spreads and abs(value) <= max(spreads)):
        return Difference(value, "alike")
    return Difference(value, "better" if (value < 0) == metric.falls else "worse")


# ---------------------------------------------------------------- settings


@dataclass(frozen=True)
class Setting:
    """A setting that is not the same on all sides."""

    key: str
    values: tuple[str, ...]
    """What it is on each side; several runs say all they have. Empty: it is not there."""


def settings_that_differ(found: Sequence[Side]) -> list[Setting]:
    """Those that all sides have first: what only some have comes with a method, or a stage, of its own. A run whose
    settings cannot be read differs in none."""
    runs = [sight.settings for side in found for sight in side.sights if sight.settings]
    keys = sorted({key for settings in runs for key in settings})
    differ = [key for key in keys if any(settings.get(key) != runs[0].get(key) for settings in runs)]
    told = [Setting(key, tuple(_said(side, key) for side in found)) for key in differ]
    return sorted(told, key=lambda setting: "" in setting.values)


def _said(side: Side, key: str) -> str:
    values = (sight.settings.get(key) for sight in side.sights)
    return ", ".join(dict.fromkeys(str(value) for value in values if value is not None))
