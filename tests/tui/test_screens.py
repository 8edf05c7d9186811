"""The screens over real run directories: recorded ones, copied; keys are pressed, the text of the screen is read."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sslterm.runs import files
from sslterm.tui.app import SSLTerm
from sslterm.tui.config import Config
from sslterm.tui.screens.compare import differences
from sslterm.tui.screens.launch import LaunchScreen, _seeds
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


def text(app: SSLTerm) -> str:
    """What is on the screen, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


async def seen(pilot: Pilot[None], true: Callable[[str], bool]) -> str:
    """The screen, as soon as it is as it should be."""
    until = time.monotonic() + 20
    while True:
        await pilot.pause()
        shown = text(pilot.app)  # type: ignore[arg-type]
        if true(shown):
            return shown
        assert time.monotonic() < until, shown
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("size", SIZES)
def test_the_list_shows_runs_and_opens_one_and_its_pages(runs: Path, size: tuple[int, int]) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=size) as pilot:
            shown = await seen(pilot, lambda text: "first" in text and "second" in text)
            assert "2 runs" in shown
            assert "✓ finished" in shown
            assert shown.index("second") < shown.index("first")  # the newest first
            await pilot.press("enter")
            await seen(pilot, lambda text: "trained to its end" in text and "step/loss" in text)
            await pilot.press("2")
            await seen(pilot, lambda text: "supervised 2/2 · loss" in text)
            await pilot.press("4")
            await seen(pilot, lambda text: 'title = "Recorded"' in text)
            await pilot.press("4")
            await seen(pilot, lambda text: "supervised-0002.pt" in text)
            await pilot.press("5")
            await seen(pilot, lambda text: "head" in text and "flip" in text)
            await pilot.press("1", "x", "L", "plus", "z", "right", "left", "0", "escape")
            await seen(pilot, lambda text: "2 runs" in text)

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
            await seen(pilot, lambda text: "valid/top1" in text and "all settings are the same" in text)

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
            await pilot.press("2", "3", "4", "5", "1", "escape")
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


def test_a_preset_is_judged_while_it_is_written(runs: Path) -> None:
    async def go() -> None:
        app = app_of(runs)
        async with app.run_test(size=(120, 40)) as pilot:
            await seen(pilot, lambda text: "first" in text)
            await pilot.press("n")
            await seen(pilot, lambda text: "Quickstart: SimCLR on drawn shapes" in text and "kNN 0.907" in text)
            assert isinstance(app.screen, LaunchScreen)
            from textual.widgets import TextArea

            area = app.screen.query_one(TextArea)
            area.load_text(area.text.replace("batch_size = 256", "batch_sise = 256"))
            await seen(pilot, lambda text: "did you mean batch_size?" in text and "-batch_size = 256" in text)
            await pilot.press("escape")
            await seen(pilot, lambda text: "2 runs" in text)

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


@pytest.mark.parametrize(("said", "meant"), [("", []), ("3", [3]), ("0..4", [0, 1, 2, 3, 4]), ("1 2,5", [1, 2, 5])])
def test_seeds_are_read(said: str, meant: list[int]) -> None:
    assert _seeds(said) == meant


@pytest.mark.parametrize("said", ["x", "4..0", "-1", "0..1000", "1..x"])
def test_wrong_seeds_are_a_sentence(said: str) -> None:
    with pytest.raises(ValueError, match="does not fit; write 3"):
        _seeds(said)


def test_only_settings_that_differ_are_shown() -> None:
    text = differences({"a": {"lr": 0.1, "seed": 0, "x": 1}, "b": {"lr": 0.1, "seed": 1}})
    assert "lr" not in text
    assert [line.split() for line in text.splitlines()] == [["setting", "a", "b"], ["seed", "0", "1"], ["x", "1"]]
