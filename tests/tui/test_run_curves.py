"""Curves that answer one question stand in one chart; what nobody foresaw has one, too."""

from __future__ import annotations

from array import array

from sslterm.tui.reckoning.axes import Places, stages_of
from sslterm.tui.reckoning.curve import Curve
from sslterm.tui.reckoning.run_curves import drawings, lines_of


def curve(values: list[float], steps: list[float] | None = None) -> Curve:
    steps = steps or [20.0 * (n + 1) for n in range(len(values))]
    columns = (steps, [step / 20 for step in steps], [1000 + step for step in steps], values)
    return Curve(*(memoryview(array("d", column)) for column in columns))


def drawn(**curves: Curve) -> dict[str, list[str]]:
    named = {name.replace("__", "/"): one for name, one in curves.items()}
    found = drawings(named, named, Places("epoch", stages_of(named.values())))
    return {drawing.title: [line.name for line in drawing.lines] for drawing in found}


def test_the_loss_on_valid_stands_beside_that_of_steps() -> None:
    one = curve([3, 2, 1])
    assert drawn(step__loss=one, valid__loss=one, train__loss=one) == {"step/loss": ["valid", "train"]}
    assert drawn(step__loss=one, train__loss=one) == {"step/loss": ["step/loss"]}
    assert drawn(step__top1=one, train__top1=one) == {"step/top1": ["step/top1"]}


def test_the_spread_has_its_healthy_level_and_the_level_is_nothing_alone() -> None:
    one = curve([0.04, 0.05])
    found = drawn(health__std=one, health__std_healthy=one)
    assert found == {"health/std": ["healthy", "std"]}
    assert drawn(health__std_healthy=one) == {}


def test_what_nobody_foresaw_comes_last() -> None:
    one = curve([1, 2])
    found = drawn(zeta=one, knn__top1=one, step__entropy=one)
    assert list(found) == ["knn/top1", "step/entropy", "zeta"]


def test_the_best_value_has_a_star_whatever_else_was_measured() -> None:
    accuracies = {"knn/top1": curve([0.3, float("inf"), 0.8, float("nan"), 0.7])}
    (chart,) = drawings(accuracies, accuracies, Places("epoch", stages_of(accuracies.values())))
    assert chart.lines[0].best == (3.0, 0.8)
    nothing = {"knn/top1": curve([float("nan")])}
    (chart,) = drawings(nothing, nothing, Places("step", stages_of(nothing.values())))
    assert chart.lines[0].best is None


def test_curves_of_the_same_rows_share_their_places() -> None:
    one, other, later = curve([1, 2, 3]), curve([4, 5, 6]), curve([7, 8], [40, 60])
    places = Places("relative", stages_of([one]))
    assert places.of(one) is places.of(other)
    assert places.of(later).tolist() == [0, 20]


def test_a_chart_that_nobody_sees_is_there_without_its_lines() -> None:
    read = {"knn/top1": curve([1, 2])}
    found = drawings(read, ["knn/top1", "step/loss", "zeta"], Places("step", stages_of(read.values())))
    assert {drawing.title: len(drawing.lines) for drawing in found} == {"step/loss": 0, "knn/top1": 1, "zeta": 0}
    assert {"health/std", "health/std_healthy", "zeta"} <= lines_of(["health/std", "zeta"])
    assert "step/loss" not in lines_of(["health/std", "zeta"])
