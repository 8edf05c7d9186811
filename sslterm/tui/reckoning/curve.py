"""One metric of a run, as it is read and drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """One metric of a run: float64 views of equal length."""

    step: memoryview[float]
    epoch: memoryview[float]
    time: memoryview[float]
    value: memoryview[float]
