"""One run on the screen: recorded ones, copied; keys are pressed, the text of the screen is read."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from seeing import seen
from textual.pilot import Pilot

from sslterm.runs import Run, files
from sslterm.tui.app import SSLTerm
from sslterm.tui.config import Config
from sslterm.tui.screens.run import RunScreen

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path / "runs" / "recorded"))


def on_screen(run: Path, do: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    async def go() -> None:
        app = SSLTerm(run.parent, run.parent.parent / "data", Config())
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            app.push_screen(RunScreen(app.house, Run(run)))
            await do(pilot)  # type: ignore[arg-type]

    asyncio.run(go())


def row(path: Path, **said: object) -> None:
    with (path / "metrics" / "0001.jsonl").open("a") as file:
        file.write(json.dumps({"stage": "supervised", "time": 1795437510.0, **said}) + "\n")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
def test_head_charts_and_pages_have_room(run: Path, size: tuple[int, int]) -> None:
    async def do(pilot: Pilot[None]) -> None:
        shown = await seen(pilot, lambda text: "step/loss" in text and "trained to its end" in text)
        assert "recorded  ✓ finished" in shown
        assert "epoch 2/2" in shown
        assert "best" in shown
        assert shown.count("╭") >= (1 if size == (60, 20) else 2)
        assert "1 charts" in shown

    on_screen(run, do, size)


def test_charts_that_do_not_fit_are_scrolled_to(run: Path) -> None:
    async def do(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "step/loss" in text)
        await pilot.press("end")
        await seen(pilot, lambda text: "step/loss" not in text and "images_per_second" in text)
        await pilot.press("home")
        await seen(pilot, lambda text: "step/loss" in text)
        await pilot.press("down")
        await seen(pilot, lambda text: "step/loss" not in text)
        await pilot.press("pageup", "x", "x", "L", "plus", "z", "left", "0")
        await seen(pilot, lambda text: "step/loss" in text and "relative" in text)

    on_screen(run, do)


def test_new_numbers_are_drawn_and_new_metrics_have_charts(run: Path) -> None:
    async def do(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "step/loss" in text)
        row(run, step=60, epoch=3.0, **{"step/loss": 7.77, "step/entropy": 0.5})
        await seen(pilot, lambda text: "step/entropy" in text and "7.77" in text)

    on_screen(run, do, (200, 60))


def test_a_run_without_numbers_says_that_it_waits_or_why_not(run: Path) -> None:
    (run / "metrics" / "0001.jsonl").unlink()

    async def do(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "no numbers were written" in text)
        row(run, step=20, epoch=1.0, **{"step/loss": 1.5})
        await seen(pilot, lambda text: "no numbers" not in text and "step/loss" in text)

    on_screen(run, do)


def test_what_ails_it_is_said_with_a_remedy(run: Path) -> None:
    for epoch in range(3, 6):
        row(run, step=20 * epoch, epoch=float(epoch), **{"health/std": 1e-5, "health/std_healthy": 0.088})

    async def do(pilot: Pilot[None]) -> None:
        shown = await seen(pilot, lambda text: "! supervised collapsed: the spread of z is 1e-05" in text)
        assert "optimizer.lr" in shown

    on_screen(run, do, (120, 40))


def test_the_log_is_searched_and_copied_from(run: Path) -> None:
    async def do(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "trained to its end" in text)
        await pilot.press("n")
        await seen(pilot, lambda text: "nothing is looked for in the log" in text)
        await pilot.press("slash", *"SUPERVISED 2/2")
        await seen(pilot, lambda text: "nowhere" in text)
        await pilot.press(*["backspace"] * 14, *"supervised ")
        await seen(pilot, lambda text: "“supervised ” 2 lines" in text)
        await pilot.press("enter", "N", "y")
        await seen(pilot, lambda text: "1 of 2 lines" in text and "copied the line that was found" in text)
        assert "supervised 1/2" in pilot.app.clipboard
        await pilot.press("escape")
        await seen(pilot, lambda text: "“supervised ”" not in text and "train.log" in text)
        await pilot.press("2")
        await seen(pilot, lambda text: "eval-ffebcc70.log" in text)
        await pilot.press("x")
        await seen(pilot, lambda text: "is for the charts; 1 shows them" in text)
        await pilot.press("escape")
        await seen(pilot, lambda text: "1 run" in text)

    on_screen(run, do, (120, 30))


@pytest.mark.parametrize("size", [(80, 40), (200, 60)])
def test_settings_stand_with_what_it_ran_on(run: Path, size: tuple[int, int]) -> None:
    said = files.read_json(run / "run.json")
    files.write_json(run / "run.json", {**said, "git": {"commit": "0123456789abcdef", "changed": True}})

    async def do(pilot: Pilot[None]) -> None:
        await pilot.press("4")
        await seen(pilot, lambda text: 'title = "Recorded"' in text)
        await pilot.press("y", "end")
        shown = await seen(pilot, lambda text: "2.15.0" in text and "0123456789ab, with uncommitted changes" in text)
        assert "fp32 (the preset says so)" in shown
        assert 'title = "Recorded"' in pilot.app.clipboard

    on_screen(run, do, size)


def test_damage_is_a_sentence(run: Path) -> None:
    files.write_json(run / "env.json", {"attempts": [{"packages": ["x"], "precision": 3, "time": "soon", "argv": 1}]})
    (run / "resolved.toml").write_bytes(b"\xff\x00[bold]")
    (run / "metrics" / "0001.jsonl").write_bytes(b"\0garbage\n")
    shutil.rmtree(run / "logs")

    async def do(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "no numbers were written" in text)
        await pilot.press("4", "2", "2", "slash", "x", "enter", "n", "1")
        await seen(pilot, lambda text: "no numbers were written" in text)
        shutil.rmtree(run)
        await seen(pilot, lambda text: "not there any more" in text)

    on_screen(run, do)
