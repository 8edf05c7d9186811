"""Stages follow each other on the x axis, though each counts its epochs from nothing."""

from __future__ import annotations

from array import array

import numpy as np

from sslterm.tui.reckoning.axes import marks, stages_of, values_of, x_of
from sslterm.tui.reckoning.curve import Curve


def curve(steps: list[float], epochs: list[float]) -> Curve:
    times = [1000.0 + 10 * step for step in steps]
    return Curve(*(memoryview(array("d", values)) for values in (steps, epochs, times, steps)))


ALL = curve([1, 2, 3, 4, 5, 6, 7], [0.5, 1, 1.5, 2, 0.5, 1, 0.25])
LATER = curve([6], [1])


def test_epochs_go_on_where_the_stage_before_ended() -> None:
    stages = stages_of([LATER, ALL])
    assert x_of(ALL, "epoch", stages).tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.25]
    assert x_of(LATER, "epoch", stages).tolist() == [3]


def test_the_other_axes_are_what_the_rows_say() -> None:
    stages = stages_of([ALL])
    assert x_of(ALL, "step", stages).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert x_of(ALL, "relative", stages).tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert x_of(ALL, "wall", stages)[0] == 1010


def test_the_later_stages_are_marked_where_they_begin() -> None:
    stages = stages_of([ALL])
    assert marks({}, "epoch", stages, ["a", "b", "c"]) == [(2, "b"), (3, "c")]
    assert marks({}, "step", stages, ["a", "b", "c"]) == [(4, "b"), (6, "c")]
    assert marks({}, "wall", stages, ["a", "b", "c"]) == []


def test_a_run_without_rows_has_an_axis_too() -> None:
    empty = curve([], [])
    for curves in ([], [empty]):
        stages = stages_of(curves)
        assert len(x_of(empty, "epoch", stages)) == 0
        assert np.isfinite(stages.steps).all()


def test_what_a_stage_measured_is_apart() -> None:
    stages = stages_of([ALL])
    assert values_of({"a": ALL, "late": LATER}, stages, 0)["a"].tolist() == [1, 2, 3, 4]
    assert values_of({"a": ALL, "late": LATER}, stages, 1)["late"].tolist() == [6]
    assert "late" not in values_of({"a": ALL, "late": LATER}, stages, 2)
