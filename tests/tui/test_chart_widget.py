"""The chart in an app: what it shows, what it sends again, what keys and mouse do to it, in every theme."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.pilot import Pilot

from sslterm.tui.widgets.chart import Band, LineChart, Palette, Series

X = np.arange(2001.0)
Y = 8 * np.exp(-X / 300) + 0.5
LOSS = Series("moco-a1", X, Y, colour=0)
RISE = Series("byol", X, 6 - Y / 2, colour=1)


class Watched(LineChart):
    """A chart that remembers what it had sent again."""

    def __init__(self, *arguments: Any, **given: Any) -> None:
        super().__init__(*arguments, **given)
        self.refreshed: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, **given: Any) -> Any:
        if hasattr(self, "refreshed"):
            self.refreshed.append(regions)
        return super().refresh(*regions, **given)


class Charts(App[None]):
    """Two charts, one below the other, that share a crosshair."""

    def __init__(self, count: int = 1) -> None:
        super().__init__()
        palette = Palette()
        self.charts = [Watched(f"chart {i}", palette=palette) for i in range(count)]
        self.heard: list[float | None] = []
        self.views: list[tuple[float, float] | None] = []

    def compose(self) -> ComposeResult:
        yield Vertical(*self.charts)

    def on_line_chart_crosshair_moved(self, message: LineChart.CrosshairMoved) -> None:
        self.heard.append(message.x)
        for chart in self.charts:
            if chart is not message.chart:
                chart.show_crosshair(message.x)

    def on_line_chart_view_changed(self, message: LineChart.ViewChanged) -> None:
        self.views.append(message.view)

    def rows(self) -> list[str]:
        """What is on the screen, from the compositor, as a terminal would get it."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


def in_app(
    do: Callable[[Charts, Pilot[None]], Awaitable[None]], size: tuple[int, int] = (60, 12), count: int = 1
) -> None:
    async def run() -> None:
        app = Charts(count)
        async with app.run_test(size=size) as pilot:
            await do(app, pilot)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("size", [(20, 3), (60, 20), (80, 24), (120, 40), (200, 60), (1, 1)])
def test_a_chart_fills_its_place_at_every_size(size: tuple[int, int]) -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        assert len(app.rows()) == size[1]
        app.charts[0].show([LOSS])
        await pilot.pause()
        if size[0] >= 20:
            assert "chart 0" in app.rows()[0]
            assert ".510" in app.rows()[0]
            assert any("⠤" in row or "⣀" in row for row in app.rows())

    in_app(do, size)


def test_nothing_is_said_to_be_nothing_until_there_is_something() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        assert any("no data yet" in row for row in app.rows())
        app.charts[0].show([Series("a", [], [])])
        await pilot.pause()
        assert any("no data yet" in row for row in app.rows())
        app.charts[0].show([LOSS])
        await pilot.pause()
        assert not any("no data yet" in row for row in app.rows())

    in_app(do)


def test_only_lines_that_changed_are_sent_again() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([Series("a", X[:1851], Y[:1851])], live=True)
        await pilot.pause()
        before = app.rows()
        chart.refreshed.clear()
        chart.show([Series("a", X[:1901], Y[:1901])], live=True)
        sent = [region for regions in chart.refreshed for region in regions]
        await pilot.pause()
        assert all(chart.refreshed)  # never all of it
        different = {row for row, (old, new) in enumerate(zip(before, app.rows(), strict=True)) if old != new}
        assert {region.y for region in sent} == different
        assert len(different) <= 3
        assert all(region.height == 1 for region in sent)

    in_app(do, (60, 20))


def test_what_is_on_the_screen_after_many_updates_is_what_a_new_chart_shows() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        old, new = app.charts
        new.title = old.title
        for end in (2, 50, 51, 700, 1500, 1502, 2001):
            old.show([Series("a", X[:end], Y[:end] + np.sin(X[:end]))], live=True)
            await pilot.pause()
        new.show(old.series, live=True)
        await pilot.pause()
        assert app.rows()[:12] == app.rows()[12:]

    in_app(do, (60, 24), count=2)


def test_the_same_again_sends_nothing() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].show([LOSS])
        await pilot.pause()
        app.charts[0].refreshed.clear()
        app.charts[0].show([Series("moco-a1", X, Y, colour=0)])
        assert not app.charts[0].refreshed

    in_app(do)


