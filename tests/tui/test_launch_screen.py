"""The launch screen over a directory of runs: keys are pressed, the text of the screen is read."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from seeing import seen, text
from textual.pilot import Pilot
from textual.widgets import Input

from sslterm import presets
from sslterm.jobs.devices import CPU, Device
from sslterm.runs import files
from sslterm.tui.app import SSLTerm
from sslterm.tui.commands import CommandEnded
from sslterm.tui.config import Config
from sslterm.tui.looking.machine import Held, Machine, MachineSeen
from sslterm.tui.screens.launch import LaunchScreen, writing
from sslterm.tui.screens.launch.starting import StartEnded
from sslterm.tui.screens.run import RunScreen

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED, tmp_path / "runs" / "recorded")
    return tmp_path / "runs"


Problem = tuple[int, str, str, bool]


@pytest.fixture(autouse=True)
def says(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """What `sslterm check` says. It loads torch for seconds, so that here somebody else answers in its place."""
    problems: list[Problem] = []

    def start(_title: str, _arguments: Any, _place: Any, tell: Callable[[CommandEnded], object], **_: Any) -> None:
        rows = [dict(zip(("line", "key", "text", "warning"), problem, strict=True)) for problem in problems]
        ok = all(row["warning"] for row in rows)
        tell(CommandEnded("check", [], 0 if ok else 2, json.dumps({"ok": ok, "problems": rows}), ""))

    monkeypatch.setattr(writing, "commands", SimpleNamespace(start=start))
    return problems


Do = Callable[[Pilot[None], LaunchScreen], Awaitable[None]]


def on_screen(runs: Path, do: Do, size: tuple[int, int] = (80, 24), weights: Path | None = None) -> None:
    async def go() -> None:
        app = SSLTerm(runs, runs.parent / "data", Config())
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            screen = LaunchScreen(app.house, weights)
            app.push_screen(screen)
            await seen(pilot, lambda text: ("presets" in text and "expected kNN" in text) or "expected not" in text)  # type: ignore[arg-type]
            await do(pilot, screen)  # type: ignore[arg-type]

    asyncio.run(go())


def drafts(runs: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (runs / ".sslterm" / "drafts").glob("*.toml")}


async def until(pilot: Pilot[None], true: Callable[[], Any]) -> None:
    await seen(pilot, lambda _text: bool(true()))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
def test_a_preset_is_chosen_changed_and_judged_beside_its_lines(
    runs: Path, says: list[Problem], size: tuple[int, int]
) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        shown = text(pilot.app)
        assert "quickstart" in shown
        assert "simclr → supervised" in shown
        await seen(pilot, lambda text: "✓ can run" in text)
        await pilot.press("enter")
        says.extend([(24, "views.flip", "5 does not fit", False), (3, "seed", "is odd", True)])
        wrong = screen.editor.text.replace("flip = 0.5", "flip = 5").replace("batch_size = 256", "batch_sise = 256", 1)
        screen.editor.load_text(wrong)
        screen.editor.go_to(wrong.splitlines().index("flip = 5") + 1)
        await seen(pilot, lambda text: "✗ flip = 5   ✗ 5 does not fit" in text)
        await until(pilot, lambda: drafts(runs) == {"quickstart.toml": wrong})
        await until(pilot, lambda: [one.key for one in screen.beneath.found] == ["views.flip", "seed"])
        await pilot.press("ctrl+r")
        await seen(pilot, lambda text: "not started: line 24" in text)
        assert screen.editor.cursor_location[0] == 23

    on_screen(runs, do, size)


def test_where_there_is_little_room_the_list_folds_away_while_one_writes(runs: Path) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        assert screen.shelf.display
        await pilot.press("tab")
        await until(pilot, lambda: screen.editor.has_focus and not screen.shelf.display)
        await pilot.press("escape")
        await until(pilot, lambda: screen.shelf.has_focus and screen.shelf.display)
        await pilot.press(*["tab"] * 7)
        await until(pilot, lambda: screen.shelf.has_focus)
        await pilot.press("escape")
        await seen(pilot, lambda text: "1 run" in text)

    on_screen(runs, do)


def test_leaving_keeps_the_draft_and_lists_it_the_next_time(runs: Path) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        screen.editor.focus()
        await pilot.press(*"# mine", "enter", "escape")
        await seen(pilot, lambda text: "what was changed of quickstart is kept in" in text)
        await until(pilot, lambda: drafts(runs).get("quickstart.toml", "").startswith("# mine\n"))
        again = LaunchScreen(screen.house)
        pilot.app.push_screen(again)
        await until(pilot, lambda: "draft:quickstart" in again.choices)
        again.shelf.focus()
        await pilot.press("end")
        await until(pilot, lambda: again.editor.text.startswith("# mine\n"))
        await seen(pilot, lambda text: "+# mine" in text)

    on_screen(runs, do, (120, 40))


def test_moving_on_in_the_list_keeps_what_was_changed(runs: Path) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        before = screen.editor.text
        screen.editor.load_text("# changed\n" + before)
        await pilot.press("down")
        await until(pilot, lambda: "draft:quickstart" in screen.choices and drafts(runs))
        await pilot.press("up")
        await until(pilot, lambda: screen.editor.text == before)
        screen.editor.load_text("# another\n" + before)
        await until(pilot, lambda: set(drafts(runs)) == {"quickstart.toml", "quickstart-2.toml"})
        screen.editor.load_text(before)
        await until(pilot, lambda: set(drafts(runs)) == {"quickstart.toml"})

    on_screen(runs, do, (120, 40))


def test_the_fields_say_what_the_key_will_do(runs: Path) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        await until(pilot, lambda: screen.form._devices)  # this machine's own; from here on it is another one
        for watch in screen._watches:
            watch.end()
        gpu = Device("cuda:0", "cuda-0")
        screen.form.show_users({"cuda:0": ["moco-a1", "byol-[b]" + "x" * 50]})
        screen.post_message(MachineSeen(Machine((Held(gpu, 2), Held(CPU, 0)))))
        await seen(pilot, lambda text: "ctrl+r starts it on cpu, which is free" in text)
        seeds = screen.query_one("#seeds", Input)
        seeds.value = "0..4"
        await seen(pilot, lambda text: "starts 5 runs, seeds 0..4, one after another" in text)
        seeds.value = "x"
        await seen(pilot, lambda text: "seeds: 'x' does not fit; write 3" in text)
        await pilot.press("ctrl+r")
        assert pilot.app.screen is screen
        seeds.value = ""
        await pilot.press(*["tab"] * 4)
        await pilot.press("enter")
        shown = await seen(pilot, lambda text: "cuda:0: moco-a1, byol-[b]" in text)
        assert "cpu: free" in shown
        await pilot.press("down", "enter", "tab", "tab", "space")
        await seen(pilot, lambda text: "[x] queue" in text and "starts it on cuda:0, after 2 runs" in text)

    on_screen(runs, do, (120, 40))


def test_what_is_refused_is_said_and_the_screen_stays(runs: Path) -> None:
    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        screen.query_one("#name", Input).value = "a/b"
        await pilot.press("ctrl+r", "ctrl+r")
        await seen(pilot, lambda text: "it is starting already" in text)
        await seen(pilot, lambda text: "✗" in text and "a/b" in text.split("ctrl+r")[0].rsplit("✗", 1)[-1])
        assert pilot.app.screen is screen
        assert not screen._starting

    on_screen(runs, do, (120, 40))


def test_a_run_that_was_started_is_shown_and_its_draft_put_away(runs: Path) -> None:
    draft = runs / ".sslterm" / "drafts" / "mine.toml"
    draft.parent.mkdir(parents=True)
    draft.write_text("title = 'x'\n")

    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        screen.post_message(StartEnded(draft, [], 1, "there is no such device"))
        await seen(pilot, lambda text: "✗ there is no such device" in text)
        assert draft.exists()
        screen.post_message(StartEnded(draft, [runs / "recorded"], 1, ""))
        await seen(pilot, lambda text: "✓ finished" in text and "1 charts" in text)
        assert isinstance(pilot.app.screen, RunScreen)
        await until(pilot, lambda: not draft.exists())
        await pilot.press("escape")
        await seen(pilot, lambda text: "1 run" in text and "1 charts" not in text)

    on_screen(runs, do)


def test_fine_tuning_begins_from_a_checkpoint(runs: Path) -> None:
    checkpoint = runs / "recorded" / "checkpoints" / "supervised-0002.pt"

    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        shown = await seen(pilot, lambda text: "fine-tune from recorded, supervised-0002" in text)
        assert "conv4" in shown.split("\n")[2]  # those that the weights fit come first
        assert f'weights = "{checkpoint}"' in screen.editor.text
        assert screen.judged is not None
        await until(pilot, lambda: screen.judged is not None and not screen.judged.difference)
        assert drafts(runs) == {}
        fitting = [path for path in presets.shipped().values() if presets.load(path).encoder.name == "conv4"]
        await pilot.press(*["down"] * len(fitting))
        await seen(pilot, lambda text: "the weights are of conv4" in text)

    on_screen(runs, do, (120, 40), checkpoint)


def test_files_that_cannot_be_written_are_a_sentence(runs: Path) -> None:
    files.write_text(runs / ".sslterm", "no directory")

    async def do(pilot: Pilot[None], screen: LaunchScreen) -> None:
        screen.editor.load_text("# changed\n" + screen.editor.text)
        await seen(pilot, lambda text: "cannot be written" in text and "not checked" in text)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: not screen._starting)

    on_screen(runs, do, (200, 60))
