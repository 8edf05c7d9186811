"""The reliability diagram: how often predictions of a confidence were right. On the diagonal, confidence is earned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from sslterm.tui.widgets.panel import Line, Panel, Piece

EIGHTHS = " ▁▂▃▄▅▆▇█"
NAME = "confidence"
AXIS = 4
"""Cells for the labels of the y axis."""
BELOW = 2
"""Lines below the bars: how many images, and the x axis."""


class Bin(NamedTuple):
    """Predictions of about the same confidence: its mean, which share of them is right, how many they are."""

    confidence: float
    accuracy: float
    predictions: int


class Reliability(Panel):
    """Bars of accuracy, one for each bin of confidence; the gap to the diagonal shaded; beneath, how many images."""

    class BinMoved(Message):
        """Another bin is under the cursor."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Reliability.BinMoved)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._bins: list[Bin] = []
        self._value = ""
        self.bin = 0

    def show(self, bins: Sequence[Bin], value: str = "") -> None:
        """Show these bins, from confidence 0 to 1; `value` is for the title."""
        self._bins, self._value = list(bins), value
        if not 0 <= self.bin < len(self._bins) or not self._bins[self.bin].predictions:
            self.bin = max(range(len(self._bins)), key=lambda place: self._bins[place].predictions, default=0)
        self.redraw()

    @property
    def bins(self) -> Sequence[Bin]:
        """What is shown."""
        return self._bins

    def move(self, columns: int, rows: int) -> None:
        """To the next bin."""
        self._put(self.bin + columns)

    def first(self) -> None:
        """The least sure."""
        self._put(0)

    def last(self) -> None:
        """The surest."""
        self._put(len(self._bins) - 1)

    def _put(self, place: int) -> None:
        place = min(max(place, 0), len(self._bins) - 1)
        if self._bins and place != self.bin:
            self.bin = place
            self.redraw()
            self.post_message(self.BinMoved())

    def on_click(self, event: events.Click) -> None:
        """The bin that is pointed at."""
        each = self._each(self.room.width)
        if self._bins and event.x >= 2 + AXIS:
            self._put((event.x - 2 - AXIS) // each)

    # -------------------------------------------------------- what it shows

    def heading(self) -> tuple[str, str]:
        """The calibration error in the title."""
        return "reliability", self._value

    def note(self) -> str:
        """What the shades mean."""
        return "█ right  ░ too sure  ▒ too modest" if self._bins else ""

    def contents(self, width: int, height: int) -> list[Line]:
        """Bars, then how many images there are, then the axis."""
        each = self._each(width)
        if not self._bins or height < BELOW + 1 or AXIS + len(self._bins) > width:
            words = "this answer holds no reliability" if not self._bins else "no room for the diagram"
            return [[Piece(words, "muted")]]
        rows = height - BELOW
        lines = [self._bar_line(row, rows, each) for row in range(rows)]
        return [*lines, self._count_line(each), self._axis_line(each)]

    def _each(self, width: int) -> int:
        return min(max((width - AXIS) // max(len(self._bins), 1), 1), 8)

    def _bar_line(self, row: int, rows: int, each: int) -> Line:
        low, high = (rows - 1 - row) / rows, (rows - row) / rows
        label = next((word for word, at in (("1", 1.0), (".5", 0.5), ("0", 0.0)) if _labelled(at, row, rows)), "")
        line = [Piece(f"{label:>{AXIS - 2}} ", "muted"), Piece("┤" if label else "│", "frame")]
        for place, one in enumerate(self._bins):
            middle = (place + 0.5) / len(self._bins)
            glyph, tone = _cell(one, low, high, middle)
            line += _column(glyph, tone, each)
        return line

    def _count_line(self, each: int) -> Line:
        most = max(one.predictions for one in self._bins) or 1
        line = [Piece(f"{'n':>{AXIS - 2}} │", "muted")]
        for one in self._bins:
            glyph = EIGHTHS[max(round(one.predictions / most * 8), 1)] if one.predictions else " "
            line += _column(glyph, "muted", each)
        return line

    def _axis_line(self, each: int) -> Line:
        """`0   confidence   ▴  1` beneath the bars: the cursor, and what x is, where it is not in the way."""
        width = each * len(self._bins)
        cells = list("0".ljust(width - 1) + "1")
        sign = min(self.bin * each + max(each - 2, 0) // 2, width - 1)
        for start in ((width - len(NAME)) // 2, 2, width - 2 - len(NAME)):
            if start > 1 and start + len(NAME) < width - 1 and not start - 1 <= sign <= start + len(NAME):
                cells[start : start + len(NAME)] = NAME
                break
        before, after = "".join(cells[:sign]), "".join(cells[sign + 1 :])
        return [Piece(" " * AXIS), Piece(before, "muted"), Piece("▴", "accent"), Piece(after, "muted")]


def _column(glyph: str, tone: str, each: int) -> Line:
    """One bin's part of a line; bars stand apart where there is room."""
    return [Piece(glyph, tone)] if each < 2 else [Piece(glyph * (each - 1), tone), Piece(" ")]


def _labelled(value: float, row: int, rows: int) -> bool:
    return row == min(max(round((1 - value) * rows - 0.5), 0), rows - 1)


def _cell(one: Bin, low: float, high: float, middle: float) -> tuple[str, str]:
    """What a bin shows between two heights: its bar, the gap to the diagonal, the diagonal, or nothing."""
    if not one.predictions:
        return ("·", "muted") if low <= middle < high else (" ", "")
    bar, top = min(one.confidence, one.accuracy), max(one.confidence, one.accuracy)
    filled, gap = _part(0.0, bar, low, high), _part(bar, top, low, high)
    if gap >= 0.5:
        return ("░", "bad") if one.confidence > one.accuracy else ("▒", "modest")
    eighths = round(filled * 8)
    return EIGHTHS[eighths], "bar" if eighths else ""


def _part(start: float, end: float, low: float, high: float) -> float:
    """How much of low to high lies within start to end."""
    return max(min(end, high) - max(start, low), 0.0) / (high - low)
