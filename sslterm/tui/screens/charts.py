"""What screens with charts have in common: one x axis, one smoothing, one view and one crosshair for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from sslterm.tui.reckoning import axes
from sslterm.tui.screens.room import House, Room
from sslterm.tui.widgets.chart import LineChart
from sslterm.tui.widgets.chart.messages import CrosshairMoved, ViewChanged

SMOOTHINGS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)


class ChartRoom(Room):
    """A screen with charts that move together; what they show is drawn by `draw_charts`."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.x_axis: axes.Axis = "epoch"
        self.smoothing = 0.0

    def draw_charts(self) -> None:
        """Give each chart its curves."""
        raise NotImplementedError

    def _each_chart(self) -> Iterable[LineChart]:
        return self.query(LineChart)

    def do_x_axis(self) -> None:
        """The next of the four axes."""
        self.x_axis = axes.AXES[(axes.AXES.index(self.x_axis) + 1) % len(axes.AXES)]
        for chart in self._each_chart():
            chart.kind = self.x_axis
        self.draw_charts()

    def do_log_y(self) -> None:
        """Logarithms, or not."""
        for chart in self._each_chart():
            chart.toggle_log()

    def do_smoother(self) -> None:
        """Smooth more."""
        self._smooth(+1)

    def do_rougher(self) -> None:
        """Smooth less."""
        self._smooth(-1)

    def _smooth(self, by: int) -> None:
        place = min(max(SMOOTHINGS.index(self.smoothing) + by, 0), len(SMOOTHINGS) - 1)
        self.smoothing = SMOOTHINGS[place]
        for chart in self._each_chart():
            chart.set_smoothing(self.smoothing)
        self.tell(f"smoothing {self.smoothing}")

    def do_zoom_in(self) -> None:
        """Closer."""
        self._zoom(2.0)

    def do_zoom_out(self) -> None:
        """Farther."""
        self._zoom(0.5)

    def _zoom(self, factor: float) -> None:
        shown = [chart for chart in self._each_chart() if chart.display]
        if shown:
            shown[0].zoom(factor)  # the others follow

    def do_reset(self) -> None:
        """Whole again."""
        for chart in self._each_chart():
            chart.reset()

    def do_left(self) -> None:
        """The crosshair one cell to the left, on all charts."""
        self._crosshair(-1)

    def do_right(self) -> None:
        """The crosshair one cell to the right, on all charts."""
        self._crosshair(+1)

    def _crosshair(self, by: int) -> None:
        shown = [chart for chart in self._each_chart() if chart.display]
        if shown:
            shown[0].move_crosshair(by)

    def on_line_chart_crosshair_moved(self, message: CrosshairMoved) -> None:
        """One crosshair for all charts."""
        for chart in self._each_chart():
            if chart is not message.chart:
                chart.show_crosshair(message.x)

    def on_line_chart_view_changed(self, message: ViewChanged) -> None:
        """All charts show the same part."""
        for chart in self._each_chart():
            if chart is not message.chart:
                chart.set_view(message.view)
