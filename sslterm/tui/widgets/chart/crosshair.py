"""What a chart says about a place on its x axis: the points nearest to it, and the next ones to the left and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sslterm.tui.widgets.chart.request import value_at
from sslterm.tui.widgets.chart.series import Series


class Reading(NamedTuple):
    """What a chart shows at a place."""

    name: str
    x: float
    y: float
    shown: float
    """The value as it is drawn: smoothed, where the chart smooths."""


def readings(series: Sequence[Series], x: float, factor: float) -> list[Reading]:
    """Each line's point that is nearest to x."""
    found = []
    for one in series:
        if len(one):
            index = one.nearest(x)
            found.append(Reading(one.name, float(one.x[index]), float(one.y[index]), value_at(one, index, factor)))
    return found


def snapped(series: Sequence[Series], x: float) -> float | None:
    """The nearest x at which any line has a point."""
    places = [float(one.x[one.nearest(x)]) for one in series if len(one)]
    return min(places, key=lambda place: abs(place - x), default=None)


def neighbour(series: Sequence[Series], x: float, direction: int) -> float:
    """The next x to the right (1) or left (-1) at which any line has a point; x itself where there is none."""
    places = []
    for one in series:
        index = int(one.x.searchsorted(x, "right")) if direction > 0 else int(one.x.searchsorted(x, "left")) - 1
        if 0 <= index < len(one):
            places.append(float(one.x[index]))
    return min(places, key=lambda place: abs(place - x), default=x)
