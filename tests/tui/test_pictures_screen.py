"""The pictures screen over sheets on disk; the command that makes them is replaced by one that answers at once."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image
from seeing import seen
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from sslterm.tui import actions, commands
from sslterm.tui.commands import CommandEnded, Place
from sslterm.tui.config import Config
from sslterm.tui.screens.pictures import PicturesScreen
from sslterm.tui.screens.room import House

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
SIDE = 16


class Command:
    """Stands in for `sslterm pictures`: makes the sheet that it is asked for, or says what it was told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.waiting: list[Callable[[], None]] = []
        self.holds = False
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.counts = {"views": 8, "mistakes": 24, "neighbours": 4, "painted": 2}
        self.caption = "image {}"

    def __call__(
        self, title: str, arguments: Sequence[str], place: Place, tell: Callable[[Any], object], data: bool = False
    ) -> None:
        assert data == (arguments[1] != "painted")
        self.asked.append(tuple(arguments))
        code, out, err = self.answers.get(arguments[1]) or (0, self.made(arguments[1], place.runs_dir), "")
        self.waiting.append(lambda: tell(CommandEnded(title, arguments, code, out, err)))
        if not self.holds:
            self.release()

    def release(self) -> None:
        for answer in self.waiting:
            answer()
        self.waiting.clear()

    def made(self, kind: str, runs_dir: Path) -> str:
        count = self.counts[kind]
        path = runs_dir / "one" / "pictures" / f"{kind}-0123456789.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        across = {"views": 3, "mistakes": 1, "neighbours": 7, "painted": 8}[kind]
        Image.new("RGB", (SIDE * across, SIDE * max(count, 1)), "#806040").save(path)
        said = {
            "views": lambda row, i: (["original", "view 1", "view 2"][i], None),
            "mistakes": lambda row, i: (f"cat -> dog {99 - row} %", False),
            "painted": lambda row, i: ("", None),
            "neighbours": lambda row, i: (f"frog 0.{90 - i}" if i else "frog", bool(i % 2) if i else None),
        }[kind]
        rows = [
            {
                "caption": "" if kind == "mistakes" else self.caption.format(row),
                "tiles": [
                    {"x": i * SIDE, "y": row * SIDE, "width": SIDE, "height": SIDE, "image": row}
                    | dict(zip(("caption", "right"), said(row, i), strict=True))
                    for i in range(across)
                ],
            }
            for row in range(count)
        ]
        return json.dumps({"kind": kind, "title": f"all the {kind}", "sheet": str(path), "rows": rows})


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    fake = Command()
    monkeypatch.setattr(commands, "start", fake)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return fake


class Opened(App[None]):
    """An app that shows pictures, and nothing else."""

    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-short"), (30, "-tall")]

    def __init__(self, runs_dir: Path, of: Path, *more: Any) -> None:
        super().__init__()
        self.likes = Config(pictures="ascii")
        house = House(Place(runs_dir, runs_dir.parent / "data"), actions.ACTIONS, lambda name: None)
        self.pictures = PicturesScreen(house, of, *more)

    def on_mount(self) -> None:
        self.push_screen(Screen())
        self.push_screen(self.pictures)


def opened(runs_dir: Path, size: tuple[int, int], check: Any, of: str = "one", more: tuple[Any, ...] = ()) -> None:
    async def go() -> None:
        app = Opened(runs_dir, runs_dir / of, *more)
        async with app.run_test(size=size, notifications=True) as pilot:
            await check(pilot)

    asyncio.run(go())


@pytest.mark.parametrize("size", SIZES)
def test_each_kind_is_shown_with_its_title_and_captions(
    runs_dir: Path, command: Command, size: tuple[int, int]
) -> None:
    async def check(pilot: Pilot[None]) -> None:
        shown = await seen(pilot, lambda text: "view 2" in text)
        assert "all the views" in shown
        assert "image 0" in shown
        await pilot.press("m")
        await seen(pilot, lambda text: "✗ cat -> dog 99" in text and "of 24" in text)
        await pilot.press("n")
        shown = await seen(pilot, lambda text: "all the neighbours" in text)
        assert "✓ frog 0.89" in shown
        assert "✗ frog 0.88" in shown
        await pilot.press("p")
        await seen(pilot, lambda text: "all the painted" in text and "image 0" in text)
        assert len(command.asked) == 4
        await pilot.press("v")  # made once, kept
        await seen(pilot, lambda text: "view 2" in text)
        assert len(command.asked) == 4

    opened(runs_dir, size, check)
    assert command.asked[0] == ("pictures", "views", str(runs_dir / "one"), "--json")


def test_lines_of_tiles_scroll_one_by_one(runs_dir: Path, command: Command) -> None:
    async def check(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "1 of 8" in text)
        for keys, place in (("j", "2 of 8"), ("jj", "4 of 8"), ("k", "3 of 8"), ("g", "1 of 8"), ("G", "8 of 8")):
            await pilot.press(*keys)
            await seen(pilot, lambda text, place=place: place in text)
        await pilot.press("ctrl+u")
        await seen(pilot, lambda text: "7 of 8" in text)
        await pilot.press("home", "ctrl+d")
        await seen(pilot, lambda text: "2 of 8" in text)
        await pilot.press("up", "up", "down")
        await seen(pilot, lambda text: "2 of 8" in text)

    opened(runs_dir, (80, 24), check)


def seconds(shown: str) -> int:
    """How long the screen says that the views have been in the making."""
    said = re.search(r"… makes the views, (\d+)s", shown)
    assert said, shown
    return int(said[1])


