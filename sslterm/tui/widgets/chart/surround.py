"""What is written around a plot: title with flags and value, ticks, labels at the lines' ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sslterm.tui.widgets.chart import frame, scale
from sslterm.tui.widgets.chart.frame import joined
from sslterm.tui.widgets.chart.look import ALARM, AXIS, BLANK, FLAG, FRAME, Line, Look
from sslterm.tui.widgets.chart.measure import NUMBER, Measured
from sslterm.tui.widgets.chart.raster import sample
from sslterm.tui.widgets.chart.request import Request, value_at
from sslterm.tui.widgets.chart.series import Series


def surrounded(measured: Measured, middle: list[Line]) -> list[Line]:
    """The lines of a plot with everything around them."""
    asked, gutter = measured.asked, measured.gutter
    ticks = {measured.plot.row_of(place): text for place, text in reversed(measured.ticks)}
    ends = _end_labels(measured)
    rows: list[Line] = []
    for row, line in enumerate(middle):
        tick: Line = [(ticks.get(row, "")[: gutter - 1].rjust(gutter - 1) + " ", AXIS)] if gutter else []
        rows.append([*tick, *line, *ends[row]])
    return enclosed(asked, _title(measured), rows, _x_labels(measured))


def enclosed(asked: Request, title: Line, rows: list[Line], labels: Sequence[tuple[int, str]]) -> list[Line]:
    """Within the frame, if there is one; labels stand in its lower edge, at their cells."""
    if not asked.framed:
        return [title, *rows]
    side = ("|" if asked.plain else "│", FRAME)
    return [title, *(joined([side, *row, side]) for row in rows), frame.axis_line(asked, labels)]


def _title(measured: Measured) -> Line:
    asked = measured.asked
    nans = [one.first_nan for one in measured.series if one.first_nan is not None]
    alarms = [(f"NaN at {scale.place(min(nans), asked.kind)}", ALARM)] if nans else []
    words = {
        "log y": asked.log,
        f"smooth {asked.factor:g}".replace("0.", "."): asked.factor > 0,
        "robust": asked.robust,
        "zoomed": asked.view is not None,
    }
    flags = [(word, FLAG) for word, on in words.items() if on]
    return frame.title_line(asked, [*alarms, *flags], _readings(measured))


def _readings(measured: Measured) -> list[str]:
    """The last value of the line on top, or what it is at the crosshair, in ever fewer words.

    Values of several lines stand at their ends, if there is room.
    """
    one, x = measured.series[-1], measured.asked.crosshair
    index = len(one) - 1 if x is None else one.nearest(x)
    value = "" if measured.ends else scale.number(value_at(one, index, measured.asked.factor))
    name = one.name if value and len(measured.series) > 1 else ""
    where = "" if x is None else scale.place(float(one.x[index]), measured.asked.kind)
    short = where.removeprefix(f"{measured.asked.kind} ")
    return [
        "  ".join(filter(None, words)) for words in ((where, name, value), (where, value), (short, value), (value,))
    ]


def _x_labels(measured: Measured) -> list[tuple[int, str]]:
    plot, kind = measured.plot, measured.asked.kind
    ticks = scale.x_ticks(plot.start, plot.end, max(2, plot.columns // 10), kind)
    return [(plot.left + min(plot.column_of(x), plot.columns - 1), text) for x, text in ticks]


def _end_labels(measured: Measured) -> list[Line]:
    """`moco-a1  .812` beside the line's end, or the values at the crosshair; each in a row of its own."""
    lines: list[Line] = [[(" " * measured.ends, BLANK)] if measured.ends else [] for _ in range(measured.rows)]
    if not measured.ends:
        return lines
    hidden = 0 if len(measured.series) <= measured.rows else len(measured.series) - measured.rows + 1
    shown, rows = measured.series[hidden:], measured.rows - bool(hidden)
    if hidden:
        lines[-1] = [(f" and {hidden} more"[: measured.ends].ljust(measured.ends), FLAG)]
    values = [_value(measured, one) for one in shown]
    heights = [measured.plot.height_of(measured.asked.shown(value)) for value in values]
    wanted = [rows - 1.0 if math.isnan(at) else min(max(at, 0.0), rows - 1.0) for at in heights]
    for row, one, value in zip(frame.spread(wanted, rows), shown, values, strict=True):
        lines[row] = [(_label(measured, one, scale.number(value)), Look("line", measured.colour(one)))]
    return lines


def _value(measured: Measured, one: Series) -> float:
    x = measured.asked.crosshair
    return value_at(one, len(one) - 1 if x is None else one.nearest(x), measured.asked.factor)


def _label(measured: Measured, one: Series, value: str) -> str:
    drawn = sample(measured.pattern(one), measured.glyphs) + " " if measured.asked.patterns else ""
    room = measured.ends - 1 - len(drawn)
    value = frame.cut(value.rjust(NUMBER), room)
    name = frame.cut(one.name, max(0, room - len(value) - 1))
    return f" {drawn}{name}{' ' * (room - frame.cell_len(name) - len(value))}{value}"
