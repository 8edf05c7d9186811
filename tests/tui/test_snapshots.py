"""Every screen as it looks: text at four sizes, and the looks of its cells in dark, light and without colour.

    SSLTERM_SNAPSHOTS=write python -m pytest tests/tui/test_snapshots.py

writes them anew; what changed then stands in the diff, to be read. Looks are Textual's and change with it: they are
compared where Textual is the version that they were written with; the text is compared everywhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
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

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
KEPT = Path(__file__).parent / "snapshots"
WRITE = os.environ.get("SSLTERM_SNAPSHOTS") == "write"
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
THEMES = ("dark", "light", "no colour")
SCREENS = {
    "runs": ("first", "second"), "runs-grouped": ("f",), "help": ("question_mark",), "charts": ("enter",),
    "log": ("enter", "2"), "settings": ("enter", "4"), "checkpoints": ("K",), "evaluation": ("E",),
    "compare": ("asterisk", "c"),
}  # fmt: skip
"""The keys that lead to each from the list."""
RESTS = 1.0
"""Seconds without a change after which a screen is as it is meant to be."""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of one preset, and a world in which it is always the same moment."""
    runs_dir = tmp_path / "runs"
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
@pytest.mark.parametrize("screen", SCREENS)
def test_it_looks_as_it_did(screen: str, size: tuple[int, int], runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {}
    texts = {}
    for theme in THEMES:
        monkeypatch.setenv("NO_COLOR", "1")
        if theme != "no colour":
            monkeypatch.delenv("NO_COLOR")
        lines = asyncio.run(shown(runs, SCREENS[screen], size, "light" if theme == "light" else "dark"))
        texts[theme] = "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)
        looks[theme] = described(lines)
    assert texts["dark"] == texts["light"], "a theme changed what is said"

    path = KEPT / f"{screen}-{size[0]}x{size[1]}.txt"
    plain = "" if texts["no colour"] == texts["dark"] else f"== text, no colour\n{texts['no colour']}\n"
    text = f"== text\n{texts['dark']}\n{plain}"
    styles = "".join(f"== {theme}\n{looks[theme]}\n" for theme in THEMES)
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"textual {version('textual')}\n{text}{styles}", encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    made_with, _, rest = kept.partition("\n")
    assert text == rest[: rest.index("== dark\n")]
    if made_with == f"textual {version('textual')}":
        assert styles == rest[rest.index("== dark\n") :]


async def shown(runs: Path, keys: Sequence[str], size: tuple[int, int], theme: str) -> list[list[Segment]]:
    """The lines of the screen that keys lead to, once it has come to rest."""
    app = SSLTerm(runs, runs.parent / "data", Config(theme=theme))
    async with app.run_test(size=size) as pilot:
        await rested(pilot, lambda text: "first" in text and "second" in text)
        for key in keys if keys != SCREENS["runs"] else ():
            await pilot.press(key)
        await rested(pilot, lambda text: "…" not in text.splitlines()[-1])
        return [list(strip) for strip in app.screen._compositor.render_strips()]


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
