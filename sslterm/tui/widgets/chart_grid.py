"""Charts in columns: as many beside each other as the terminal is wide for, the others below, to be scrolled to.

Charts are as high as lets whole ones fill what is seen, and scrolling goes from chart to chart.
"""

from __future__ import annotations

from textual import events
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from sslterm.tables import safe
from sslterm.tui.widgets.chart import LineChart
from sslterm.tui.widgets.chart.scale import Kind

COLUMNS = ((160, 3), (100, 2), (0, 1))
"""From which width on there are how many beside each other."""
LEAST = 8
"""Lines that a chart is high, at least: fewer say little."""
MOST = 24
"""And at most: what is higher than wide is hard to read."""


class ChartGrid(VerticalScroll):
    """`chart(title)` is the chart of that title, made where it is not there yet; `show_charts` says which are shown."""

    DEFAULT_CSS = """
    ChartGrid {
        layout: grid; grid-size: 1; grid-gutter: 0 1; grid-rows: 8; height: 1fr;
        scrollbar-size-vertical: 1;
        & LineChart { height: 100%; min-height: 1; display: none; }
        & LineChart.-shown { display: block; }
        & #no-charts { height: 100%; content-align: center middle; color: $text-muted; column-span: 3; }
        &.-some #no-charts { display: none; }
    }
    """

    class Moved(Message):
        """Other charts are in sight."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ChartGrid.Moved)

    def __init__(self, *, kind: Kind = "epoch", id: str | None = None) -> None:
        super().__init__(Static("", id="no-charts", markup=False), id=id)
        self._kind = kind
        self._charts: dict[str, LineChart] = {}
        self._shown: list[str] = []
        self._waits_for = ""
        self._step, self._columns = LEAST, 1

    def chart(self, title: str) -> LineChart:
        """The chart of a title."""
        found = self._charts.get(title)
        if found is None:
            found = self._charts[title] = LineChart(title, kind=self._kind)
            self.mount(found)
        return found

    def show_charts(self, titles: list[str]) -> None:
        """Show the charts of these titles, in this order."""
        if titles == self._shown:
            return
        self._shown = titles
        self.set_class(bool(titles), "-some")
        for title, chart in self._charts.items():
            chart.set_class(title in titles, "-shown")
        self.sort_children(key=lambda child: _place(child, titles))
        self._fit()

    def in_sight(self) -> list[str]:
        """The titles of the charts that are seen, at least in part."""
        first, last = self.scroll_offset.y // self._step, (self.scroll_offset.y + self.size.height - 1) // self._step
        return self._shown[first * self._columns : (last + 1) * self._columns]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other charts are in sight."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def wait(self, sentence: str) -> None:
        """What to say while there is no chart."""
        if sentence != self._waits_for:
            self._waits_for = sentence
            self.query_one("#no-charts", Static).update(safe(sentence), layout=False)

    def on_resize(self, _event: events.Resize) -> None:
        """There is other room."""
        self._fit()

    def _fit(self) -> None:
        width, height = self.size
        columns = min(next(count for least, count in COLUMNS if width >= least), max(len(self._shown), 1))
        rows = -(-max(len(self._shown), 1) // columns)
        self._step = min(max(height // max(min(rows, height // LEAST), 1), 1), MOST)
        self._columns = columns
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = str(self._step)
        self.post_message(self.Moved())

    # -------------------------------------------------------- scrolling, a chart at a time and at once

    def action_scroll_down(self) -> None:
        """The charts below."""
        self._go(self.scroll_offset.y + self._step)

    def action_scroll_up(self) -> None:
        """The charts above."""
        self._go(self.scroll_offset.y - self._step)

    def action_page_down(self) -> None:
        """All of the next charts."""
        self._go(self.scroll_offset.y + self.size.height // self._step * self._step)

    def action_page_up(self) -> None:
        """All of the charts before."""
        self._go(self.scroll_offset.y - self.size.height // self._step * self._step)

    def action_scroll_home(self) -> None:
        """The first charts."""
        self._go(0)

    def action_scroll_end(self) -> None:
        """The last charts."""
        self._go(self.max_scroll_y)

    def _go(self, line: int) -> None:
        self.scroll_to(y=line // self._step * self._step, animate=False)


def _place(child: object, titles: list[str]) -> int:
    title = child.title if isinstance(child, LineChart) else ""
    return titles.index(title) if title in titles else -1
