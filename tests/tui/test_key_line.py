"""The keys at the bottom are built again only where there are others."""

from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets._footer import FooterKey

from sslterm.tui.widgets.key_line import KeyLine


class Plain(Widget, can_focus=True):
    pass


class Other(Widget, can_focus=True):
    BINDINGS = [Binding("x", "app.bell", "Ring")]  # noqa: RUF012


class Alone(App[None]):
    BINDINGS = [Binding("a", "bell", "All")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Plain()
        yield Plain(id="second")
        yield Other()
        yield KeyLine(show_command_palette=False)


def test_focus_that_changes_no_key_builds_nothing() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.pause()
            before = list(app.query(FooterKey))
            assert [key.description for key in before] == ["All"]
            app.query_one("#second").focus()
            await pilot.pause()
            assert list(app.query(FooterKey)) == before
            app.query_one(Other).focus()
            for _ in range(5):
                await pilot.pause()
            assert sorted(key.description for key in app.query(FooterKey)) == ["All", "Ring"]

    asyncio.run(go())
