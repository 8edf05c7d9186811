"""A whole chart as lines of text with looks: a pure function of what is asked for, so that it is tested without an app.

    picture = draw(Request(width=60, height=16, title="train/loss", series=[series]))
    picture.lines[0]    # [("╭ ", frame), ("train/loss", title), ...]

From the back to the front: bands, raw lines, lines, marks, signs, the crosshair.
"""

from __future__ import annotations

import math

from sslterm.tui.widgets.chart import frame, scale
from sslterm.tui.widgets.chart.canvas import Canvas
from sslterm.tui.widgets.chart.look import ALARM, BLANK, FLAG, TITLE, VALUE, Line, Look
from sslterm.tui.widgets.chart.measure import Measured, Reduced
from sslterm.tui.widgets.chart.request import Picture, Request, value_at
from sslterm.tui.widgets.chart.sparkline import sparkline
from sslterm.tui.widgets.chart.surround import enclosed, surrounded

NOTHING = "no data yet"


def draw(asked: Request, reduced: Reduced | None = None) -> Picture:
    """The picture. `reduced` remembers what the next one may need again."""
    if asked.width < 1 or asked.height < 1:
        return Picture([])
    if not any(len(one) for one in asked.series):
        return _empty(asked)
    if asked.height == 1:
        return Picture([_only_line(asked)])
    reduced = reduced or Reduced()
    measured = Measured(asked, reduced)
    reduced.turn()
    return Picture(surrounded(measured, _plot(measured)), measured.plot)


def _plot(measured: Measured) -> list[Line]:
    """The plot."""
    canvas = Canvas(measured.rows, measured.columns, measured.glyphs)
    _bands(canvas, measured)
    _lines(canvas, measured)
    _marks(canvas, measured)
    _signs(canvas, measured)
    _crosshair(canvas, measured)
    return canvas.lines()


def _bands(canvas: Canvas, measured: Measured) -> None:
    for band, low, high in zip(measured.asked.bands, measured.lows, measured.highs, strict=True):
        canvas.band(measured.spans(high), measured.spans(low), band.colour, measured.asked.tints)


def _lines(canvas: Canvas, measured: Measured) -> None:
    for one, raw, smooth in zip(measured.series, measured.raw, measured.smooth, strict=True):
        colour, found = measured.colour(one), measured.spans(smooth)
        if raw is not smooth and not (measured.asked.patterns and len(measured.series) > 1):
            canvas.faint(measured.spans(raw), colour)
        canvas.line(found, colour, measured.pattern(one))
        look = Look("line", colour)
        canvas.signs(found.above, "above", look)
        canvas.signs(found.below, "below", look)
        canvas.signs(found.single, "single", look, found.top)


def _marks(canvas: Canvas, measured: Measured) -> None:
    """Where stages begin."""
    for x, text in measured.asked.marks:
        column = measured.plot.column_of(x)
        if 0 <= column < measured.columns:
            canvas.upright(column, "mark")
            canvas.note(column + 1, frame.cut(text, 20))


def _signs(canvas: Canvas, measured: Measured) -> None:
    """What is not a number, and what is best."""
    for one, raw in zip(measured.series, measured.raw, strict=True):
        for pixel in raw.nans.tolist():
            canvas.sign(measured.rows - 1, pixel // measured.glyphs.across, "nan", ALARM)
        if one.best is not None:
            _sign(canvas, measured, one.best[0], one.best[1], "best", Look("best"))


def _crosshair(canvas: Canvas, measured: Measured) -> None:
    x = measured.asked.crosshair
    if x is None or not 0 <= measured.plot.column_of(x) < measured.columns:
        return
    column = measured.plot.column_of(x)
    canvas.cross(column)
    for one in measured.series:
        index = one.nearest(x)
        place, value = float(one.x[index]), value_at(one, index, measured.asked.factor)
        if measured.plot.column_of(place) == column:
            _sign(canvas, measured, place, value, "point", Look("point", measured.colour(one)))


def _sign(canvas: Canvas, measured: Measured, x: float, value: float, name: str, look: Look) -> None:
    """A sign at a point; one that has no place is not drawn."""
    shown = measured.asked.shown(value)
    if math.isfinite(shown) and math.isfinite(x):
        canvas.sign(measured.plot.row_of(shown), measured.plot.column_of(x), name, look)


def _only_line(asked: Request) -> Line:
    """`train/loss ▇▅▃▂▁ 2.61`."""
    one = next(one for one in reversed(asked.series) if len(one))
    value = frame.cut(scale.number(value_at(one, len(one) - 1, asked.factor)), asked.width)
    room = asked.width - len(value)
    name = frame.cut(asked.title, room // 2)
    rest = room - frame.cell_len(name)
    spark = sparkline(one.y, rest - 2) if rest > 4 and not asked.plain else ""
    colour = asked.palette.of(one.name) if one.colour is None else one.colour
    drawn = f" {spark}".ljust(rest)[:rest]
    return [(name, TITLE), (drawn, Look("line", colour)), (value, VALUE)]


def _empty(asked: Request) -> Picture:
    """Says that nothing is there yet."""
    if asked.height == 1:
        name = frame.cut(asked.title, asked.width)
        rest = asked.width - frame.cell_len(name)
        return Picture([[(name, TITLE), (NOTHING.rjust(rest) if rest > len(NOTHING) else " " * rest, FLAG)]])
    inner = asked.width - 2 * asked.framed
    rows = asked.height - 1 - asked.framed
    lines: list[Line] = [[(" " * inner, BLANK)] for _ in range(rows)]
    lines[(rows - 1) // 2] = [(frame.cut(NOTHING, inner).center(inner), FLAG)]
    return Picture(enclosed(asked, frame.title_line(asked, [], [""]), lines, []))
