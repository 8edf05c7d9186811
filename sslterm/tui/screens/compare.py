"""Several runs laid over each other: which is better, and what was different?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sslterm.runs.state import ALIVE
from sslterm.tui.looking.comparing import CHARTS, STEPS, Comparing, RunsCompared
from sslterm.tui.looking.watch import LookFailed, Watch
from sslterm.tui.reckoning import apart, axes, side_by_side
from sslterm.tui.reckoning.apart import differences
from sslterm.tui.reckoning.side_by_side import Side, Sight
from sslterm.tui.screens.charts import ChartRoom
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.chart import Band, LineChart, Palette, Series, mean_and_band
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.run_table.cells import clean
from sslterm.tui.widgets.top_line import TopLine
from sslterm.tui.widgets.verdict_table import VerdictTable

__all__ = ["CompareScreen", "differences"]

COLUMNS = ((160, 3), (100, 2), (0, 1))
"""From which width on there are how many charts beside each other."""
LEAST, MOST = 8, 18
"""Lines that a chart is high."""


class CompareScreen(ChartRoom):
    """The marked runs over each other, and what each reached beside the baseline: the pinned run, or the first. Runs
    that differ in their seed only are one line, their mean, in a band of one standard deviation. Below: the settings
    that differ, and more charts; page down goes there."""

    name_in_registry: ClassVar[str] = "compare"
    CSS = """
    CompareScreen #trouble { height: auto; max-height: 3; padding: 0 1; color: $text-error; text-style: bold;
        display: none; }
    CompareScreen #trouble.on { display: block; }
    CompareScreen #page { height: 1fr; scrollbar-size-vertical: 1; }
    CompareScreen Grid { height: auto; grid-gutter: 0 1; }
    CompareScreen LineChart { display: none; height: 100%; min-height: 1; }
    CompareScreen LineChart.-shown { display: block; }
    CompareScreen VerdictTable { padding: 0 1; margin: 1 0; }
    CompareScreen #settings { padding: 0 1; height: auto; margin-bottom: 1; }
    """

    def __init__(self, house: House, rows: Sequence[dict[str, Any]], baseline: str | None = None) -> None:
        super().__init__(house)
        self.baseline = baseline
        self.palette = Palette()
        self.sights: Sequence[Sight] = ()
        self.sides: Sequence[Side] = ()
        self.count, self.settings = len(rows), ""
        self.watch_runs = Watch(Comparing(rows), self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield TopLine(id="head")
        yield Static(id="trouble", markup=False)
        with VerticalScroll(id="page"):
            with Grid(id="first"):
                for _ in range(COLUMNS[0][1]):
                    yield LineChart(kind="epoch", palette=self.palette)
            yield VerdictTable()
            yield Static("reads the runs …", id="settings", markup=False)
            with Grid(id="more"):
                for _ in CHARTS:
                    yield LineChart(kind="epoch", palette=self.palette)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#page").focus()
        self.watch_runs.start()
        self._show_head()

    def on_unmount(self) -> None:
        self.watch_runs.end()

    # -------------------------------------------------------- what is seen

    def on_runs_compared(self, message: RunsCompared) -> None:
        """One of them is other than it was."""
        self.sights = message.sights
        self.sides = side_by_side.sides(self.sights, self.baseline)
        self._show_head()
        self._show_trouble()
        self.draw_charts()
        self.query_one(VerdictTable).show(self.sides, side_by_side.metrics(self.sights))
        self._show_settings()

    def on_look_failed(self, message: LookFailed) -> None:
        """What is shown may be old."""
        self.tell(message.sentence, "error")

    def _show_head(self) -> None:
        pinned = next((side for side in self.sides if side.baseline), None)
        words: list[Any] = [("compare", "bold"), f"  {self.count} runs"]
        if pinned:
            words += [("   ◆ ", "bold $text-primary"), clean(pinned.name, 30)[:30]]
        smoothing = [f"smoothing {self.smoothing:g}"] if self.smoothing else []
        right = "   ".join([*smoothing, f"x: {self.x_axis}"])
        self.query_one(TopLine).show([Content.assemble(*words), Content.assemble(*words[:2])], [right])

    def _show_trouble(self) -> None:
        gone = [sight.row["name"] for sight in self.sights if sight.gone]
        trouble = self.query_one("#trouble", Static)
        trouble.set_class(bool(gone), "on")
        trouble.update(f"! gone: {clean(', '.join(gone), 60)[:60]}; what is shown is how it was last seen")

    def draw_charts(self) -> None:
        """Each metric of all runs in one chart: as many as there is room for on top, the others below."""
        there = {name for sight in self.sights for name in sight.curves}
        names = [name for name in (*CHARTS, STEPS) if name in there]
        first = self._columns
        on_top, below = self.query("#first LineChart"), self.query("#more LineChart")
        slots = [*on_top[:first], *below]
        shown = dict(zip(slots, names, strict=False))
        live = any(sight.row["state"] in ALIVE for sight in self.sights)
        for chart in self.query(LineChart):
            name = shown.get(chart, "")
            chart.set_class(bool(name), "-shown")
            lines, bands = self._lines(name) if name else ([], [])
            chart.title = f"{name}  mean ± std" if bands else name
            chart.show(lines, bands, live=live)
        self._fit(len(names))

    def _lines(self, name: str) -> tuple[list[Series], list[Band]]:
        """The baseline is drawn last, over the others. Alike runs, where there are no others, stand for themselves."""
        lines, bands = [], []
        for side in reversed(self.sides):
            found = [self._line(sight, name) for sight in side.sights if name in sight.curves]
            if len(found) > 1:
                with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all bounds has no band
                    mean, band = mean_and_band(side.name, found, self.palette.of(side.name))
                bands.append(band)
                found = [mean]
            lines += [Series(side.name, one.x, one.y) for one in found]
        return lines, bands

    def _line(self, sight: Sight, name: str) -> Series:
        x = axes.x_of(sight.curves[name], self.x_axis, axes.stages_of(sight.curves.values()))
        return Series(sight.row["name"], x, np.asarray(sight.curves[name].value))

    @property
    def _columns(self) -> int:
        return next(count for least, count in COLUMNS if self.size.width >= least)

    def _fit(self, count: int) -> None:
        """As many beside each other as are wide enough, so high that what each reached is seen beneath."""
        high = min(max(round(self.query_one("#page").size.height * 0.4), LEAST), MOST)
        columns = self._columns
        for grid, charts in (("#first", min(count, columns)), ("#more", count - columns)):
            styles = self.query_one(grid, Grid).styles
            styles.grid_size_columns = min(columns, charts) if grid == "#first" and charts else columns
            styles.grid_rows = str(high)
            self.query_one(grid).display = charts > 0

    def on_resize(self) -> None:
        """There is other room."""
        self.call_after_refresh(self._refit)

    def _refit(self) -> None:
        if self.sides:
            self.draw_charts()
            self._show_settings()

    # -------------------------------------------------------- what was different

    def _show_settings(self) -> None:
        text = self._settings(self.query_one("#page").size.width - 4)
        if text != self.settings:
            self.settings = text
            head, line, rest = text.partition("\n")
            self.query_one("#settings", Static).update(Content.assemble((head, "dim"), line, rest))

    def _settings(self, room: int) -> str:
        rows = side_by_side.settings_that_differ([side for side in self.sides if not _all(side, self.sights)])
        names = [side.name for side in self.sides if not _all(side, self.sights)]
        return apart.as_text(names, rows, room)

    # -------------------------------------------------------- doing

    def do_x_axis(self) -> None:
        """The next of the four axes."""
        super().do_x_axis()
        self._show_head()

    def do_copy(self) -> None:
        """What each reached, and what was different."""
        self.app.copy_to_clipboard(f"{self.query_one(VerdictTable).plain()}\n\n{self._settings(200)}\n")
        self.tell("copied the tables")


def _all(side: Side, sights: Sequence[Sight]) -> bool:
    """Whether it is the mean of all, beside the runs themselves."""
    return len(sights) > 1 and len(side.sights) == len(sights)
