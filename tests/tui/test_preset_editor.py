"""The editor: TOML in colours, and what is wrong with a line behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from sslterm.tui.reckoning.toml_look import parts
from sslterm.tui.widgets.preset_editor import PresetEditor, Remark


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# a = 1", [("comment", "# a = 1")]),
        ("[data]", [("table", "[data]")]),
        ("[[stage]]  # first", [("table", "[[stage]]"), ("comment", "# first")]),
        ('name = "a # b"  # c', [("key", "name"), ("text", '"a # b"'), ("comment", "# c")]),
        ("area = [0.6, 1]", [("key", "area"), ("number", "0.6"), ("number", "1")]),
        ("x.y = 3e-3", [("key", "x.y"), ("number", "3e-3")]),
        ('m = { lr = true, n = "x" }', [("key", "m"), ("key", "lr"), ("word", "true"), ("key", "n"), ("text", '"x"')]),
        ('title = "open', [("key", "title"), ("text", '"open')]),
        ("a1b2", []),
        ("", []),
    ],
)
def test_a_line_has_parts(line: str, found: list[tuple[str, str]]) -> None:
    assert [(part.kind, line[part.start : part.end]) for part in parts(line)] == found


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield PresetEditor()


def lines(app: App[Any]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def with_editor(do: Callable[[Pilot[None], PresetEditor], Awaitable[None]], size: tuple[int, int] = (60, 10)) -> None:
    async def go() -> None:
        async with Shown().run_test(size=size) as pilot:
            editor = pilot.app.query_one(PresetEditor)
            editor.load_text('title = "x"\nlearning_rate = 3\nanything = ' + "1" * 60 + "\n")
            editor.focus()
            await pilot.pause()
            await do(pilot, editor)

    asyncio.run(go())


def test_what_is_wrong_stands_behind_its_line_cut_to_the_room() -> None:
    async def do(pilot: Pilot[None], editor: PresetEditor) -> None:
        editor.mark({2: Remark("no such setting; did you mean lr? [b]" + "x" * 90), 3: Remark("long")}, changed={1, 2})
        await pilot.pause()
        shown = lines(pilot.app)
        assert '1▎ title = "x"' in shown[1]
        assert "2✗ learning_rate = 3   ✗ no such setting; did you me" in shown[2]
        assert "…" in shown[2]
        assert "3✗" in shown[3]
        assert "long" not in shown[3]  # there is no room behind it
        editor.mark({2: Remark("may be meant", warning=True)})
        await pilot.pause()
        assert "2! learning_rate = 3   ! may be meant" in lines(pilot.app)[2]

    with_editor(do)


def test_a_remark_goes_as_soon_as_lines_move() -> None:
    async def do(pilot: Pilot[None], editor: PresetEditor) -> None:
        editor.mark({2: Remark("is wrong")})
        await pilot.pause()
        assert "is wrong" in lines(pilot.app)[2]
        await pilot.press("enter")
        await pilot.pause()
        assert not any("is wrong" in line for line in lines(pilot.app))

    with_editor(do)


def test_the_cursor_goes_to_a_line_even_beyond_the_end() -> None:
    async def do(pilot: Pilot[None], editor: PresetEditor) -> None:
        editor.go_to(2)
        assert editor.cursor_location == (1, 0)
        editor.go_to(99)
        assert editor.cursor_location[0] == 3
        editor.mark({99: Remark("nowhere")})
        await pilot.pause()

    with_editor(do)


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (30, 5)])
def test_any_size_has_room(size: tuple[int, int]) -> None:
    async def do(pilot: Pilot[None], editor: PresetEditor) -> None:
        editor.mark({1: Remark("wrong " * 40), 2: Remark("🦊" * 40)}, changed={1})
        await pilot.press("end", "down", "right")
        await pilot.pause()
        assert all(len(line) <= size[0] for line in lines(pilot.app))

    with_editor(do, size)
