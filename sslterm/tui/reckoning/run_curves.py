"""Which charts a run has: the curves that answer one question stand in one chart. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sslterm.tui.reckoning.axes import Places
from sslterm.tui.reckoning.curve import Curve
from sslterm.tui.widgets.chart import Series
from sslterm.tui.widgets.chart.series import Floats, Pattern

LEVEL = "health/std_healthy"
"""No curve of its own, but the level that another one is measured by."""
CHARTS: tuple[tuple[str, ...], ...] = (
    ("step/loss", "valid/loss"),
    ("knn/top1",),
    ("valid/top1", "train/top1"),
    ("health/std", LEVEL),
    ("health/rank",),
    ("step/top1",),
    ("health/alignment",),
    ("health/uniformity",),
    ("optimizer/lr",),
    ("images_per_second",),
    ("memory_mib",),
)
"""Metrics by chart, the most wanted first. The loss is that of steps: it comes long before the first epoch is over, and
its mean over an epoch is what smoothing shows."""
LABELS = {
    "step/loss": "train", "valid/loss": "valid", "train/top1": "train", "valid/top1": "valid", "health/std": "std",
    LEVEL: "healthy",
}  # fmt: skip
"""What lines are called that stand beside others in a chart."""
BEST = frozenset({"knn/top1", "valid/top1"})
"""Where the highest value gets a star."""
MEANS = frozenset(name.replace("step/", "train/") for group in CHARTS for name in group if name.startswith("step/"))
"""What the charts show already, as means over epochs."""


@dataclass(frozen=True)
class Drawing:
    """One chart: its title, and its lines; the one that it is about is the last."""

    title: str
    lines: Sequence[Series]


def drawings(curves: Mapping[str, Curve], names: Collection[str], places: Places) -> list[Drawing]:
    """A chart for every question that has an answer; metrics that nobody foresaw come last, each in one of its own.

    `names` are all metrics there are. Of those that are not among `curves`, for nobody sees them, there are no lines.
    """
    known = {name for group in CHARTS for name in group} | MEANS
    found = []
    for group in (*CHARTS, *((name,) for name in sorted(names) if name not in known)):
        there = [name for name in group if name in names]
        if group[0] in there:  # the others say something only beside the first
            lines = [_line(name, curves[name], places, len(there) > 1) for name in reversed(there) if name in curves]
            found.append(Drawing(group[0], lines))
    return found


def lines_of(titles: Collection[str]) -> frozenset[str]:
    """Every metric that the charts of these titles may show."""
    groups = [set(group) for group in CHARTS if set(group) & set(titles)]
    return frozenset(titles).union(*groups)


def _line(name: str, curve: Curve, places: Places, beside_others: bool) -> Series:
    x, y = places.of(curve), np.asarray(curve.value)
    label = LABELS.get(name, name) if beside_others else name
    style: Pattern = "dashed" if name == LEVEL else "auto"
    return Series(label, x, y, style=style, best=_best(x, y) if name in BEST else None)


def _best(x: Floats, y: Floats) -> tuple[float, float] | None:
    if not np.isfinite(y).any():
        return None
    place = int(np.argmax(np.where(np.isfinite(y), y, -np.inf)))
    return float(x[place]), float(y[place])
