"""What is read for the list beside the screen: curves of runs in the window, a closer look at one, who is alike."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import RISING, make, write_curves
from textual.message import Message

from sslterm.runs import Run
from sslterm.runs.summary import summary
from sslterm.tui.looking import close_look, curves_in_small
from sslterm.tui.looking.close_look import CloseLook, SeenInSmall, Small, thinned
from sslterm.tui.looking.curves_in_small import CurvesInSmall, CurvesSeen, curve
from sslterm.tui.looking.likeness import likeness


def row(run: Path, **more: Any) -> dict[str, Any]:
    return {**summary(Run(run)), **more}


class TestCurve:
    def test_it_is_of_the_main_metric_and_else_of_what_there_is(self, runs_dir: Path) -> None:
        run = make(runs_dir, "a", {"train/loss": [2.0, 1.0], "knn/top1": [0.1, 0.2], "valid/top1": [0.2, 0.1]})
        assert curve(str(run), None) == "▁▇"
        assert curve(str(run), "valid/top1") == "▇▁"
        assert curve(str(run), "no such") == "▁▇"

    @pytest.mark.parametrize("curves", [{}, {"knn/top1": [0.5]}, {"step/loss": [1.0, 2.0]}])
    def test_fewer_than_two_epochs_make_no_curve(self, runs_dir: Path, curves: dict[str, list[float]]) -> None:
        assert curve(str(make(runs_dir, "a", curves)), None) == ""

    def test_what_is_no_number_is_a_gap_and_what_is_not_there_is_nothing(self, runs_dir: Path) -> None:
        run = make(runs_dir, "a", {"knn/top1": [0.1, "nan", 0.9], "valid/top1": ["nan", "inf"]})
        assert curve(str(run), None) == "▁ ▇"
        assert curve(str(run), "valid/top1") == "  "
        assert curve(str(runs_dir / "nobody"), None) == ""

    def test_metrics_that_would_take_long_to_parse_are_left_to_the_runs_own_screen(
        self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = make(runs_dir, "a", RISING)
        monkeypatch.setattr(curves_in_small, "LARGE", 10)
        assert curve(str(run), None) == ""
        (run / ".cache" / "metrics" / "0001").mkdir(parents=True)
        (run / ".cache" / "metrics" / "0001" / "columns.json").write_text("parsed before")
        assert curve(str(run), None) != ""


class TestCurvesInTheWindow:
    def test_only_those_in_the_window_are_read_and_only_once(self, runs_dir: Path) -> None:
        told: list[Message] = []
        look = CurvesInSmall(told.append)
        rows = [row(make(runs_dir, name, RISING)) for name in "abc"]
        look.want(rows[:2])
        seen = look()
        assert isinstance(seen, CurvesSeen)
        assert set(seen.curves) == {rows[0]["path"], rows[1]["path"]}
        assert look() is None
        look.want(rows[1:])
        seen = look()
        assert isinstance(seen, CurvesSeen)
        assert len(seen.curves) == 3  # what is known stays known

    def test_one_that_trains_is_read_again_when_it_wrote_more(
        self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = make(runs_dir, "a", RISING)
        look = CurvesInSmall(lambda message: None)
        look.want([row(run, state="running", best_metric=None)])
        look()
        write_curves(run, {"knn/top1": [0.9, 0.1, 0.1]})
        assert look() is None  # not yet
        monkeypatch.setattr(curves_in_small, "LIVE", 0.0)
        seen = look()
        assert isinstance(seen, CurvesSeen)
        assert list(seen.curves.values()) == ["▇▁▁"]
        assert look() is None

    def test_the_first_are_told_before_the_last_are_read(self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(curves_in_small, "FEW", 2)
        told: list[Message] = []
        look = CurvesInSmall(told.append)
        look.want([row(make(runs_dir, name, RISING)) for name in "abc"])
        assert look() is not None
        assert len(told) == 1

    def test_memory_is_bounded(self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(curves_in_small, "MOST", 2)
        look = CurvesInSmall(lambda message: None)
        look.want([row(make(runs_dir, name, RISING)) for name in "abcd"])
        seen = look()
        assert isinstance(seen, CurvesSeen)
        assert len(seen.curves) == 2


def small(*rows: dict[str, Any]) -> Small:
    look = CloseLook()
    look.want(rows)
    message = look()
    assert isinstance(message, SeenInSmall)
    return message.small


class TestCloseLook:
    def test_a_run_has_its_loss_its_main_metric_and_its_health(self, runs_dir: Path) -> None:
        health = {"health/std": [0.05, 0.06], "health/std_healthy": [0.09, 0.09], "health/rank": [40.0, 66.0]}
        seen = small(row(make(runs_dir, "a", {**RISING, **health})))
        assert (seen.loss_name, seen.score_name) == ("train/loss", "knn/top1")
        assert seen.loss["a"][1].tolist() == RISING["train/loss"]
        assert seen.score["a"][0].tolist() == [1.0, 2.0, 3.0, 4.0]
        assert seen.last["health/rank"] == 66.0
        assert seen.alarm is None

    def test_a_run_in_its_first_epochs_shows_its_steps(self, runs_dir: Path) -> None:
        seen = small(row(make(runs_dir, "a", {"step/loss": [3.0, 2.0], "train/loss": [2.5]})))
        assert seen.loss_name == "step/loss"

    def test_a_collapsed_one_raises_the_alarm(self, runs_dir: Path) -> None:
        curves = {"train/loss": [1.0, 0.9, 0.8], "health/std": [0.04, 0.0001, 0.0001], "health/std_healthy": [0.09] * 3}
        assert "collapsed" in str(small(row(make(runs_dir, "a", curves))).alarm)

    def test_of_a_group_the_curves_of_all_are_there(self, runs_dir: Path) -> None:
        seen = small(*(row(make(runs_dir, f"s{seed}", RISING)) for seed in range(3)))
        assert set(seen.loss) == set(seen.score) == {"s0", "s1", "s2"}

    def test_the_same_run_is_not_read_again_until_it_changes(
        self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(close_look, "EVERY", 0.0)
        run = make(runs_dir, "a", RISING)
        look = CloseLook()
        look.want([row(run)])
        assert look() is not None
        assert look() is None
        write_curves(run, {"train/loss": [1.0, 2.0, 3.0, 4.0, 5.0]})
        assert look() is not None
        shutil.rmtree(run)
        gone = look()
        assert isinstance(gone, SeenInSmall)
        assert gone.small.loss == {}

    def test_curves_that_would_take_long_to_read_are_left_until_somebody_opens_the_run(
        self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(curves_in_small, "LARGE", 10)
        found = small(row(make(runs_dir, "a", RISING)))
        assert (found.unread, found.loss) == (True, {})

    def test_a_damaged_or_empty_run_is_borne(self, runs_dir: Path) -> None:
        run = make(runs_dir, "a", RISING)
        (run / "metrics" / "0001.jsonl").write_bytes(b"\0\xff garbage\n{}\n[1,2\n")
        assert small(row(run)).loss == {}

    @pytest.mark.parametrize("count", [0, 1, 1999, 2000, 2001, 34_567])
    def test_thinning_keeps_ends_peaks_and_what_is_no_number(self, count: int) -> None:
        y = np.sin(np.arange(count))
        if count > 3000:
            y[777], y[1234], y[2000:3000] = 9.0, -9.0, math.nan
        x, thin = thinned(np.arange(count, dtype=float), y)
        assert len(x) == len(thin) <= 2001
        assert np.all(np.diff(x) > 0)
        if count > 3000:
            assert (np.nanmax(thin), np.nanmin(thin), x[-1]) == (9.0, -9.0, count - 1)
            assert np.isnan(thin).any()


class TestLikeness:
    def test_seeds_are_alike_and_other_settings_are_not(self, runs_dir: Path) -> None:
        first, second = (str(make(runs_dir, f"s{seed}", seed=seed)) for seed in (0, 12345))
        other = str(make(runs_dir, "other", lr=0.1))
        assert likeness(first) == likeness(second) != likeness(other)

    def test_only_the_runs_own_seed_is_passed_over(self, runs_dir: Path) -> None:
        first, second = make(runs_dir, "a"), make(runs_dir, "b")
        text = (second / "resolved.toml").read_text()
        (second / "resolved.toml").write_text(text + "\n[other]\nseed = 3\n")
        assert likeness(str(first)) != likeness(str(second))

    def test_one_that_cannot_be_read_is_like_no_other(self, runs_dir: Path) -> None:
        assert likeness(str(runs_dir / "a")) != likeness(str(runs_dir / "b"))
