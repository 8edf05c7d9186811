"""The list of runs as a screen: curves, columns, groups, preview, filters, and what goes wrong while it is shown."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from made_runs import RISING, make, on_screen, write_curves
from seeing import seen
from textual.pilot import Pilot
from textual.widgets import Input

from sslterm.runs import files
from sslterm.tui.app import SSLTerm
from sslterm.tui.looking import machine
from sslterm.tui.screens.column_chooser import ColumnChooser
from sslterm.tui.screens.runs import RunsScreen
from sslterm.tui.widgets.run_table import COLUMNS

WILD = "[red]🦊 wild " + "x" * 40
LONG = "[bold]n\x1b[2J" + "日本語 word " * 250


@pytest.fixture
def runs(runs_dir: Path) -> Path:
    make(runs_dir, "first", RISING, age=5)
    make(runs_dir, "second", {**RISING, "knn/top1": [0.1, 0.3, 0.2, 0.4]}, preset="other", age=3, lr=0.1)
    return runs_dir


def screen(app: SSLTerm) -> RunsScreen:
    assert isinstance(app.screen, RunsScreen)
    return app.screen


class TestList:
    def test_each_run_has_its_curve_and_the_line_on_top_says_what_the_machine_does(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "▁▄▇▇" in text and "▁▆▃▇" in text)
            await seen(pilot, lambda text: "2 runs" in text.splitlines()[0] and "cpu" in text.splitlines()[0])

        on_screen(runs, play)

    def test_a_curve_grows_while_its_run_trains(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sslterm.tui.looking.curves_in_small.OVER", 0.1)

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "▁" in text)
            write_curves(runs / "first", {"knn/top1": [0.1, 0.9] * 5})
            await seen(pilot, lambda text: "▁▇▁▇▁▇▁▇▁▇" in text)

        on_screen(runs, play)

    def test_empty_it_says_how_to_begin_and_one_key_does(self, tmp_path: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "no run yet" in text and "press n to choose" in text)
            await pilot.press("n")
            await seen(pilot, lambda text: "no run yet" not in text)
            assert type(app.screen).__name__ == "LaunchScreen"

        on_screen(tmp_path / "runs", play)

    def test_what_a_filter_leaves_empty_is_not_called_no_run(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("slash", *"state:running", "enter")
            await seen(pilot, lambda text: "no run fits this filter" in text and "state:running 0 fit" in text)
            await pilot.press("escape")
            await seen(pilot, lambda text: "first" in text)

        on_screen(runs, play)

    def test_settings_are_asked_for_beside_the_screen(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("slash")
            screen(app).query_one(Input).value = "cfg.optimizer.lr>0.07"
            await seen(pilot, lambda text: "second" in text and "first" not in text)
            screen(app).query_one(Input).value = "cfg.optimizer.rl>0.07"
            await seen(pilot, lambda text: "did you mean cfg.optimizer.lr?" in text)

        on_screen(runs, play)

    def test_marks_and_cursor_stay_with_their_runs_while_others_come_and_go(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("j", "space")
            await seen(pilot, lambda text: "1 marked" in text)
            make(runs, "third", RISING)
            screen(app).acted()
            await seen(pilot, lambda text: "third" in text)
            here = screen(app).here
            assert here is not None
            assert here["name"] == "first"
            shutil.rmtree(runs / "first")
            screen(app).acted()
            await seen(pilot, lambda text: "first" not in text and "marked" not in text)
            assert screen(app).here is not None

        on_screen(runs, play)


class TestColumns:
    def test_they_are_chosen_and_ordered_and_hold(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("C")
            await seen(pilot, lambda text: "✓ state" in text and "· seed" in text)
            await pilot.press("J", "j", "space", "y", "enter")  # state beneath name, method hidden
            await seen(pilot, lambda text: text.find("name") < text.find("state") and "method" not in text)
            assert screen(app).table.columns[:3] == ("name", "state", "data")
            assert app.clipboard.startswith('columns = ["name", "state", "data", "stage"')

        on_screen(runs, play, (120, 40))

    def test_escape_leaves_them_as_they_were_and_one_always_stays(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text)
            before = screen(app).table.columns
            await pilot.press("C", "space", "escape")
            assert screen(app).table.columns == before
            chooser = ColumnChooser(["name"])
            app.push_screen(chooser)
            await pilot.press("space")
            await seen(pilot, lambda text: "one column has to stay" in text)
            assert chooser.chosen == ["name"]

        on_screen(runs, play)

    @pytest.mark.parametrize("size", [(60, 20), (30, 8)])
    def test_all_can_be_reached_where_not_all_have_room(self, runs: Path, size: tuple[int, int]) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await pilot.press("C", *("j" * len(COLUMNS)))
            await seen(pilot, lambda text: "· seed" in text)

        on_screen(runs, play, size)


class TestGroups:
    def test_seeds_fold_into_mean_and_spread_and_other_settings_do_not(self, runs_dir: Path) -> None:
        for seed, best in enumerate((0.80, 0.84)):
            make(runs_dir, f"moco-s{seed}", {"knn/top1": [0.1, best]}, seed=seed)
        make(runs_dir, "moco-fast", {"knn/top1": [0.1, 0.9]}, lr=0.5)

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "moco-s0" in text)
            await pilot.press("f")
            shown = await seen(pilot, lambda text: "▸ moco ×2" in text)
            assert "kNN .820±.028" in shown
            assert "  moco-fast" in shown
            await pilot.press("j")
            shown = await seen(pilot, lambda text: "★ moco-s1" in text and "mean ± std ×2" in text)
            assert "2 runs that differ in their seed only" in shown
            await pilot.press("right")
            await seen(pilot, lambda text: "│ moco-s1" in text)

        on_screen(runs_dir, play, (120, 40))


class TestPreview:
    def test_it_says_why_and_what_to_do_next_and_raises_the_alarm(self, runs_dir: Path) -> None:
        curves = {"train/loss": [1.0, 0.9, 0.8], "health/std": [0.04, 0.0001, 0.0001], "health/std_healthy": [0.09] * 3}
        make(
            runs_dir,
            "sunk",
            curves,
            status={"state": "failed", "reason": "ran [red]aground[/]"},
            note="mind \x1b[2J it",
        )

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            shown = await seen(pilot, lambda text: "! supervised collapsed" in text and "train/loss" in text)
            assert "ran [red]aground[/]" in shown
            assert "next sslterm logs sunk" in shown
            assert "\x1b" not in shown

        on_screen(runs_dir, play, (120, 40))

    def test_it_follows_the_cursor(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "kNN .400" in text and ".400 ╮" in text)
            await pilot.press("j")
            await seen(pilot, lambda text: ".800 ╮" in text)
            await pilot.resize_terminal(80, 24)
            await seen(pilot, lambda text: "╮" not in text)
            await pilot.press("k")
            await pilot.resize_terminal(200, 60)
            await seen(pilot, lambda text: ".400 ╮" in text)

        on_screen(runs, play, (120, 40))


class TestTrouble:
    def test_a_place_that_is_gone_is_said_and_that_it_is_back_shows(self, runs: Path) -> None:
        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "first" in text and "cpu" in text)
            runs.rename(runs.parent / "elsewhere")
            await seen(pilot, lambda text: "is not there any more" in " ".join(text.split()) and "first" in text)
            (runs.parent / "elsewhere").rename(runs)
            await seen(pilot, lambda text: "any more" not in " ".join(text.split()) and "first" in text)

        on_screen(runs, play, (100, 30))

    def test_a_full_disk_is_said(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "LITTLE", 1 << 62)

        async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda text: "nearly full" in " ".join(text.split()) and "first" in text)

        on_screen(runs, play, (100, 30))


def hostile(runs_dir: Path) -> None:
    """Names, notes, reasons and values that want to do harm."""
    make(runs_dir, WILD, {"knn/top1": ["nan", "inf", 0.5, "-inf"], "train/loss": ["nan"] * 4}, note=LONG)
    make(runs_dir, "é" * 60, {"knn/top1": ["nan", "nan"]}, status={"state": "failed", "reason": LONG})
    make(runs_dir, "empty", {})
    run = make(runs_dir, "damaged", RISING)
    (run / "metrics" / "0001.jsonl").write_bytes(b"\xff\0{")
    (run / "run.json").write_bytes(b"[red]")
    best: dict[str, Any] = {"supervised": {"metric": "[blue]" * 400, "value": 1e300, "file": 3}}
    files.write_json(runs_dir / WILD / "checkpoints" / "best.json", best)


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
def test_whatever_runs_are_called_and_measured_is_shown_harmlessly(runs_dir: Path, size: tuple[int, int]) -> None:
    hostile(runs_dir)

    async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "[red]" in text and "corrupt" in text)
        for key in ("j", "j", "j", "f", "asterisk", "o"):
            await pilot.press(key)
            assert "\x1b" not in await seen(pilot, lambda text: True)

    on_screen(runs_dir, play, size)


def test_twenty_resizes_leave_the_list_whole(runs: Path) -> None:
    async def play(app: SSLTerm, pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "first" in text)
        for width, height in [(1, 1), (120, 30), (20, 5), (60, 20)] * 5:
            await pilot.resize_terminal(width, height)
        await seen(pilot, lambda text: "first" in text and "second" in text)

    on_screen(runs, play, (60, 20))
