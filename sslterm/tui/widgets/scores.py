"""How good it is, in figures: plain and augmented side by side, and by how much that is better or worse."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from sslterm.tables import METRICS
from sslterm.tui.widgets.panel import Line, Panel, Piece
from sslterm.tui.widgets.run_table import cells

BETTER_IF_LESS = ("nll", "ece")
ALIKE = 5e-5
"""What is closer than this is the same in four digits."""
NAME, DIFFERENCE = 9, 10
"""Widths of columns."""
NARROW, WIDE = 7, 11
"""A column of figures is so wide: at least, and where there is room."""


class Scored(NamedTuple):
    """One answer: how the images were seen (`plain`, `flip`), and its metrics."""

    how: str
    metrics: Mapping[str, float]


class Scores(Panel):
    """A line a metric, a column an answer; the cursor chooses the answer that the other panels show."""

    class AnswerChosen(Message):
        """Another of the answers was chosen."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = ""
        self._columns: list[Scored] = []
        self._notes: list[str] = []
        self._chosen = 0

    def show(self, title: str, columns: Sequence[Scored], chosen: int, notes: Sequence[str] = ()) -> None:
        """Show these answers, the plain one first; `notes` are said beneath, as far as there is room."""
        self._title, self._columns, self._chosen, self._notes = title, list(columns), chosen, list(notes)
        self.redraw()

    def move(self, columns: int, rows: int) -> None:
        """The answer at the left, or the right."""
        self._put(self._chosen + columns)

    def first(self) -> None:
        """The plain one."""
        self._put(0)

    def last(self) -> None:
        """The most augmented one."""
        self._put(len(self._columns) - 1)

    def _put(self, place: int) -> None:
        place = min(max(place, 0), len(self._columns) - 1)
        if self._columns and place != self._chosen:
            self._chosen = place
            self.redraw()
            self.post_message(self.AnswerChosen(place))

    def on_click(self, event: events.Click) -> None:
        """The answer that is pointed at."""
        seen, figure = self._seen(self.room.width)
        column = (event.x - 2 - NAME) // figure
        if event.x >= 2 + NAME and column < len(seen):
            self._put(seen[column])

    # -------------------------------------------------------- what it shows

    def heading(self) -> tuple[str, str]:
        """Of what these are the figures."""
        return self._title, ""

    def contents(self, width: int, height: int) -> list[Line]:
        """Heads, metrics, notes."""
        seen, figure = self._seen(width)
        keys = [key for key in METRICS if any(key in column.metrics for column in self._columns)]
        lines = [self._head(seen, figure), *(self._line(key, seen, figure) for key in keys)]
        lines.append([])
        for note in self._notes:  # each wholly, or not at all
            words = wrapped(note, width)
            if len(lines) + len(words) <= height:
                lines += [[Piece(word, "muted")] for word in words]
        return lines

    def _seen(self, width: int) -> tuple[list[int], int]:
        """The columns that have room, and how wide they are: the plain one, and of the others those to the last one,
        or to the chosen one."""
        count = len(self._columns)
        room = width - NAME - (DIFFERENCE if count > 1 else 0)
        most = max(room // NARROW, 2)
        figure = min(max(room // max(min(count, most), 1), NARROW), WIDE)
        if count <= most:
            return list(range(count)), figure
        last = max(self._chosen or count - 1, most - 1)
        return [0, *range(last - most + 2, last + 1)], figure

    def _head(self, seen: Sequence[int], figure: int) -> Line:
        several = len(self._columns) > 1
        head = [Piece(" " * NAME)]
        for place in seen:
            here = several and place == self._chosen
            word = cells.fit(self._columns[place].how, figure - 1, right=True)
            head += [Piece(" "), Piece(word, "accent" if here else "muted", here)]
        return [*head, Piece("diff".rjust(DIFFERENCE - 2), "muted")] if several else head

    def _line(self, key: str, seen: Sequence[int], figure: int) -> Line:
        line = [Piece(cells.fit(METRICS[key], NAME))]
        for place in seen:
            tone = "muted" if len(self._columns) > 1 and place != self._chosen else "strong" if key == "top1" else ""
            line.append(Piece(written(self._columns[place].metrics.get(key)).rjust(figure), tone))
        if len(self._columns) == 1:
            return line
        compared = self._columns[self._chosen or len(self._columns) - 1].metrics.get(key)
        return [*line, difference(key, self._columns[0].metrics.get(key), compared)]


def written(value: float | None) -> str:
    """Four digits: `.8512`; `–` where it is not known."""
    if value is None:
        return "–"
    if not math.isfinite(value) or abs(value) >= 100:
        return f"{value:.1e}" if math.isfinite(value) else str(value)
    text = f"{value:.4f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def difference(key: str, plain: float | None, other: float | None) -> Piece:
    """`+.0071 ✓`: by how much it is other than plain, and whether that is better."""
    if plain is None or other is None or not math.isfinite(other - plain):
        return Piece("–".rjust(DIFFERENCE - 2), "muted")
    if abs(other - plain) < ALIKE:
        return Piece("=".rjust(DIFFERENCE - 2), "muted")
    better = (other > plain) != (key in BETTER_IF_LESS)
    text = ("+" if other > plain else "-") + written(abs(other - plain))
    return Piece(text.rjust(DIFFERENCE - 2) + (" ✓" if better else " ✗"), "good" if better else "bad")


def wrapped(text: str, width: int) -> list[str]:
    """Words in lines of so many cells; a word that is longer is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if cells.width(longer, width + 1) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cells.fit(line, min(cells.width(line, width), width)) for line in lines if line]
