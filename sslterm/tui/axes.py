"""What stands on the x axis of a run: stages count their epochs from nothing each; here they follow each other.

Pure functions of numbers. Shapes: n points of a curve, s stages that have begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sslterm.tui.watch import Curve

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
    falls = np.flatnonzero(np.diff(epochs) < 0)
    return Stages(np.concatenate([[0.0], steps[falls]]), np.concatenate([[0.0], np.cumsum(epochs[falls])]))


def x_of(curve: Curve, axis: Axis, stages: Stages) -> Any:
    """float64 (n,): where a curve's points stand on an axis."""
    if axis == "step":
        return np.asarray(curve.step)
    if axis == "epoch":
        # A row of step s belongs to the stage whose beginning it lies behind.
        stage = np.maximum(np.searchsorted(stages.steps, np.asarray(curve.step), side="left") - 1, 0)
        return np.asarray(curve.epoch) + stages.epochs[stage]
    clock = np.asarray(curve.time)
    return clock if axis == "wall" or not len(clock) else clock - clock[0]


def marks(curves: Mapping[str, Curve], axis: Axis, stages: Stages, names: list[str]) -> list[tuple[float, str]]:
    """Where the later stages begin, with their names; on the axes that stages divide."""
    if axis == "step":
        places = stages.steps[1:]
    elif axis == "epoch":
        places = stages.epochs[1:]
    else:
        return []
    return [(float(place), name) for place, name in zip(places, names[1:], strict=False)]