def test_what_is_being_made_is_said_and_the_old_keeps_standing(runs_dir: Path, command: Command) -> None:
    command.holds = True

    async def check(pilot: Pilot[None]) -> None:
        began = seconds(await seen(pilot, lambda text: "… makes the views, " in text))
        await seen(pilot, lambda text: seconds(text) > began)
        await pilot.press("r")
        await seen(pilot, lambda text: "they are being made just now" in text)
        command.release()
        await seen(pilot, lambda text: "image 0" in text and "makes the views" not in text)
        command.caption = "picture {}"
        await pilot.press("r")
        await seen(pilot, lambda text: "makes the views" in text and "image 0" in text)
        command.release()
        await seen(pilot, lambda text: "picture 0" in text and "makes the views" not in text)
        command.answers["views"] = (1, "", "there is no room on the disk")
        await pilot.press("r")
        command.release()
        await seen(pilot, lambda text: "✗ there is no room on the disk" in text and "picture 0" in text)

    opened(runs_dir, (80, 24), check)
    assert len(command.asked) == 3


def test_other_kinds_can_be_looked_at_while_one_is_made(runs_dir: Path, command: Command) -> None:
    command.holds = True

    async def check(pilot: Pilot[None]) -> None:
        await pilot.press("m")
        await seen(pilot, lambda text: "… looks for mistakes" in text)
        command.release()
        await pilot.press("v")
        await seen(pilot, lambda text: "image 0" in text)

    opened(runs_dir, (80, 24), check)


def test_what_the_command_cannot_do_is_a_sentence_with_what_to_press(runs_dir: Path, command: Command) -> None:
    command.answers["mistakes"] = (3, "", "one: nobody has evaluated it; evaluate it with: sslterm eval one")
    command.answers["neighbours"] = (3, "", "[red]one\x1b[2J: no checkpoint")

    async def check(pilot: Pilot[None]) -> None:
        await pilot.press("m")
        shown = await seen(pilot, lambda text: "nobody has evaluated it" in text)
        assert "e evaluates it" in shown
        await pilot.press("n")
        await seen(pilot, lambda text: "✗ [red]one�[2J: no checkpoint" in text and "evaluates" not in text)

    opened(runs_dir, (80, 24), check)


def test_a_sheet_that_vanished_or_is_damaged_or_elsewhere_is_a_sentence(runs_dir: Path, command: Command) -> None:
    gone = command.made("views", runs_dir)
    sheet = Path(json.loads(gone)["sheet"])
    elsewhere = gone.replace(str(sheet), str(runs_dir.parent / "private.png"))

    async def check(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "image 0" in text)
        for out, spoil, why in (
            (gone, sheet.unlink, "are gone"),
            (gone, lambda: sheet.write_bytes(b"\x89PNG\r\n\x1a\n"), "is no PNG"),
            (elsewhere, lambda: None, "lies outside"),
            ("{}", lambda: None, "is no answer"),
        ):
            command.answers["views"] = (0, out, "")
            spoil()
            await pilot.press("r")
            await seen(pilot, lambda text, why=why: why in " ".join(text.split()) and "image 0" in text)

    opened(runs_dir, (80, 24), check)


def test_nothing_found_is_said(runs_dir: Path, command: Command) -> None:
    command.counts["mistakes"] = 0

    async def check(pilot: Pilot[None]) -> None:
        await pilot.press("m")
        await seen(pilot, lambda text: "there are none" in text)

    opened(runs_dir, (60, 20), check)


def test_a_preset_has_views_only(runs_dir: Path, command: Command) -> None:
    async def check(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "image 0" in text and "mine" in text)
        await pilot.press("m")
        await seen(pilot, lambda text: "Mistakes: needs a run" in text)
        await pilot.press("n")
        await seen(pilot, lambda text: "Neighbours: needs a run" in text)

    opened(runs_dir, (80, 24), check, ".sslterm/drafts/mine.toml")
    assert [asked[1] for asked in command.asked] == ["views"]


def test_options_go_with_the_kind_they_were_meant_for(runs_dir: Path, command: Command) -> None:
    async def check(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "cat -> dog" in text)
        await pilot.press("n", "v")
        await seen(pilot, lambda text: "view 2" in text)

    options = ("--truth", "cat", "--guess", "dog", "--checkpoint", "epoch-0040")
    opened(runs_dir, (80, 24), check, more=("mistakes", options))
    assert [asked[3:-1] for asked in command.asked] == [options, ("--checkpoint", "epoch-0040"), ()]


def test_wild_names_and_sizes_are_borne(runs_dir: Path, command: Command) -> None:
    command.caption = "[bold]🦊 {}\x1b[2J" + "x" * 2000

    async def check(pilot: Pilot[None]) -> None:
        shown = await seen(pilot, lambda text: "[bold]🦊 0�[2Jx" in text)
        assert "\x1b" not in shown
        for width, height in [(200, 60), (20, 5), (1, 1), (300, 100), (80, 24)] * 2:
            await pilot.resize_terminal(width, height)
        await seen(pilot, lambda text: "[bold]🦊 0" in text)
        command.holds = True
        await pilot.press("r", "escape")  # leaves while they are made
        command.release()
        await seen(pilot, lambda text: not text.strip())

    opened(runs_dir, (80, 24), check)


def test_hundreds_of_tiles_do_not_slow_it(runs_dir: Path, command: Command) -> None:
    command.counts["mistakes"] = 200

    async def check(pilot: Pilot[None]) -> None:
        await seen(pilot, lambda text: "cat -> dog" in text)
        began = time.monotonic()
        await pilot.press(*"jjjjjjjjGkg")
        await seen(pilot, lambda text: "1–" in text)
        assert time.monotonic() - began < 5

    opened(runs_dir, (120, 40), check, more=("mistakes",))
