"""Every screen as it looks: text at four sizes, and the looks of its cells; at 80x24 in light and without colour too.

    SSLTERM_SNAPSHOTS=write python -m pytest tests/tui/test_snapshots.py

writes them anew; what changed then stands in the diff, to be read. Looks are Textual's and change with it: they are
compared where Textual is the version that they were written with; the text is compared everywhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.pilot import Pilot

from sslterm.jobs import devices
from sslterm.runs import files
from sslterm.tui.app import SSLTerm
from sslterm.tui.config import Config
from sslterm.tui.screens import runs_head
from sslterm.tui.themes import PLAIN

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
KEPT = Path(__file__).parent / "snapshots"
WRITE = os.environ.get("SSLTERM_SNAPSHOTS") == "write"
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
THEMED = (80, 24)
"""Of this size every theme is looked at; colours do not depend on it."""
SCREENS = {
    "runs": ("first", "second"), "runs-grouped": ("f",), "help": ("question_mark",), "charts": ("enter",),
    "log": ("enter", "2"), "settings": ("enter", "4"), "checkpoints": ("K",), "evaluation": ("E",),
    "compare": ("asterisk", "c"),
}  # fmt: skip
"""The keys that lead to each from the list."""
GO_BACK = {"runs": (), "runs-grouped": ("f",), "compare": ("escape", "escape")}
"""What leads back to the list as it was, where it is not an escape."""
READY: dict[str, Callable[[str], bool]] = {
    "charts": lambda text: "loss" in text, "checkpoints": lambda text: "verified" in text,
    "evaluation": lambda text: "answers" in text, "compare": lambda text: "vs" in text or "differ" in text,
}  # fmt: skip
RESTS = 0.4
"""Seconds without a change after which a screen is as it is meant to be."""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of one preset, and a world in which it is always the same moment."""
    monkeypatch.chdir(tmp_path)
    runs_dir = Path("runs")  # no path of this machine on a screen
    for name in ("first", "second"):
        shutil.copytree(RECORDED, runs_dir / name)
    said = files.read_json(runs_dir / "second" / "run.json")
    files.write_json(runs_dir / "second" / "run.json", {**said, "created": said["created"] + 60, "seed": 1})
    moment = said["created"] + 3600.0
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr(runs_head, "right", lambda machine, rows: ["12:00"])
    monkeypatch.setattr(devices, "candidates", lambda: [devices.CPU])
    return runs_dir


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.slow
def test_every_screen_looks_as_it_did(size: tuple[int, int], runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    themes = ("dark", "light") if size == THEMED else ("dark",)
    seen = asyncio.run(tour(runs, size, themes))
    if size == THEMED:
        monkeypatch.setenv("NO_COLOR", "1")
        plain = asyncio.run(tour(runs, size, ("dark",)))
        seen |= {(screen, "no colour"): lines for (screen, _), lines in plain.items()}
    wrong = []
    for screen in SCREENS:
        looks = {theme: lines for (where, theme), lines in seen.items() if where == screen}
        wrong += compared(KEPT / f"{screen}-{size[0]}x{size[1]}.txt", looks)
    assert not wrong, "\n\n".join(wrong)


Lines = list[list[Segment]]


async def tour(runs: Path, size: tuple[int, int], themes: Sequence[str]) -> dict[tuple[str, str], Lines]:
    """Each screen in each theme, once it has come to rest; the keys that lead there, and escape until the list."""
    app = SSLTerm(runs, runs.parent / "data", Config(theme="dark"))
    found = {}
    async with app.run_test(size=size) as pilot:
        await rested(pilot, lambda text: "first" in text and "second" in text)
        home = app.screen
        for screen, keys in SCREENS.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            for theme in themes:
                app.use(PLAIN[theme])
                await rested(pilot, READY.get(screen, lambda text: True))
                found[screen, theme] = [list(strip) for strip in app.screen._compositor.render_strips()]
            app.use(PLAIN["dark"])
            for key in GO_BACK.get(screen, ("escape",)):
                await pilot.press(key)
                await pilot.pause()
            assert app.screen is home, screen
    return found


def compared(path: Path, looks: dict[str, Lines]) -> list[str]:
    """What is other than in the file; with WRITE the file is made."""
    texts = {theme: "\n".join("".join(one.text for one in line).rstrip() for line in looks[theme]) for theme in looks}
    if texts["dark"] != texts.get("light", texts["dark"]):
        return [f"{path.name}: a theme changed what is said:\n{texts['dark']}\n{texts['light']}"]
    plain = texts.get("no colour", texts["dark"])
    text = f"== text\n{texts['dark']}\n"
    if plain != texts["dark"]:
        text += f"== text, no colour\n{plain}\n"
    styles = "".join(f"== {theme}\n{described(lines)}\n" for theme, lines in looks.items())
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"textual {version('textual')}\n{text}{styles}", encoding="utf-8")
    made_with, _, rest = path.read_text(encoding="utf-8").partition("\n")
    place = rest.index("== dark\n")
    if text != rest[:place]:
        return [f"{path.name}:\n{text}\n-- instead of\n{rest[:place]}"]
    if made_with == f"textual {version('textual')}" and styles != rest[place:]:
        return [f"{path.name}: looks differ:\n{styles}"]
    return []


async def rested(pilot: Pilot[None], ready: Any) -> None:
    """Wait until the screen is ready, and nothing has changed for a while."""
    before, since = "", time.monotonic()
    until = since + 30
    while time.monotonic() - since < RESTS or not ready(before):
        assert time.monotonic() < until, before
        await pilot.pause(0.05)
        strips = pilot.app.screen._compositor.render_strips()
        text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        if text != before:
            before, since = text, time.monotonic()


def described(lines: Sequence[Sequence[Segment]]) -> str:
    """Looks by letters, then each line as letters with how many cells they cover; lines alike stand together."""
    letters: dict[str, str] = {}
    rows: list[str] = []
    for line in lines:
        pieces: list[tuple[str, int]] = []
        for segment in line:
            look = _look(segment)
            letter = letters.setdefault(look, _letter(len(letters)))
            if pieces and pieces[-1][0] == letter:
                pieces[-1] = (letter, pieces[-1][1] + segment.cell_length)
            else:
                pieces.append((letter, segment.cell_length))
        rows.append(" ".join(f"{letter}{cells}" for letter, cells in pieces if cells))
    legend = [f"{letter}: {look}" for look, letter in letters.items()]
    return "\n".join([*legend, *_together(rows)])


def _look(segment: Segment) -> str:
    style = segment.style
    if style is None:
        return "plain"
    colours = [colour.name if colour else "-" for colour in (style.color, style.bgcolor)]
    traits = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    return " ".join([*colours, *traits])


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"{chr(ord('A') + number // 26 - 1)}{number % 26}."


def _together(rows: Sequence[str]) -> list[str]:
    found: list[tuple[int, int, str]] = []
    for place, row in enumerate(rows):
        if found and found[-1][2] == row:
            found[-1] = (found[-1][0], place, row)
        else:
            found.append((place, place, row))
    return [f"{first}-{last} {row}" if first != last else f"{first} {row}" for first, last, row in found]
