"""The reliability diagram: bars of accuracy, the gap to the diagonal, counts, a bin under the cursor."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App, ComposeResult

from sslterm.tui.widgets.reliability import Bin, Reliability

BINS = [Bin((place + 0.5) / 15, min(1.0, (place + 0.5) / 15 + 0.3), 10 * place) for place in range(15)]


class Alone(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def compose(self) -> ComposeResult:
        yield Reliability()

    def on_reliability_bin_moved(self) -> None:
        self.told += 1


def lines(widget: Reliability) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


def test_bars_gap_counts_and_error_are_shown() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(40, 14)):
            widget = app.query_one(Reliability)
            widget.show(BINS, "ECE .0123")
            shown = lines(widget)
            text = "\n".join(shown)
            assert "ECE .0123" in shown[0]
            assert "▒" in text  # more accurate than confident
            assert "░" not in text.replace("░ too sure", "")
            assert "n │" in text
            assert "confidence" in text
            assert shown[-3].rstrip(" │").endswith("▇") or "█" in shown[-3]  # the last bin has the most
            assert "┤· █" in shown[-4]  # the diagonal, where a bin is empty

            widget.show([Bin(0.9, 0.2, 5)], "")
            assert "░" in "\n".join(lines(widget)[1:-1])

    asyncio.run(go())


def test_the_cursor_begins_where_most_are_and_moves_from_bin_to_bin() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(40, 14)) as pilot:
            widget = app.query_one(Reliability)
            widget.show(BINS)
            assert widget.bin == 14
            widget.move(-3, 0)
            widget.move(0, 5)
            assert widget.bin == 11
            widget.move(-100, 0)
            widget.move(-1, 0)
            assert widget.bin == 0
            widget.last()
            await pilot.pause()
            assert app.told >= 1
            assert "▴" in "\n".join(lines(widget))
            await pilot.click(Reliability, offset=(2 + 4 + 2 * 3, 5))
            assert widget.bin == 3

    asyncio.run(go())


@pytest.mark.parametrize("size", [(1, 1), (9, 3), (12, 6), (30, 5), (200, 60)])
@pytest.mark.parametrize("bins", [[], BINS, BINS * 6, [Bin(0.0, 0.0, 0)] * 15])
def test_any_size_and_any_bins_are_borne(size: tuple[int, int], bins: list[Bin]) -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=size):
            widget = app.query_one(Reliability)
            widget.move(1, 0)
            widget.show(bins)
            widget.move(1, 0)
            widget.first()
            assert all(len(line) == size[0] for line in lines(widget))

    asyncio.run(go())
