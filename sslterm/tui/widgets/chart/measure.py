"""What has to be known before anything is drawn: the range of each axis, the room for each part, every line reduced."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sslterm.tui.widgets.chart import scale
from sslterm.tui.widgets.chart.columns import Columns, columns
from sslterm.tui.widgets.chart.frame import cell_len, cut
from sslterm.tui.widgets.chart.raster import AUTOMATIC, GLYPHS, SAMPLE, Glyphs, Spans, spans
from sslterm.tui.widgets.chart.request import Plot, Request, extent
from sslterm.tui.widgets.chart.series import COLOURS, Band, Floats, Series

TICK = 5
"""Cells of a tick on the y axis, so that the plots of charts below one another start in the same column."""
NUMBER = 5
"""Cells of a value at a line's end."""


@dataclass
class Reduced:
    """Lines as columns of pixels, remembered from picture to picture: a crosshair that moves reads no points."""

    _before: dict[tuple[object, ...], Columns] = field(default_factory=dict)
    _now: dict[tuple[object, ...], Columns] = field(default_factory=dict)

    def get(self, line: Series | Band, y: Floats, view: tuple[float, float, int], factor: float, log: bool) -> Columns:
        """The columns of this line; `view` is start, end and the number of columns."""
        key = (line, id(y), view, factor, log)
        found = self._now.get(key) or self._before.get(key) or columns(line.x, y, *view, factor, log)
        self._now[key] = found
        return found

    def turn(self) -> None:
        """A picture is finished: what it did not need is forgotten."""
        self._before, self._now = self._now, {}


class Measured:
    """A request whose series have points, measured."""

    def __init__(self, asked: Request, reduced: Reduced) -> None:
        self.asked = asked
        self.series = [one for one in asked.series if len(one)]
        self.glyphs: Glyphs = GLYPHS[asked.glyphs]
        self.start, self.end = asked.view or scale.x_range(*(extent(self.series) or (0.0, 1.0)), asked.live)
        self.rows = asked.height - 1 - asked.framed
        self.height = self.rows * self.glyphs.down
        self.ends = self._ends()
        self.gutter = TICK + 1 if asked.width >= 30 else 0
        self._measure(reduced)
        widest = max((len(text) for _, text in self.ticks), default=0)
        if widest > TICK:
            self.gutter = widest + 1
            self._measure(reduced)

    def _measure(self, reduced: Reduced) -> None:
        """The plot between the gutters, every line in its columns, the range of the y axis."""
        asked = self.asked
        left = asked.framed + self.gutter
        self.columns = max(1, asked.width - left - self.ends - asked.framed)
        self.width = self.columns * self.glyphs.across
        view = self.start, self.end, self.width
        self.raw = [reduced.get(one, one.y, view, 0.0, asked.log) for one in self.series]
        self.smooth = [reduced.get(one, one.y, view, asked.factor, asked.log) for one in self.series]
        self.lows = [reduced.get(band, band.low, view, 0.0, asked.log) for band in asked.bands]
        self.highs = [reduced.get(band, band.high, view, 0.0, asked.log) for band in asked.bands]
        low, high = scale.y_range(*self._range(), asked.log)
        self.plot = Plot(left, 1, self.columns, self.rows, self.start, self.end, low, high)
        self.ticks = scale.y_ticks(low, high, max(2, round(self.rows / 2.5)), asked.log) if self.gutter else []

    def _range(self) -> tuple[float, float]:
        """The least and the greatest number in sight; NaN where there is none."""
        if self.asked.robust:
            seen = [self._robust(one) for one in self.series]
        else:
            seen = [self._limits(found) for found in self.raw + self.smooth]
        seen += [self._limits(found) for found in self.lows + self.highs]
        seen = [pair for pair in seen if not math.isnan(pair[0])]
        return min((low for low, _ in seen), default=math.nan), max((high for _, high in seen), default=math.nan)

    def _limits(self, found: Columns) -> tuple[float, float]:
        inside = found.inside(self.width)
        values = np.concatenate([found.low[inside], found.high[inside]])
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if len(values) else (math.nan, math.nan)

    def _robust(self, one: Series) -> tuple[float, float]:
        values = one.y[np.searchsorted(one.x, self.start) : np.searchsorted(one.x, self.end, side="right")]
        return scale.robust(values, self.asked.log)

    def _ends(self) -> int:
        """Cells of the labels at the lines' ends: only where several lines need to be told apart."""
        if len(self.series) < 2 or self.asked.width < 48:
            return 0
        names = max(cell_len(cut(one.name, 40)) for one in self.series)
        samples = (SAMPLE // self.glyphs.across + 1) * self.asked.patterns
        return min(names + NUMBER + 2 + samples, self.asked.width * 2 // 5)

    def spans(self, found: Columns) -> Spans:
        """The rows of pixels that a line fills."""
        return spans(found, self.width, self.height, self.plot.low, self.plot.high)

    def colour(self, one: Series) -> int:
        """A line's colour."""
        return (self.asked.palette.of(one.name) if one.colour is None else one.colour) % COLOURS

    def pattern(self, one: Series) -> str:
        """A line's pattern: where colour does not tell lines apart, by its place among them."""
        if one.style != "auto":
            return one.style
        return AUTOMATIC[self.series.index(one) % len(AUTOMATIC)] if self.asked.patterns else "solid"
