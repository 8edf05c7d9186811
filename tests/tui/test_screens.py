"""The screens over real run directories: recorded ones, copied; keys are pressed, the text of the screen is read."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seeing import seen

from sslterm.runs import files
from sslterm.tui import commands
from sslterm.tui.app import SSLTerm
from sslterm.tui.config import Config
from sslterm.tui.screens.run import RunScreen

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    runs_dir = tmp_path / "runs"
    for name in ("first", "second"):
        shutil.copytree(RECORDED, runs_dir / name)
    said = files.read_json(runs_dir / "second" / "run.json")
    files.write_json(runs_dir / "second" / "run.json", {**said, "created": said["created"] + 60, "seed": 1})
    return runs_dir


def app_of(runs: Path, **more: Any) -> SSLTerm:
    return SSLTerm(runs, runs.parent / "data", Config(), **more)


@pytest.mark.parametrize("size", SIZES)
def test_every_room_of_a_run_is_a_key_away_and_escape_leads_back(runs: Path, size: tuple[int, int]) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=size) as pilot:
            shown = await seen(pilot, lambda text: "first" in text and "second" in text)
            assert "✓ finished" in shown
            assert shown.index("second") < shown.index("first")  # the newest first
            await pilot.press("enter")
            await seen(pilot, lambda text: "loss" in text and "1 charts" in text)
            await pilot.press("2")
            await seen(pilot, lambda text: "supervised 2/2 · loss" in text)
            await pilot.press("4")
            await seen(pilot, lambda text: 'title = "Recorded"' in text)
            await pilot.press("5")
            await seen(
                pilot, lambda text: "supervised-0002" in text and type(app.screen).__name__ == "CheckpointsScreen"
            )
            await pilot.press("escape", "6")
            await seen(
                pilot,
                lambda text: "2 answers to 1 question" in text and type(app.screen).__name__ == "EvaluationScreen",
            )
            await pilot.press("escape", "1", "x", "L", "plus", "z", "right", "left", "0", "escape")
            await seen(pilot, lambda text: type(app.screen).__name__ == "RunsScreen")

    asyncio.run(go())


def test_what_cannot_be_done_says_why_and_what_deletes_asks(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("s")
            await seen(pilot, lambda text: "nobody works on it (finished)" in text)
            await pilot.press("c")
            await seen(pilot, lambda text: "mark two runs or more" in text)
            await pilot.press("D")
            await seen(pilot, lambda text: "for good" in text and "y yes" in text)
            await pilot.press("enter")  # no
            await seen(pilot, lambda text: "y yes" not in text)
            assert (runs / "second").is_dir()
            await pilot.press("D")
            await seen(pilot, lambda text: "y yes" in text)
            await pilot.press("y")
            await seen(pilot, lambda text: " 1 run " in text)
            assert not (runs / "second").exists()

    asyncio.run(go())


def test_a_read_only_view_changes_nothing(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs, readonly=True)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await seen(pilot, lambda text: "read-only" in text and "first" in text)
            for key in ("D", "n", "r", "e"):
                await pilot.press(key)
                await seen(pilot, lambda text: "this is a read-only view" in text)
            assert type(app.screen).__name__ == "RunsScreen"

    asyncio.run(go())


def test_a_filter_holds_while_it_is_typed(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("slash", *"name:first")
            await seen(pilot, lambda text: "second" not in text.split("\n", 2)[2])
            await pilot.press("enter", "escape")
            await seen(pilot, lambda text: "second" in text)

    asyncio.run(go())


def test_marked_runs_are_compared(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(120, 40)) as pilot:
            await seen(pilot, lambda text: "first" in text and "second" in text)
            await pilot.press("space", "j", "space", "c")
            await seen(pilot, lambda text: type(app.screen).__name__ == "CompareScreen" and "second" in text)

    asyncio.run(go())


def test_a_run_that_vanishes_or_is_damaged_is_no_end(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(120, 40)) as pilot:
            await seen(pilot, lambda text: "first" in text and "second" in text)
            await pilot.press("enter")
            await seen(pilot, lambda text: "step/loss" in text)
            assert isinstance(app.screen, RunScreen)
            (runs / "second" / "run.json").write_bytes(b"\0garbage [red]")
            await seen(pilot, lambda text: "corrupt" in text)
            shutil.rmtree(runs / "second")
            await pilot.press("2", "4", "1", "escape")
            await seen(pilot, lambda text: " 1 run " in text)

    asyncio.run(go())


def test_names_and_notes_are_shown_harmlessly(runs: Path) -> None:
    (runs / "first").rename(runs / "[red]🦊 wild")
    files.write_json(runs / "second" / "notes.json", {"note": "\x1b[2J[bold]x[/]", "tags": []})

    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(160, 40)) as pilot:
            shown = await seen(pilot, lambda text: "[red]🦊 wild" in text)
            assert "\x1b" not in shown
            await pilot.press("j", "enter")
            await seen(pilot, lambda text: "step/loss" in text)

    asyncio.run(go())


def test_an_empty_place_says_how_to_begin(tmp_path: Path) -> None:
    async def go() -> None:
        app = app_of(tmp_path / "runs")
        async with app.run_test(size=(80, 24)) as pilot:
            await seen(pilot, lambda text: "no run yet" in text and "press n" in text)
            await pilot.press("question_mark")
            await seen(pilot, lambda text: "Choose a preset" in text)

    asyncio.run(go())


def test_resizing_in_storms_is_borne(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(120, 40)) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("enter")
            for width, height in [(200, 60), (20, 5), (60, 20), (1, 1), (300, 100), (80, 24)] * 3:
                await pilot.resize_terminal(width, height)
            await seen(pilot, lambda text: "step/loss" in text)

    asyncio.run(go())


def test_the_palette_finds_what_can_be_done_here(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(100, 30)) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("ctrl+p", *"baseline")
            await seen(pilot, lambda text: "Baseline" in text and "Pin the run" in text)
            await pilot.press("enter")
            await seen(pilot, lambda text: "◆" in text)

    asyncio.run(go())


def test_themes_follow_each_other_and_come_round(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(100, 30)) as pilot:
            await seen(pilot, lambda text: "first" in text)
            had = []
            for _ in range(3):  # under NO_COLOR, where ansi would be drawn black on black
                had.append(app.theme)
                await pilot.press("ctrl+y")
                await seen(pilot, lambda text: "first" in text)
            assert app.theme == had[0] == "textual-dark"
            assert {"textual-light", "high-contrast"} <= set(had)

    asyncio.run(go())


def test_doctor_says_what_works_and_what_mends_the_rest(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [
        {"subject": "cores", "level": "good", "text": "2 cores", "fix": None},
        {"subject": "disk", "level": "bad", "text": "is full [red]", "fix": "delete something"},
    ]

    def answer(title: str, arguments: Any, place: Any, tell: Callable[[Any], object], *more: Any) -> None:
        tell(commands.CommandEnded(title, arguments, 1, json.dumps(findings), ""))

    monkeypatch.setattr(commands, "start", answer)

    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(100, 30)) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("exclamation_mark")
            shown = await seen(pilot, lambda text: "mend it: delete something" in text)
            assert "✓ cores" in shown
            assert "✗ disk       is full [red]" in shown
            await pilot.press("escape")
            await seen(pilot, lambda text: "first" in text)

    asyncio.run(go())


def test_an_unknown_theme_is_a_sentence(runs: Path) -> None:
    async def go() -> None:
        app = SSLTerm(runs, runs.parent / "data", Config(theme="darkish"))
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await seen(pilot, lambda text: "darkish" in text)
            (said,) = [notice.message for notice in app._notifications]
            assert "theme: 'darkish' is not there; there are dark, light, ansi, high-contrast" in said

    asyncio.run(go())
