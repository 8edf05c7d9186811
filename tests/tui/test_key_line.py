"""The keys at the bottom: whole ones only, the way out always, and a click does what the key does."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from sslterm.tui.widgets.key_line import Key, KeyLine, fitting

KEYS = [Key("n", "New run", "a"), Key("s", "Stop", "b"), Key("?", "Help", "c"), Key("q", "Quit", "d")]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (40, ["New run", "Stop", "Help", "Quit"]),
        (33, ["New run", "Stop", "Help", "Quit"]),
        (32, ["New run", "Help", "Quit"]),
        (25, ["New run", "Help", "Quit"]),
        (20, ["Help", "Quit"]),
        (3, ["Help", "Quit"]),
    ],
)
def test_help_and_the_way_out_have_room_first(width: int, titles: list[str]) -> None:
    assert [key.title for key in fitting(KEYS, width)] == titles


class Plain(Widget, can_focus=True):
    pass


class Other(Widget, can_focus=True):
    BINDINGS = [Binding("x", "screen.ring", "Ring")]  # noqa: RUF012


class Alone(Screen[None]):
    BINDINGS = [Binding("a", "ring", "All"), Binding("h", "ring", "Hidden", show=False)]  # noqa: RUF012
    rings = 0

    def compose(self) -> ComposeResult:
        yield Plain()
        yield Other()
        yield KeyLine()

    def action_ring(self) -> None:
        self.rings += 1


def test_other_keys_are_shown_when_the_focus_brings_them_and_a_click_does_them() -> None:
    async def go() -> None:
        app: App[None] = App()
        async with app.run_test(size=(40, 10)) as pilot:
            screen = Alone()
            await app.push_screen(screen)
            await pilot.pause()
            line = screen.query_one(KeyLine)
            assert str(line.render()).strip() == "a All"
            screen.query_one(Other).focus()
            await pilot.pause()
            await pilot.pause()
            assert sorted(str(line.render()).split("  ")) == ["a All", "x Ring"]
            await pilot.click(KeyLine, offset=(2, 0))
            assert screen.rings == 1

    asyncio.run(go())
