"""The log on the screen: follows until one looks back, finds text, and stands still while one reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from sslterm.tui.widgets.log_page import LogPage
from sslterm.tui.widgets.log_view import MOST, LogView

LINES = [f"2026-11-23 15:03:{n % 60:02} line {n}" for n in range(100)]


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield LogPage()


def text(app: App[Any]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def with_page(do: Callable[[Pilot[None], LogPage], Awaitable[None]], size: tuple[int, int] = (60, 12)) -> None:
    async def go() -> None:
        async with Shown().run_test(size=size) as pilot:
            page = pilot.app.query_one(LogPage)
            page.about("train.log", 0)
            page.view.focus()
            await pilot.pause()
            await do(pilot, page)

    asyncio.run(go())


def test_it_follows_until_one_looks_back_and_again_from_the_end_on() -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend(LINES, afresh=True)
        await pilot.pause()
        assert "train.log · 100 lines · following" in text(pilot.app)[0]
        assert "line 99" in text(pilot.app)[-1]
        await pilot.press("up")
        page.view.extend(["line new", "line newer"])
        await pilot.pause()
        assert "paused, 2 new: G follows" in text(pilot.app)[0]
        assert "line 98" in text(pilot.app)[-1]
        await pilot.press("G")
        await pilot.pause()
        assert "following" in text(pilot.app)[0]
        page.view.extend(["the last"])
        await pilot.pause()
        assert "the last" in text(pilot.app)[-1]
        await pilot.press("g")
        await pilot.pause()
        assert "line 0" in text(pilot.app)[1]
        await pilot.press("ctrl+d")
        await pilot.pause()
        assert "line 0" not in text(pilot.app)[1]

    with_page(do)


def test_what_is_read_stands_still_while_old_lines_go() -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend([f"line {n}" for n in range(MOST)], afresh=True)
        await pilot.pause()
        await pilot.press("ctrl+u")
        await pilot.pause()
        before = [line[:50] for line in text(pilot.app)[1:]]
        page.view.extend([f"more {n}" for n in range(500)])
        await pilot.pause()
        assert [line[:50] for line in text(pilot.app)[1:]] == before
        assert len(page.view.lines) == MOST

    with_page(do)


def test_text_is_found_counted_and_gone_through() -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend(LINES, afresh=True)
        await pilot.pause()
        page.search()
        await pilot.press(*"Line 3")
        await pilot.pause()
        assert "“Line 3” nowhere" in text(pilot.app)[0]
        page.leave_search()
        page.search()
        await pilot.press(*"line 3")
        await pilot.pause()
        assert "“line 3” 11 lines" in text(pilot.app)[0]
        await pilot.press("enter")
        await pilot.pause()
        assert "11 of 11" in text(pilot.app)[0]
        assert page.view.matched_line == LINES[39]
        page.view.go_to_match(+1)
        assert page.view.matched_line == LINES[3]  # round and round
        page.view.go_to_match(-1)
        page.view.go_to_match(-1)
        await pilot.pause()
        assert page.view.matched_line == LINES[38]
        assert "10 of 11" in text(pilot.app)[0]
        page.view.extend(["line 3 again"])
        await pilot.pause()
        assert "10 of 12" in text(pilot.app)[0]
        assert page.leave_search()
        assert not page.view.searching
        assert not page.leave_search()

    with_page(do, (100, 12))


def test_matches_go_with_the_lines_that_go() -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend(["needle", *["hay"] * (MOST - 1)], afresh=True)
        page.view.search("needle")
        assert page.view.go_to_match(+1)
        page.view.extend(["hay"])
        assert page.view.matches == []
        assert page.view.matched_line is None
        assert not page.view.go_to_match(+1)

    with_page(do)


@pytest.mark.parametrize("size", [(60, 12), (1, 1), (20, 3), (200, 60)])
def test_any_size_shows_any_line(size: tuple[int, int]) -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend(["[red]x[/]", "🦊 " * 50, "x" * 2000, "", "Traceback (most recent call last):"], afresh=True)
        page.view.search("🦊")
        page.view.go_to_match(1)
        await pilot.pause()
        if size[1] > 6:
            assert any("[red]x[/]" in line for line in text(pilot.app))
        assert all(len(line) <= size[0] for line in text(pilot.app))

    with_page(do, size)


def test_a_log_of_another_file_begins_anew() -> None:
    async def do(pilot: Pilot[None], page: LogPage) -> None:
        page.view.extend(LINES, afresh=True)
        page.view.extend(["the only line"], afresh=True)
        await pilot.pause()
        assert "1 line " in text(pilot.app)[0]
        assert isinstance(pilot.app.focused, LogView)
        assert "the only line" in text(pilot.app)[1]

    with_page(do)
