"""Runs side by side: who belongs together, who is better and by how much, and when a difference means nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sslterm.runs.summary import BLANK
from sslterm.tui.reckoning import apart, side_by_side
from sslterm.tui.reckoning.curve import Curve
from sslterm.tui.reckoning.side_by_side import Metric, Question, Sight, difference, metrics, sides
from sslterm.tui.widgets.verdict_table import lines, precise

KNN, LOSS = Metric("knn/top1", "knn/top1"), Metric("train/loss", "train/loss", falls=True)


def curve(*values: float) -> Curve:
    view = memoryview(__import__("array").array("d", values))
    return Curve(view, view, view, view)


def sight(
    name: str, like: object = None, *, knn: tuple[float, ...] = (), loss: tuple[float, ...] = (), **more: Any
) -> Sight:
    curves = {key: curve(*values) for key, values in (("knn/top1", knn), ("train/loss", loss)) if values}
    row = {
        **BLANK, "name": name, "path": f"/runs/{name}", "state": "finished", "preset": "tiny",
        "methods": more.pop("methods", "simclr"),
    }  # fmt: skip
    return Sight(row, curves, more.pop("tests", {}), more.pop("settings", {}), like or name, **more)


def told(*sights: Sight, pin: str | None = None, metric: Metric = KNN) -> list[tuple[str, str]]:
    found = sides(sights, pin and f"/runs/{pin}")
    marks = [difference(side, found[0], metric) for side in found]
    return [(side.name, mark.means if mark else "") for side, mark in zip(found, marks, strict=True)]


class TestSides:
    def test_runs_that_differ_in_their_seed_only_are_one_side(self) -> None:
        found = sides([sight("moco-s0", 1), sight("byol"), sight("moco-s1", 1)], None)
        assert [(side.name, len(side.sights)) for side in found] == [("moco ×2", 2), ("byol", 1)]

    def test_the_baseline_is_the_pinned_run_with_its_seeds_or_else_the_first(self) -> None:
        runs = [sight("byol"), sight("moco-s0", 1), sight("moco-s1", 1)]
        assert [side.baseline for side in sides(runs, None)] == [True, False]
        assert [side.name for side in sides(runs, "/runs/moco-s1")] == ["moco ×2", "byol"]

    def test_where_all_are_alike_each_stands_for_itself_and_all_together_come_last(self) -> None:
        assert told(sight("a", 1, knn=(0.8,)), sight("b", 1, knn=(0.9,))) == [
            ("a", ""), ("b", "better"), ("all ×2", "alike"),
        ]  # fmt: skip

    def test_two_groups_of_one_name_are_told_apart(self) -> None:
        runs = [sight(name, int(name[0])) for name in ("1a", "1b", "2a", "2b")]
        assert [side.name for side in sides(runs, None)] == ["tiny ×2", "tiny ×2 (2)"]


class TestVerdicts:
    def test_more_is_better_for_accuracies_and_less_for_losses(self) -> None:
        runs = sight("a", knn=(0.5,), loss=(2.0,)), sight("b", knn=(0.6,), loss=(3.0,))
        assert told(*runs) == [("a", ""), ("b", "better")]
        assert told(*runs, metric=LOSS) == [("a", ""), ("b", "worse")]

    def test_the_best_counts_and_not_the_last(self) -> None:
        assert told(sight("a", knn=(0.9, 0.1)), sight("b", knn=(0.5, 0.6)))[1] == ("b", "worse")

    def test_losses_of_different_methods_are_not_compared(self) -> None:
        assert told(sight("a", loss=(2.0,)), sight("b", loss=(1.0,), methods="byol"), metric=LOSS)[1] == ("b", "")

    def test_what_lies_within_the_spread_of_seeds_is_alike(self) -> None:
        seeds = sight("m-s0", 1, knn=(0.80,)), sight("m-s1", 1, knn=(0.84,))
        assert told(*seeds, sight("near", knn=(0.83,)), sight("far", knn=(0.99,)))[1:] == [
            ("near", "alike"), ("far", "better"),
        ]  # fmt: skip

    @pytest.mark.parametrize("values", [(), (math.nan,), (math.nan, math.inf)])
    def test_what_is_no_number_is_no_difference(self, values: tuple[float, ...]) -> None:
        assert told(sight("a", knn=(0.5,)), sight("b", knn=values))[1] == ("b", "")

    def test_a_last_value_that_is_not_a_number_is_said_and_the_best_is_of_the_others(self) -> None:
        (side, *_) = sides([sight("a", knn=(0.5, math.nan)), sight("b")], None)
        last, best = side_by_side.last(side, KNN), side_by_side.best(side, KNN)
        assert last is not None
        assert math.isnan(last.value)
        assert best == side_by_side.Reached(0.5)

    def test_tests_stand_beside_the_same_with_flip_and_before_losses(self) -> None:
        tests = {Question("linear", "flip"): 0.9, Question("linear"): 0.8}
        found = metrics([sight("a", knn=(0.5,), loss=(1.0,)), sight("b", tests=tests)])
        titles = ["knn/top1", "test top-1 linear", "test top-1 linear +flip", "train/loss"]
        assert [metric.title for metric in found] == titles


class TestTable:
    RUNS = (
        sight("moco", knn=(0.81, 0.8), loss=(2.0,)), sight("[red]" * 400, knn=(math.nan,)), sight("日本語 🚀" * 99),
        sight("s-s0", 1, knn=(0.85,), loss=(1.0,)), sight("s-s1", 1, knn=(0.86,), loss=(1.2,)),
    )  # fmt: skip

    @pytest.mark.parametrize("room", [56, 78, 118, 198])
    def test_it_keeps_to_the_width_that_it_has(self, room: int) -> None:
        found = sides(self.RUNS, None)
        table = ["".join(text for text, _ in line) for line in lines(found, metrics(self.RUNS), room)]
        assert max(map(len, table)) <= room
        assert sum("moco" in line for line in table) == (2 if room < 118 else 1)

    def test_it_says_better_and_worse_in_glyphs(self) -> None:
        found = sides(self.RUNS, None)
        text = "\n".join("".join(text for text, _ in line) for line in lines(found, metrics(self.RUNS), 118))
        assert "▲ +.0450" in text
        assert ".8550±.0071" in text
        assert "nan" in text

    def test_nothing_is_shown_of_nothing(self) -> None:
        assert lines([], [], 80) == []

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.8512, ".8512"), (-0.00712, "-.0071"), (2.6, "2.600"), (18.1, "18.10"), (12345.0, "1.234e+04"),
         (math.nan, "nan"), (math.inf, "inf"), (0.99999, "1.0000")],
    )  # fmt: skip
    def test_four_digits(self, value: float, text: str) -> None:
        assert precise(value) == text


class TestSettings:
    def test_only_what_differs_is_shown_and_first_what_all_have(self) -> None:
        text = apart.differences({"a": {"lr": 0.1, "t": 1, "seed": 0}, "b": {"lr": 0.1, "seed": 1}})
        assert [line.split() for line in text.splitlines()] == [
            ["setting", "a", "b"],
            ["seed", "0", "1"],
            ["t", "1"],
        ]

    def test_a_group_says_all_that_it_has(self) -> None:
        runs = [sight(f"m-s{seed}", 1, settings={"seed": seed, "lr": 1}) for seed in range(3)]
        found = sides([*runs, sight("b", settings={"seed": 0, "lr": 2})], None)
        settings = side_by_side.settings_that_differ(found)
        assert [(one.key, one.values) for one in settings] == [("lr", ("1", "2")), ("seed", ("0, 1, 2", "0"))]

    @pytest.mark.parametrize("room", [40, 60, 100])
    def test_many_sides_share_lines_by_value_where_columns_have_no_room(self, room: int) -> None:
        said = {f"a-long-name-{i}": {"stage.pretrain.optimizer.lr": 0.1 * (i % 2)} for i in range(9)}
        text = apart.differences(said, room)
        assert max(map(len, text.splitlines())) <= room
        assert len(text.splitlines()) == 3

    def test_a_run_whose_settings_cannot_be_read_differs_in_none(self) -> None:
        assert apart.differences({"a": {"x": 1}, "b": {}, "c": {"x": 1}}) == "all settings are the same"

    def test_no_difference_is_a_sentence(self) -> None:
        assert apart.differences({"a": {"x": 1}, "b": {"x": 1}}) == "all settings are the same"
