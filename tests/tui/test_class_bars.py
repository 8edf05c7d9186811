"""The list of classes: the worst first, or by another column; numbers that nobody knows come last."""

from __future__ import annotations

import asyncio
import math

from textual.app import App, ComposeResult

from sslterm.tui.widgets.class_bars import ClassBars, ClassScore

SCORES = [
    ClassScore("cat", 0.9, 0.3, 0.45, 1000, "dog 14 %"),
    ClassScore("dog", 0.2, 0.8, 0.32, 1000, "cat 9 %"),
    ClassScore("eel", math.nan, math.nan, math.nan, 0),
    ClassScore("fox", 1.0, 1.0, 1.0, 10),
]


class Alone(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.moved: list[int] = []

    def compose(self) -> ComposeResult:
        yield ClassBars()

    def on_class_bars_class_moved(self, message: ClassBars.ClassMoved) -> None:
        self.moved.append(message.place)


def lines(widget: ClassBars) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


def order(widget: ClassBars) -> list[str]:
    return [line.split()[1] for line in lines(widget)[2:6]]


def test_the_worst_is_first_and_other_orders_can_be_had() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(80, 8)):
            widget = app.query_one(ClassBars)
            widget.show(SCORES)
            assert order(widget) == ["dog", "cat", "fox", "eel"]
            assert "worst F1 first" in lines(widget)[0]
            assert "cat 9 %" in lines(widget)[2]
            assert ".200" in lines(widget)[2]
            assert "–" in lines(widget)[5]
            assert widget.sort() == "precision"
            assert order(widget) == ["dog", "cat", "fox", "eel"]
            assert widget.sort() == "recall"
            assert order(widget) == ["cat", "dog", "fox", "eel"]
            assert widget.sort() == "class"
            assert order(widget) == ["cat", "dog", "eel", "fox"]

    asyncio.run(go())


def test_bars_are_as_long_as_the_f1() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(80, 8)):
            widget = app.query_one(ClassBars)
            widget.show(SCORES)
            full = [line.count("━") for line in lines(widget)[2:6]]
            assert full == [*sorted(full[:3]), 0]
            assert "─" not in lines(widget)[4]

    asyncio.run(go())


def test_the_cursor_goes_by_the_order_that_is_shown_and_tells_the_place_in_the_data() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(60, 8)) as pilot:
            widget = app.query_one(ClassBars)
            widget.show(SCORES)
            widget.first()
            await pilot.pause()
            widget.move(0, 1)
            await pilot.pause()
            widget.last()
            await pilot.pause()
            widget.go(3)
            widget.page(-1)
            await pilot.pause()
            assert app.moved == [1, 0, 2, 1]

    asyncio.run(go())


def test_many_classes_scroll_and_any_size_is_borne() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(60, 10)) as pilot:
            widget = app.query_one(ClassBars)
            widget.move(0, 1)
            widget.show([ClassScore("[b]🦊\x1b" + "x" * 2000, n / 100, 0.5, n / 100, n, "y" * 500) for n in range(100)])
            widget.last()
            assert "of 100" in lines(widget)[0]
            assert ".990" in lines(widget)[8]
            assert "\x1b" not in "".join(lines(widget))
            for size in [(1, 1), (8, 3), (20, 5), (200, 60)]:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert all(len(line) <= size[0] for line in lines(widget))

    asyncio.run(go())
