"""Line charts out of characters: `LineChart` draws millions of points in milliseconds, `sparkline` is for tables.

    series.py     what a chart is given, and its colours       smoothing.py  the moving average
    columns.py    any number of points to columns of pixels    raster.py     columns to dots, dots to glyphs
    scale.py      ranges, ticks, words for numbers and times   canvas.py     cells: lines, bands, signs in front
    request.py    what is asked, and what comes of it          measure.py    ranges, and the room for each part
    frame.py      lines of text around a plot                  surround.py   what is written there
    picture.py    all of it, as text with looks                sparkline.py  numbers in one row of text
    look.py       pieces of text with a look
    view.py       zoom and pan                                 crosshair.py  the points nearest to a place
    style.py      looks as colours, in every theme             chart.py      the widget
    messages.py   what it tells

Only style.py, messages.py and chart.py know Textual.
"""

from __future__ import annotations

from sslterm.tui.widgets.chart.chart import LineChart
from sslterm.tui.widgets.chart.crosshair import Reading
from sslterm.tui.widgets.chart.scale import Kind
from sslterm.tui.widgets.chart.series import Band, Palette, Series, colour_of, mean_and_band
from sslterm.tui.widgets.chart.sparkline import sparkline

__all__ = ["Band", "Kind", "LineChart", "Palette", "Reading", "Series", "colour_of", "mean_and_band", "sparkline"]