def test_the_very_same_lines_are_not_drawn_again_even_where_nobody_sees_them() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS], marks=[(1000.0, "probe")])
        await pilot.pause()
        chart.display = False
        await pilot.pause()
        drawn, before = chart._picture, app.rows()
        chart.show([LOSS], marks=[(1000.0, "probe")])
        chart.display = True
        await pilot.pause()
        assert chart._picture is drawn
        assert app.rows() != before
        chart.show([LOSS], marks=[(1500.0, "probe")])
        assert chart._picture is not drawn

    in_app(do)


def test_a_crosshair_is_shared_and_snaps_to_the_nearest_point() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        first, second = app.charts
        first.show([LOSS])
        second.show([Series("knn", [0, 1000, 2000], [0.1, 0.5, 0.8])])
        await pilot.pause()
        first.move_crosshair(-1)
        await pilot.pause()
        assert first.crosshair == 2000
        assert "step 2,000  .510" in app.rows()[0]
        first.move_crosshair(-20)
        await pilot.pause()
        assert (first.crosshair, second.crosshair) == (app.heard[-1], 1000)
        assert app.rows()[12 + 1].count("│") >= 3
        assert "step 1,000  .500" in app.rows()[12]
        assert [(found.name, found.x, found.y) for found in second.point_at(1400)] == [("knn", 1000, 0.5)]
        first.hide_crosshair()
        await pilot.pause()
        assert (app.heard[-1], second.crosshair) == (None, None)
        assert len(app.heard) == 3

    in_app(do, (60, 24), count=2)


def test_a_step_of_the_crosshair_reaches_the_next_point_however_far() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([Series("a", [0, 1000, 2000], [1, 2, 3])])
        await pilot.pause()
        seen = []
        for cells in (-1, -1, -1, -1, 1, 1, 1):
            chart.move_crosshair(cells)
            seen.append(chart.crosshair)
        assert seen == [2000, 1000, 0, 0, 1000, 2000, 2000]

    in_app(do)


def test_zoom_pan_and_reset() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS])
        await pilot.pause()
        whole = app.rows()
        chart.zoom(4)
        await pilot.pause()
        assert chart.view == (750, 1250)
        assert "zoomed" in app.rows()[0]
        chart.pan(0.5)
        chart.pan(-0.25)
        await pilot.pause()
        assert chart.view == (875, 1375)
        chart.move_crosshair(-1)
        chart.zoom(2)
        chart.reset()
        await pilot.pause()
        assert (chart.view, chart.crosshair, app.views[-1]) == (None, None, None)
        assert app.rows() == whole

    in_app(do)


def test_a_crosshair_that_leaves_the_view_takes_it_along() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS])
        await pilot.pause()
        chart.zoom(4)
        chart.move_crosshair(1)
        chart.move_crosshair(5)
        assert chart.view is not None
        assert chart.crosshair is not None
        assert chart.crosshair > 1250
        assert chart.view[0] <= chart.crosshair <= chart.view[1]

    in_app(do)


def test_the_mouse_points_holds_and_zooms() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS])
        await pilot.pause()
        await pilot.hover(chart, offset=(33, 5))
        assert chart.crosshair == pytest.approx(1000, abs=40)
        await pilot.hover(chart, offset=(20, 5))
        here = chart.crosshair
        assert here == pytest.approx(510, abs=40)
        await pilot.click(chart, offset=(40, 5))
        held = chart.crosshair
        await pilot.hover(chart, offset=(20, 5))
        assert chart.crosshair == held != here
        wheel = {"widget": chart, "x": 33, "y": 5, "delta_x": 0, "delta_y": 0, "button": 0}
        wheel |= {"shift": False, "meta": False, "ctrl": False}
        chart.post_message(events.MouseScrollUp(**wheel))
        await pilot.pause()
        assert chart.view is not None
        assert chart.view[1] - chart.view[0] == pytest.approx(1600)
        chart.post_message(events.MouseScrollUp(**{**wheel, "shift": True}))
        chart.post_message(events.MouseScrollDown(**wheel))
        await pilot.pause()
        assert chart.view is None

    in_app(do)


