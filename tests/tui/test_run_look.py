"""What a thread sees of a run for its screen: drawn on the axis that is wanted, and of a long one only what is seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sslterm.runs import Run
from sslterm.tui.looking import watch
from sslterm.tui.looking.run_look import RunDrawn, RunLook
from sslterm.tui.reckoning.axes import Axis

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(RECORDED, tmp_path / "recorded")))


def look(at: RunLook) -> RunDrawn | None:
    found = at()
    assert found is None or isinstance(found, RunDrawn)
    return found


def test_it_is_told_once_and_again_on_another_axis(run: Run) -> None:
    wanted: list[Axis] = ["epoch"]
    at = RunLook(run, lambda: wanted[0], list)
    first = look(at)
    assert first is not None
    assert first.drawn.axis == "epoch"
    assert [chart.title for chart in first.drawn.charts][:2] == ["step/loss", "knn/top1"]
    assert first.drawn.alarm is None
    assert look(at) is None
    wanted[0] = "step"
    again = look(at)
    assert again is not None
    assert again.drawn.charts[0].lines[-1].x.tolist() == [20, 40]


def test_of_a_long_run_only_the_lines_in_sight_are_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONG", 10)
    seen = ["knn/top1"]
    at = RunLook(run, lambda: "epoch", lambda: seen)
    drawn = look(at)
    assert drawn is not None
    lines = {chart.title: len(chart.lines) for chart in drawn.drawn.charts}
    assert (lines["knn/top1"], lines["optimizer/lr"]) == (1, 0)
    seen[:] = ["optimizer/lr"]
    drawn = look(at)
    assert drawn is not None
    assert {chart.title: len(chart.lines) for chart in drawn.drawn.charts}["optimizer/lr"] == 1


def test_a_run_that_went_away_is_shown_as_it_was(run: Run) -> None:
    at = RunLook(run, lambda: "epoch", list)
    look(at)
    shutil.rmtree(run.path)
    gone = look(at)
    assert gone is not None
    assert "is not there any more" in (gone.problem or "")
    assert gone.drawn.charts
