"""Each class with its precision, recall and F1, a bar, and what it is most taken for; the worst first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from sslterm.tui.widgets.panel import Line, Panel, Piece, windowed
from sslterm.tui.widgets.run_table import cells
from sslterm.tui.widgets.run_table.columns import figure

HEADS = ("class", "taken for", "most taken for")
BAR, HALF, TRACK = "━", "╸", "─"
LOW, MIDDLE = 0.5, 0.8
"""An F1 below is shown as bad, as modest."""


class ClassScore(NamedTuple):
    """What is known of one class. A number that nobody knows is NaN."""

    name: str
    precision: float
    recall: float
    f1: float
    images: int
    taken_for: str = ""
    """The class that it is most taken for, and how often: `dog (14 %)`."""


Order = Callable[[ClassScore], float]
ORDERS: dict[str, Order | None] = {
    "F1": lambda one: one.f1,
    "precision": lambda one: one.precision,
    "recall": lambda one: one.recall,
    "class": None,
}
"""What can be sorted by, the least first; `class`: as the data have them."""


class ClassBars(Panel):
    """A line a class, in an order of one's choice."""

    class ClassMoved(Message):
        """Another class is under the cursor: its place among the classes of the data."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ClassBars.ClassMoved)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.order = "F1"
        self._scores: list[ClassScore] = []
        self._places: list[int] = []
        self._place = 0
        self._top = 0

    def show(self, scores: Sequence[ClassScore]) -> None:
        """Show these classes; the cursor stays on its class."""
        self._scores = list(scores)
        self._place = min(self._place, max(len(self._scores) - 1, 0))
        self._arrange()

    def sort(self) -> str:
        """Order them by the next of the columns; says which."""
        names = list(ORDERS)
        self.order = names[(names.index(self.order) + 1) % len(names)]
        self._arrange()
        return self.order

    def _arrange(self) -> None:
        value = ORDERS[self.order]
        self._places = list(range(len(self._scores)))
        if value is not None:
            self._places.sort(key=lambda place: _last_if_unknown(value(self._scores[place])))
        self.redraw()

    # -------------------------------------------------------- the cursor

    def go(self, place: int) -> None:
        """Put the cursor on a class of the data; nobody is told."""
        if 0 <= place < len(self._scores) and place != self._place:
            self._place = place
            self.redraw()

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor up or down."""
        self._put(self._line() + rows)

    def page(self, pages: int) -> None:
        """Move it by what is seen."""
        self._put(self._line() + pages * max(self._seen() - 1, 1))

    def first(self) -> None:
        """The first that is listed."""
        self._put(0)

    def last(self) -> None:
        """The last that is listed."""
        self._put(len(self._places) - 1)

    def _line(self) -> int:
        return self._places.index(self._place) if self._places else 0

    def _put(self, line: int) -> None:
        if not self._places:
            return
        place = self._places[min(max(line, 0), len(self._places) - 1)]
        if place != self._place:
            self.go(place)
            self.post_message(self.ClassMoved(place))

    def on_click(self, event: events.Click) -> None:
        """The class that is pointed at."""
        line = (event.y - 2) // self._tall()
        if 0 <= line < self._seen():
            self._put(self._top + line)

    # -------------------------------------------------------- what it shows

    def _tall(self) -> int:
        """Lines of a class: with a blank one where there is much room."""
        return 2 if 2 * len(self._scores) <= self.room.height else 1

    def _seen(self) -> int:
        return max(min((self.room.height - 1) // self._tall(), len(self._scores)), 0)

    def heading(self) -> tuple[str, str]:
        """How they are ordered, and which are seen."""
        count = len(self._scores)
        title = "classes as in the data" if self.order == "class" else f"classes, worst {self.order} first"
        if not count or self._seen() >= count:
            return title, ""
        return title, f"{self._top + 1}–{self._top + self._seen()} of {count}"

    def contents(self, width: int, height: int) -> list[Line]:
        """Heads, then a line for each class that is seen."""
        if not self._scores:
            return [[Piece("this answer says nothing of single classes", "muted")]]
        self._top = windowed(self._line(), self._top, self._seen(), len(self._places))
        widths = _widths(self._scores, width)
        places = self._places[self._top : self._top + self._seen()]
        lines = [_head(widths)]
        for place in places:
            lines += [_row(self._scores[place], widths, place == self._place)] + [[]] * (self._tall() - 1)
        return lines


class _Widths(NamedTuple):
    name: int
    images: int
    bar: int
    taken_for: int


def _widths(scores: Sequence[ClassScore], width: int) -> _Widths:
    """Names first, then the bar, then what it is taken for, then how many images."""
    name = min(max(len(HEADS[0]), *(cells.width(one.name, 24) for one in scores)), max(width // 5, len(HEADS[0])))
    left = width - name - 3 * 6
    taken_for = max(cells.width(one.taken_for, 30) for one in scores)
    taken_for = min(max(taken_for, len(HEADS[1])) + 2, left * 3 // 5) if left >= 19 and taken_for else 0
    images = 8 if left - taken_for >= 24 else 0
    return _Widths(name, images, min(max(left - taken_for - images - 1, 0), 40), taken_for)


def _head(widths: _Widths) -> Line:
    text = cells.fit(HEADS[0], widths.name) + "  prec" + "   rec" + "    F1"
    text += " " * (widths.bar + 1) + cells.fit("images", widths.images, right=True)
    return [
        Piece(
            text + cells.fit("  " + HEADS[2 if widths.taken_for > len(HEADS[2]) + 1 else 1], widths.taken_for), "muted"
        )
    ]


def _row(one: ClassScore, widths: _Widths, cursor: bool) -> Line:
    full, rest = _bar(one.f1, widths.bar)
    return [
        Piece(cells.fit(one.name, widths.name, both_ends=True), "", cursor),
        Piece("".join(_figure(value).rjust(6) for value in (one.precision, one.recall, one.f1)), "", cursor),
        Piece(" ", "", cursor),
        Piece(full, _tone(one.f1), cursor),
        Piece(rest, "track", cursor),
        Piece(cells.fit(f"{one.images:,}", widths.images, right=True), "muted", cursor),
        Piece(cells.fit(f"  {one.taken_for}", widths.taken_for), "muted", cursor),
    ]


def _bar(share: float, width: int) -> tuple[str, str]:
    """A share as a bar, and what it lacks to be whole."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2) if math.isfinite(share) else 0
    full = BAR * (halves // 2) + HALF * (halves % 2)
    return full, TRACK * (width - len(full))


def _tone(f1: float) -> str:
    if f1 < LOW:
        return "bad"
    return "modest" if f1 < MIDDLE else "bar"


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else figure(value)


def _last_if_unknown(value: float) -> float:
    return math.inf if math.isnan(value) else value