def test_a_held_crosshair_of_nobody_goes_with_the_mouse() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        first, second = app.charts
        first.show([LOSS])
        second.show([LOSS])
        await pilot.pause()
        await pilot.hover(first, offset=(20, 5))
        assert first.crosshair is not None
        await pilot.hover(second, offset=(2, 0))
        await pilot.pause()
        assert first.crosshair is None

    in_app(do, (60, 24), count=2)


def test_what_is_set_is_seen_at_once() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS, RISE])
        await pilot.pause()
        chart.toggle_log()
        chart.toggle_robust()
        chart.set_smoothing(0.9)
        chart.title = "[b]loss[/b]"
        await pilot.pause()
        assert app.rows()[0].startswith("╭ [b]loss[/b]  log y  smooth .9  robust")
        chart.set_smoothing(3)
        assert chart.smoothing == 0.99
        chart.glyphs = "ascii"
        await pilot.pause()
        assert "".join(app.rows()).isascii()
        chart.glyphs = "block"
        await pilot.pause()
        assert "▄" in "".join(app.rows())

    in_app(do, (90, 12))


def test_another_x_axis_forgets_places_on_the_old_one() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        chart = app.charts[0]
        chart.show([LOSS])
        await pilot.pause()
        chart.move_crosshair(-1)
        chart.zoom(4)
        chart.kind = "epoch"
        await pilot.pause()
        assert (chart.view, chart.crosshair) == (None, None)
        assert "epoch ╯" in app.rows()[-1]

    in_app(do)


def test_a_hidden_chart_is_drawn_when_it_is_shown() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].display = False
        await pilot.pause()
        app.charts[0].show([LOSS])
        await pilot.pause()
        app.charts[0].display = True
        await pilot.pause()
        assert ".510" in app.rows()[0]

    in_app(do)


def test_resizing_draws_anew() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].show([LOSS])
        for size in [(120, 40), (60, 20), (21, 4), (5, 2), (200, 60), (60, 12), (61, 12)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert [len(row) for row in app.rows()[:1]] == [size[0]] or size[1] < 5

    in_app(do)


def styles(app: Charts) -> set[tuple[str, str]]:
    """Every pair of colours that is on the screen."""
    return {
        (str(segment.style.color), str(segment.style.bgcolor))
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.style and segment.text.strip()
    }


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light", "nord"])
def test_lines_have_colours_of_their_own_in_every_theme(theme: str) -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.theme = theme
        await pilot.pause()
        chart = app.charts[0]
        chart.smoothing = 0.5
        chart.show([Series(f"run-{i}", X, Y + i, i) for i in range(8)], [Band(X, Y, Y + 1, 2)], live=True)
        chart.move_crosshair(-1)
        await pilot.pause()
        assert len({colour for colour, _ in styles(app)}) >= 9
        assert ("⠒⠒⠒⠒ run-0" in "".join(app.rows())) == theme.startswith("ansi")

    in_app(do, (120, 20))


def test_a_change_of_theme_changes_colours_and_patterns() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].show([LOSS, RISE])
        await pilot.pause()
        coloured, dark = app.rows(), styles(app)
        app.theme = "textual-light"
        await pilot.pause()
        assert app.rows() == coloured
        assert styles(app) != dark
        app.theme = "ansi-dark"
        await pilot.pause()
        assert app.rows() != coloured

    in_app(do)


def test_without_colour_lines_differ_by_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].show([LOSS, RISE, Series("swav", X, Y + 3, 2)])
        await pilot.pause()
        samples = [
            row[row.index(name) - 5 : row.index(name) - 1]
            for name in ("moco-a1", "byol", "swav")
            for row in app.rows()
            if name in row
        ]
        assert samples == ["⠒⠒⠒⠒", "⠒⠒ ⠒", "⠂⠐ ⠂"]

    in_app(do)


def test_keys_are_the_business_of_screens() -> None:
    assert not LineChart.BINDINGS
    assert LineChart.can_focus


def test_the_chart_with_the_focus_shows_it_by_its_frame() -> None:
    async def do(app: Charts, pilot: Pilot[None]) -> None:
        app.charts[0].show([LOSS])
        app.set_focus(None)
        await pilot.pause()
        before, rows = styles(app), app.rows()
        app.charts[0].focus()
        await pilot.pause()
        assert styles(app) != before
        assert app.rows() == rows
        app.set_focus(None)
        await pilot.pause()
        assert styles(app) == before

    in_app(do)
