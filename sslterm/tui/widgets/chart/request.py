"""What is asked of a chart, and what comes of it: plain data between the widget and the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sslterm.tui.widgets.chart.look import Line
from sslterm.tui.widgets.chart.raster import GlyphSet
from sslterm.tui.widgets.chart.scale import Kind
from sslterm.tui.widgets.chart.series import Band, Palette, Series
from sslterm.tui.widgets.chart.smoothing import ema, memory


@dataclass(frozen=True)
class Request:
    """What is to be drawn, and how."""

    width: int
    height: int
    title: str = ""
    series: Sequence[Series] = ()
    bands: Sequence[Band] = ()
    marks: Sequence[tuple[float, str]] = ()
    kind: Kind = "step"
    view: tuple[float, float] | None = None
    """The part of the x axis that is shown; None: all."""
    log: bool = False
    factor: float = 0.0
    robust: bool = False
    live: bool = False
    crosshair: float | None = None
    glyphs: GlyphSet = "braille"
    patterns: bool = False
    """Whether lines differ by pattern too, for eyes and terminals without colour."""
    tints: bool = True
    """Whether a background of its own shows a band; otherwise dots do."""
    palette: Palette = field(default_factory=Palette)

    @property
    def framed(self) -> bool:
        """Whether there is room for a frame."""
        return self.height >= 5 and self.width >= 24

    @property
    def plain(self) -> bool:
        """Whether nothing but ASCII may be drawn."""
        return self.glyphs == "ascii"

    def shown(self, value: float) -> float:
        """A value on the y axis: itself, or on a log axis its exponent of ten; NaN where it has no place there."""
        if not self.log:
            return value
        return math.log10(value) if value > 0 else math.nan


@dataclass(frozen=True)
class Plot:
    """Where the dots are: cells of the widget, and what their edges mean."""

    left: int
    top: int
    columns: int
    rows: int
    start: float
    end: float
    low: float
    high: float

    def x_of(self, cell: int) -> float:
        """The x in the middle of a column of cells of the widget."""
        share = (cell - self.left + 0.5) / self.columns
        return self.start + share * (self.end - self.start)

    def column_of(self, x: float) -> int:
        """The column of the plot that shows x; may lie outside."""
        return math.floor(_share(x - self.start, self.end - self.start) * self.columns)

    def height_of(self, value: float) -> float:
        """How many rows below the upper edge a value is (on a log axis: an exponent); may lie outside."""
        return _share(self.high - value, self.high - self.low) * self.rows

    def row_of(self, value: float) -> int:
        """The row of the plot that shows a value."""
        return math.floor(self.height_of(value))


def _share(part: float, whole: float) -> float:
    """How much of the whole: from 0 to just below 1, and not far beyond; what is not a number lies outside."""
    share = float(part) / whole * (1 - 1e-12)
    return min(max(share, -1.0), 2.0) if share == share else -1.0


@dataclass(frozen=True)
class Picture:
    """A chart, drawn. `plot` is None where there is nothing to point at."""

    lines: list[Line]
    plot: Plot | None = None


def extent(series: Sequence[Series]) -> tuple[float, float] | None:
    """The least and the greatest x of all."""
    there = [one for one in series if len(one)]
    if not there:
        return None
    return float(min(one.x[0] for one in there)), float(max(one.x[-1] for one in there))


def value_at(series: Series, index: int, factor: float) -> float:
    """A value as the chart shows it: smoothed, where it is smoothed."""
    if factor <= 0:
        return float(series.y[index])
    return float(ema(series.y[max(0, index - memory(factor)) : index + 1], factor)[-1])
