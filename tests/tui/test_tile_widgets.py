"""The widgets of tiles: only what is in sight is drawn; room, theme and sheet may change meanwhile."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from seeing import seen
from textual.app import App, ComposeResult

from sslterm.tui.config import Config
from sslterm.tui.terminal import pictures as terminal_pictures
from sslterm.tui.widgets.tiles import (
    Row,
    Tiles,
    TileStrip,
    rows_of,
)


@pytest.fixture(autouse=True)
def terminal_of_all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


def said_rows(count: int, views: int = 3, side: int = 32) -> list[dict[str, Any]]:
    """Rows as the command says them, each with its tiles on a line of the sheet."""

    def tile(row: int, view: int) -> dict[str, Any]:
        place = {"x": view * side, "y": row * side, "width": side, "height": side}
        return {**place, "caption": f"view {view}", "image": row}

    return [{"caption": f"image {row}", "tiles": [tile(row, view) for view in range(views)]} for row in range(count)]


def make_sheet(path: Path, width: int, height: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return path


def answer(path: Path, **more: Any) -> str:
    return json.dumps({"kind": "views", "title": "Views", "sheet": str(path), "rows": said_rows(2), **more})


class Shown(App[None]):
    """One widget, and what the terminal is told past the screen."""

    def __init__(self, widget: Tiles | TileStrip, pictures: str = "halfcell") -> None:
        super().__init__()
        self.widget, self.likes = widget, Config(pictures=pictures)
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.widget


def sheet_of(said: Sequence[Row]) -> Image.Image:
    tiles = [tile for row in said for tile in row.tiles]
    return Image.new("RGB", (max(t.x + t.width for t in tiles), max(t.y + t.height for t in tiles)), "#204060")


def test_only_what_is_in_sight_is_drawn() -> None:
    said = rows_of(said_rows(400))

    async def go() -> None:
        tiles = Tiles()
        app = Shown(tiles)
        async with app.run_test(size=(80, 24)) as pilot:
            tiles.show(said, sheet_of(said))
            await seen(pilot, lambda text: "image 0" in text and "view 2" in text)
            assert tiles._painting is not None
            drawn = tiles._painting.drawn._strips
            assert len(drawn) == 6
            began = time.monotonic()
            for _ in range(20):
                tiles.move(1)
                await pilot.pause()
            assert time.monotonic() - began < 4
            await seen(pilot, lambda text: "image 20" in text)
            tiles.last()
            await seen(pilot, lambda text: "image 399" in text)
            assert len(drawn) < 80
            tiles.move(-1)
            await seen(pilot, lambda text: "image 398" in text and "image 397" not in text)
            tiles.page(-1)
            await seen(pilot, lambda text: "image 397" in text)
            tiles.first()
            await seen(pilot, lambda text: "image 0" in text)

    asyncio.run(go())


def test_the_same_tiles_stay_in_sight_when_there_is_more_room() -> None:
    said = rows_of(said_rows(60))

    async def go() -> None:
        tiles = Tiles()
        app = Shown(tiles)
        async with app.run_test(size=(80, 24)) as pilot:
            tiles.show(said, sheet_of(said))
            await seen(pilot, lambda text: "image 0" in text)
            tiles.move(6)
            await seen(pilot, lambda text: text.startswith("image 6 "))
            await pilot.resize_terminal(110, 30)
            await seen(pilot, lambda text: text.startswith("image 6 "))
            for width, height in [(200, 60), (20, 5), (1, 1), (60, 20)]:
                await pilot.resize_terminal(width, height)
            await seen(pilot, lambda text: "image " in text)
            tiles.clear()
            await seen(pilot, lambda text: "image" not in text)

    asyncio.run(go())


def test_a_theme_of_sixteen_colours_has_dots_and_no_colour_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said = rows_of(said_rows(2))

    async def go(theme: str, glyphs: str) -> None:
        tiles = Tiles()
        app = Shown(tiles, "auto")
        async with app.run_test(size=(80, 24)) as pilot:
            tiles.show(said, sheet_of(said))
            await seen(pilot, lambda text: "view 2" in text)
            app.theme = theme
            await seen(pilot, lambda text: any(glyph in text for glyph in glyphs))

    braille = "".join(map(chr, range(0x2801, 0x2900)))
    asyncio.run(go("ansi-dark", braille))
    monkeypatch.setenv("NO_COLOR", "1")
    asyncio.run(go("textual-light", braille))


@pytest.mark.parametrize(("pictures", "begins"), [("kitty", "\x1b_G"), ("sixel", "\x1b7\x1b[")])
def test_pixels_go_to_the_terminal_by_way_of_textual(
    monkeypatch: pytest.MonkeyPatch, pictures: str, begins: str
) -> None:
    said = rows_of(said_rows(8))
    for place in (terminal_pictures, sys.modules[Tiles.__module__]):
        monkeypatch.setattr(place, "cell_size", lambda: (8, 16))
    told: list[str] = []

    async def go() -> None:
        tiles = Tiles()
        app = Shown(tiles, pictures)
        async with app.run_test(size=(80, 24)) as pilot:
            driver: Any = app._driver
            monkeypatch.setattr(driver, "write", told.append)
            tiles.show(said, sheet_of(said))
            await seen(pilot, lambda _: any(text.startswith(begins) for text in told))
            tiles.move(1)
            await seen(pilot, lambda text: "image 1" in text)

    asyncio.run(go())
    if pictures == "kitty":  # the terminal forgets each when the screen is left
        sent = {part.split("i=")[1].split(",")[0] for text in told for part in text.split("\x1b_G") if "a=p" in part}
        gone = {text.split("i=")[1].split(",")[0] for text in told if "a=d" in text}
        assert sent == gone
        assert sent


def test_a_strip_is_as_high_as_what_it_shows(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "runs" / "a.png", 96, 256)

    async def go() -> None:
        strip = TileStrip()
        app = Shown(strip)
        async with app.run_test(size=(86, 40)) as pilot:
            await pilot.pause()
            assert strip.size.height == 0
            strip.say("makes the views [b]…")
            await seen(pilot, lambda text: "makes the views [b]…" in text)
            assert strip.size.height == 1
            strip.answer(answer(path, rows=said_rows(8)), tmp_path / "runs")
            await seen(pilot, lambda text: "image 6" in text and "makes" not in text)
            assert strip.size.height == 12
            strip.say("makes others")
            await seen(pilot, lambda text: "makes others" in text and "image 6" in text)
            await pilot.resize_terminal(60, 24)
            await seen(pilot, lambda text: "image 4" in text and "image 5" not in text)
            strip.show(said_rows(1), tmp_path / "gone.png")
            await seen(pilot, lambda text: "the pictures are gone" in text and "image 0" in text)
            strip.answer(answer(path), tmp_path / "others")
            await seen(pilot, lambda text: "lies outside of" in text)
            strip.show([{"caption": 1}], path)
            await seen(pilot, lambda text: "these are no tiles" in text)
            strip.show(said_rows(8), path)
            strip.clear()
            await seen(pilot, lambda text: not text.strip())

    asyncio.run(go())
