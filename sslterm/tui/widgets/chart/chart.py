"""LineChart: the chart as a widget. Screens give it series and bind keys to its methods; it knows no screen.

    chart = LineChart("train/loss", kind="epoch")
    chart.show([Series("moco-a1", column.epoch, column.value)], live=True)

Only lines of the screen that changed are drawn again, and of those only the part up to the last change.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from sslterm.tui.widgets.chart import picture
from sslterm.tui.widgets.chart.crosshair import Reading, neighbour, readings, snapped
from sslterm.tui.widgets.chart.frame import changed
from sslterm.tui.widgets.chart.look import Line
from sslterm.tui.widgets.chart.measure import Reduced
from sslterm.tui.widgets.chart.messages import CrosshairMoved, ViewChanged
from sslterm.tui.widgets.chart.raster import GlyphSet
from sslterm.tui.widgets.chart.request import Picture, Request, extent
from sslterm.tui.widgets.chart.scale import Kind
from sslterm.tui.widgets.chart.series import Band, Palette, Series
from sslterm.tui.widgets.chart.style import Strips, coloured
from sslterm.tui.widgets.chart.view import View

WHEEL = 1.25
"""How much a step of the mouse wheel zooms."""


class LineChart(Widget, can_focus=True):
    """Lines over steps, epochs or time."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "LineChart { width: 1fr; height: 1fr; min-height: 1; }"

    title: reactive[str] = reactive("", repaint=False)
    kind: reactive[Kind] = reactive[Kind]("step", repaint=False)
    """What x means: says how it is written."""
    log_y: reactive[bool] = reactive(False, repaint=False)
    smoothing: reactive[float] = reactive(0.0, repaint=False)
    """The factor of the moving average, 0 (none) to 0.99."""
    robust: reactive[bool] = reactive(False, repaint=False)
    """Whether the y axis leaves out values that lie far off."""
    glyphs: reactive[GlyphSet] = reactive[GlyphSet]("braille", repaint=False)
    patterns: reactive[bool | None] = reactive[bool | None](None, repaint=False)
    """Whether lines differ by pattern too; None: where colours do not tell them apart."""

    CrosshairMoved = CrosshairMoved
    ViewChanged = ViewChanged

    def __init__(
        self,
        title: str = "",
        kind: Kind = "step",
        palette: Palette | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`palette` is shared by charts in which the same names shall have the same colours."""
        super().__init__(name=name, id=id, classes=classes)
        self.set_reactive(LineChart.title, title)
        self.set_reactive(LineChart.kind, kind)
        self._palette = palette or Palette()
        self._series: Sequence[Series] = ()
        self._bands: Sequence[Band] = ()
        self._marks: Sequence[tuple[float, str]] = ()
        self._view = View()
        self._crosshair: float | None = None
        self._held = False
        self._reduced = Reduced()
        self._picture = Picture([])
        self._drawn = Size(0, 0)
        """The size that the picture was drawn for; nothing, where it has to be drawn anew."""
        self._shades = False
        """Whether it was drawn for eyes that tell shades apart."""
        self._strips: Strips | None = None

    def on_mount(self) -> None:
        """Whatever is set from now on is seen at once."""
        for name in ("title", "log_y", "smoothing", "robust", "glyphs", "patterns"):
            self.watch(self, name, self._redraw, init=False)

    def watch_kind(self) -> None:
        """Another x axis: places on the old one mean nothing any more."""
        self._view.reset()
        self._crosshair = None
        self._redraw()

    # What is shown

    def show(
        self,
        series: Sequence[Series],
        bands: Sequence[Band] = (),
        marks: Sequence[tuple[float, str]] = (),
        live: bool = False,
    ) -> None:
        """Show these lines; `live`: more of them will come, so the x axis keeps a little room and moves seldom."""
        before = self._series, self._bands, self._marks, self._view.live
        self._series, self._bands, self._marks = tuple(series), tuple(bands), tuple(marks)
        if before == (self._series, self._bands, self._marks, live):
            return  # the very same lines
        self._view.data(extent(self._series), live, max((len(one) for one in series), default=0))
        self._redraw()

    @property
    def series(self) -> Sequence[Series]:
        """The lines that are shown."""
        return self._series

    @property
    def crosshair(self) -> float | None:
        """Where the crosshair is."""
        return self._crosshair

    @property
    def view(self) -> tuple[float, float] | None:
        """The part of the x axis that is shown; None: all."""
        return self._view.zoomed

    def point_at(self, x: float) -> list[Reading]:
        """Each line's point that is nearest to x."""
        return readings(self._series, x, self.smoothing)

    # What screens bind keys to

    def zoom(self, factor: float) -> None:
        """See a part: above 1 nearer, below 1 from further away; around the crosshair, if there is one."""
        self._look(self._view.zoom(factor, self._crosshair))

    def pan(self, share: float) -> None:
        """Move the part that is seen by a share of its width: positive to the right."""
        self._look(self._view.pan(share))

    def reset(self) -> None:
        """See everything, without a crosshair."""
        self.hide_crosshair()
        self._look(self._view.reset())

    def set_view(self, view: tuple[float, float] | None) -> None:
        """See this part; nobody is told."""
        self._view.set(view)
        self._redraw()

    def toggle_log(self) -> None:
        """Logarithmic y axis, or not."""
        self.log_y = not self.log_y

    def toggle_robust(self) -> None:
        """Leave values that lie far off out of the y axis, or not."""
        self.robust = not self.robust

    def set_smoothing(self, factor: float) -> None:
        """Smooth by this factor, 0 to 0.99."""
        self.smoothing = factor

    def move_crosshair(self, cells: int) -> None:
        """Move the crosshair by so many columns of cells, and at least to the next point; it appears at the end."""
        plot = self._current().plot
        if plot is None:
            return
        if self._crosshair is None:
            target = plot.end
        else:
            target = plot.x_of(plot.column_of(self._crosshair) + plot.left + cells)
            if snapped(self._series, target) == self._crosshair:
                target = neighbour(self._series, self._crosshair, 1 if cells > 0 else -1)
        if not plot.start <= target <= plot.end:
            self.pan((target - (plot.start + plot.end) / 2) / (plot.end - plot.start))
        self._held = True
        self._point(snapped(self._series, target))

    def show_crosshair(self, x: float | None) -> None:
        """Put the crosshair to the point nearest to x, or away; nobody is told."""
        place = None if x is None else snapped(self._series, x)
        if place != self._crosshair:
            self._crosshair = place
            self._redraw()

    def hide_crosshair(self) -> None:
        """Put the crosshair away."""
        self._held = False
        self._point(None)

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The crosshair goes with the mouse until a click holds it."""
        if not self._held:
            self._point_at_cell(event.x)

    def on_click(self, event: events.Click) -> None:
        """Hold the crosshair here."""
        self._held = True
        self._point_at_cell(event.x)

    def on_leave(self) -> None:
        """A crosshair that nobody holds goes away with the mouse."""
        if not self._held:
            self._point(None)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Nearer to what is under the mouse; with shift to the left."""
        self._wheel(event, WHEEL, -0.1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Further away; with shift to the right."""
        self._wheel(event, 1 / WHEEL, 0.1)

    def _wheel(self, event: events.MouseEvent, factor: float, share: float) -> None:
        event.stop()
        plot = self._current().plot
        if plot is not None:
            self._look(self._view.pan(share) if event.shift else self._view.zoom(factor, plot.x_of(event.x)))

    def _point_at_cell(self, cell: int) -> None:
        plot = self._current().plot
        if plot is not None and plot.left <= cell < plot.left + plot.columns:
            self._point(snapped(self._series, plot.x_of(cell)))

    # How it comes about

    def _look(self, changed: bool) -> None:
        if changed:
            self._redraw()
            self.post_message(self.ViewChanged(self, self.view))

    def _point(self, x: float | None) -> None:
        if x != self._crosshair:
            self._crosshair = x
            self._redraw()
            self.post_message(self.CrosshairMoved(self, x))

    def _redraw(self) -> None:
        """Draw anew and have the lines that changed sent again; what nobody sees now is drawn when somebody does."""
        if self._drawn != self.size or not self.screen.is_current or not self.is_on_screen:
            self._drawn = Size(0, 0)
            self.refresh()
            return
        before = self._picture.lines
        self._draw()
        self.refresh_lines(before, self._picture.lines)

    def refresh_lines(self, before: list[Line], after: list[Line]) -> None:
        """Have the parts of lines that differ sent again."""
        regions = []
        for row, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                start, end = changed(old, new, self.size.width)
                regions.append(Region(start, row, end - start, 1))
        if regions:
            self.refresh(*regions)

    def _draw(self) -> None:
        self._shades = shades = coloured(self)
        asked = Request(
            width=self.size.width, height=self.size.height, title=self.title, kind=self.kind, palette=self._palette,
            series=self._series, bands=self._bands, marks=self._marks, crosshair=self._crosshair,
            view=self._view.zoomed, live=self._view.live, log=self.log_y, factor=self.smoothing, robust=self.robust,
            glyphs=self.glyphs, patterns=not shades if self.patterns is None else self.patterns, tints=shades,
        )  # fmt: skip
        self._picture = picture.draw(asked, self._reduced)
        self._drawn = self.size

    def _current(self) -> Picture:
        if self._drawn != self.size:
            self._draw()
        return self._picture

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        lines = self._current().lines
        if y >= len(lines):
            return Strip.blank(self.size.width, self.rich_style)
        self._strips = self._strips or Strips(self)
        return self._strips.get(y, lines[y], self.size.width)

    def notify_style_update(self) -> None:
        """Another theme, or the focus: other colours, or patterns instead of them."""
        super().notify_style_update()
        self._strips = None
        if self.is_attached and coloured(self) != self._shades:
            self._drawn = Size(0, 0)

    def validate_smoothing(self, factor: float) -> float:
        """Between none and very much."""
        return min(max(factor, 0.0), 0.99)
