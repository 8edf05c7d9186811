"""What stands on the x axis of a run: stages count their epochs from nothing each; here they follow each other.

Pure functions of numbers. Shapes: n points of a curve, s stages that have begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sslterm.tui.reckoning.curve import Curve

Axis = Literal["epoch", "step", "relative", "wall"]
AXES: tuple[Axis, ...] = ("epoch", "step", "relative", "wall")


@dataclass(frozen=True)
class Stages:
    """Where each stage begins: float64 (s,) steps, and how many epochs there were before (s,)."""

    steps: Any
    epochs: Any


def stages_of(curves: Iterable[Curve]) -> Stages:
    """Found where the epoch falls while steps go on, in the curve with the most points."""
    curve = max(curves, key=lambda one: len(one.step), default=None)
    if curve is None or not len(curve.step):
        return Stages(np.zeros(1), np.zeros(1))
    steps, epochs = np.asarray(curve.step), np.asarray(curve.epoch)
    falls = np.flatnonzero(epochs[1:] < epochs[:-1])
    return Stages(np.concatenate([[0.0], steps[falls]]), np.concatenate([[0.0], np.cumsum(epochs[falls])]))


def x_of(curve: Curve, axis: Axis, stages: Stages) -> Any:
    """float64 (n,): where a curve's points stand on an axis. Copied only where that is another place than it says."""
    if axis == "step":
        return np.asarray(curve.step)
    if axis == "epoch":
        return _epochs(curve, stages)
    clock = np.asarray(curve.time)
    return clock if axis == "wall" or not len(clock) else clock - clock[0]


def _epochs(curve: Curve, stages: Stages) -> Any:
    """Each stage's epochs after those of the stages before it."""
    epochs = np.asarray(curve.epoch)
    if len(stages.steps) == 1:
        return epochs
    epochs = epochs.copy()
    for place in range(1, len(stages.steps)):
        epochs[part(curve, stages, place)] += stages.epochs[place]
    return epochs


def part(curve: Curve, stages: Stages, place: int) -> slice:
    """Which points of a curve are those of a stage: a row of step s belongs to the stage that began before it."""
    edges = np.searchsorted(np.asarray(curve.step), stages.steps[place : place + 2], side="right").tolist()
    return slice(edges[0] if place else 0, edges[1] if len(edges) > 1 else None)


def values_of(curves: Mapping[str, Curve], stages: Stages, place: int) -> dict[str, Any]:
    """float64 (n,) each: what was measured in one stage; metrics that were not are left out."""
    found = {name: np.asarray(curve.value)[part(curve, stages, place)] for name, curve in curves.items()}
    return {name: values for name, values in found.items() if len(values)}


class Places:
    """Where curves stand on one axis. Those of the same rows share their places: of ten million rows each copy of them
    would be 80 MB."""

    def __init__(self, axis: Axis, stages: Stages) -> None:
        self.axis, self.stages = axis, stages
        self._known: list[tuple[Curve, Any]] = []

    def of(self, curve: Curve) -> Any:
        """float64 (n,)."""
        found = next((x for known, x in self._known if _same_rows(known, curve)), None)
        if found is None:
            found = x_of(curve, self.axis, self.stages)
            self._known.append((curve, found))
        return found


def _same_rows(one: Curve, other: Curve) -> bool:
    if len(one.step) != len(other.step) or not len(one.step):
        return False
    ends = [(curve.step[0], curve.step[-1]) for curve in (one, other)]
    return ends[0] == ends[1] and np.array_equal(np.asarray(one.step), np.asarray(other.step))


def marks(curves: Mapping[str, Curve], axis: Axis, stages: Stages, names: list[str]) -> list[tuple[float, str]]:
    """Where the later stages begin, with their names; on the axes that stages divide."""
    if axis == "step":
        places = stages.steps[1:]
    elif axis == "epoch":
        places = stages.epochs[1:]
    else:
        return []
    return [(float(place), name) for place, name in zip(places, names[1:], strict=False)]
