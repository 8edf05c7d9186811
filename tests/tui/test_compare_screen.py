"""Marked runs over each other: bands for seeds, verdicts beside the baseline, and runs that vanish meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_runs import RISING, make, on_screen, write_curves
from seeing import seen
from textual.pilot import Pilot

from sslterm.runs import Run, files
from sslterm.runs.summary import summary
from sslterm.tui.app import SSLTerm
from sslterm.tui.looking import comparing
from sslterm.tui.looking.comparing import Comparing, RunsCompared
from sslterm.tui.reckoning.side_by_side import Question, Sight
from sslterm.tui.screens.compare import CompareScreen
from sslterm.tui.widgets.chart import LineChart

WILD = "[red]🦊 wild " + "x" * 40


def scaled(by: float) -> dict[str, list[float]]:
    return {name: [value * by for value in values] for name, values in RISING.items()}


@pytest.fixture
def runs(runs_dir: Path) -> Path:
    """Two seeds of one preset, and a better run of another."""
    make(runs_dir, "moco-s0", scaled(0.9), seed=0, age=3)
    make(runs_dir, "moco-s1", scaled(0.95), seed=1, age=2)
    make(runs_dir, "byol", scaled(1.1), preset="other", lr=0.3, age=1)
    return runs_dir


def compare(app: SSLTerm, runs_dir: Path, *names: str, pin: str | None = None) -> None:
    rows = [summary(Run(runs_dir / name)) for name in names]
    app.push_screen(CompareScreen(app.house, rows, pin and str(runs_dir / pin)))


def charts(app: SSLTerm) -> list[LineChart]:
    return [chart for chart in app.screen.query(LineChart) if chart.has_class("-shown")]


def sights(*paths: Path) -> list[Sight]:
    message = Comparing([summary(Run(path)) for path in paths])()
    assert isinstance(message, RunsCompared)
    return list(message.sights)


class TestReading:
    def test_the_best_checkpoint_speaks_and_flip_stands_beside_plain(self, runs: Path) -> None:
        (seen,) = sights(runs / "byol")
        assert set(seen.tests) == {Question("head"), Question("head", "flip")}
        first = next((runs / "byol" / "evaluations").glob("*.json"))
        said = files.read_json(first)
        best = {**said, "tta": None, "checkpoint": {"file": "x.pt"}, "metrics": {"top1": 0.123}}
        files.write_json(runs / "byol" / "evaluations" / "a.json", best)
        files.write_json(runs / "byol" / "evaluations" / "b.json", {**best, "split": "valid", "metrics": {"top1": 9}})
        files.write_json(runs / "byol" / "evaluations" / "c.json", {"split": "test", "metrics": [], "tta": 3})
        (runs / "byol" / "evaluations" / "d.json").write_text("garbage")
        (seen,) = sights(runs / "byol")
        assert seen.tests[Question("head")] == 0.123

    def test_nothing_is_told_again_until_something_changes(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(comparing, "OVER", 0.0)
        look = Comparing([summary(Run(runs / "byol"))])
        assert look() is not None
        assert look() is None
        write_curves(runs / "byol", {"knn/top1": [0.1] * 9})
        assert look() is not None
        assert look() is None
        shutil.rmtree(runs / "byol")
        message = look()
        assert isinstance(message, RunsCompared)
        assert message.sights[0].gone
        assert len(message.sights[0].curves["knn/top1"].value) == 9
        assert look() is None

    def test_steps_stand_for_a_run_whose_first_epoch_is_not_over(self, runs_dir: Path) -> None:
        (seen,) = sights(make(runs_dir, "young", {"step/loss": [2.0, 1.0]}))
        assert list(seen.curves) == ["step/loss"]


class TestScreen:
    @pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
    def test_seeds_are_a_band_beside_others(self, runs: Path, size: tuple[int, int]) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs, "byol", "moco-s0", "moco-s1", pin="moco-s0")
            shown = await seen(pilot, lambda text: "◆ moco ×2" in text and "mean ± std" in text)
            assert "knn/top1" in shown
            first = charts(app)[0]
            assert [one.name for one in first.series] == ["byol", "moco ×2"]  # the baseline in front
            assert len(first._bands) == 1
            await seen(pilot, lambda text: "▲ +.1400" in text and ".7400±.0283" in text)

        on_screen(runs, play, size)

    def test_where_all_are_seeds_of_one_each_is_drawn_within_the_band(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs, "moco-s0", "moco-s1")
            shown = await seen(pilot, lambda text: "all ×2" in text and "mean ± std" in text)
            assert "seed" in shown
            assert [one.name for one in charts(app)[0].series] == ["all ×2", "moco-s1", "moco-s0"]
            assert shown.splitlines()[0].split()[:4] == ["compare", "2", "runs", "◆"]

        on_screen(runs, play, (120, 40))

    def test_settings_that_differ_are_told_and_all_can_be_copied(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs, "byol", "moco-s0")
            await seen(pilot, lambda text: "stage.supervised.optimizer.lr  0.3   0.05" in text)
            await pilot.press("y")
            assert "knn/top1" in app.clipboard
            assert "optimizer.lr" in app.clipboard

        on_screen(runs, play, (120, 40))

    def test_more_charts_are_a_page_down_and_all_follow_the_keys(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs, "byol", "moco-s0")
            await seen(pilot, lambda text: "knn/top1" in text and "train/loss" not in text.split("last")[0])
            await pilot.press("x", "L", "plus", "z", "right", "0")
            await seen(pilot, lambda text: "x: step" in text)
            await pilot.press("pagedown", "pagedown", "pagedown")
            await seen(pilot, lambda text: "╭ train/loss" in text or "╭ valid/top1" in text)
            await pilot.press("escape")
            await seen(pilot, lambda text: "3 runs" in text)

        on_screen(runs, play)

    def test_a_run_that_vanishes_is_said_and_its_curves_stay(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(comparing, "OVER", 0.1)

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs, "byol", "moco-s0")
            await seen(pilot, lambda text: "▼" in text)
            shutil.rmtree(runs / "byol")
            await seen(pilot, lambda text: "! gone: byol; what is shown is how it was last seen" in text)
            assert len(charts(app)[0].series) == 2

        on_screen(runs, play, (120, 40))

    def test_losses_of_different_methods_are_shown_and_not_judged(self, runs_dir: Path) -> None:
        make(runs_dir, "a", {"train/loss": [2.0, 1.0]})
        make(runs_dir, "b", {"train/loss": [9.0, 8.0]}, method="byol", lr=1.0)

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            compare(app, runs_dir, "a", "b")
            shown = await seen(pilot, lambda text: "8.000" in text)
            assert "+7.000" not in shown

        on_screen(runs_dir, play, (120, 40))


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
def test_whatever_runs_are_called_and_measured_is_compared_harmlessly(runs: Path, size: tuple[int, int]) -> None:
    make(
        runs,
        WILD,
        {"knn/top1": ["nan", "inf", 0.5], "train/loss": ["nan"] * 3, "health/std": [1e300, -1e300, 0.0]},
        lr=0.7,
    )
    make(runs, "empty", {}, lr=9.0)
    make(runs, "damaged", RISING)
    (runs / "damaged" / "metrics" / "0001.jsonl").write_bytes(b"\xff\0{")
    (runs / "damaged" / "resolved.toml").write_text("[red] = [")

    async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
        compare(app, runs, WILD, "empty", "damaged", "byol", "moco-s0", "moco-s1", "nobody")
        await seen(pilot, lambda text: "[red]" in text and "! gone: nobody" in text and "╭ knn/top1" in text)
        for key in ("x", "x", "x", "L", "pagedown", "y"):
            await pilot.press(key)
            assert "\x1b" not in await seen(pilot, lambda text: True)

    on_screen(runs, play, size)


def test_twenty_resizes_leave_the_comparison_whole(runs: Path) -> None:
    async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
        compare(app, runs, "byol", "moco-s0", "moco-s1")
        await seen(pilot, lambda text: "byol" in text)
        for width, height in [(1, 1), (120, 30), (20, 5), (60, 20)] * 5:
            await pilot.resize_terminal(width, height)
        await seen(pilot, lambda text: "╭ knn/top1" in text and "moco ×2" in text)

    on_screen(runs, play, (60, 20))
