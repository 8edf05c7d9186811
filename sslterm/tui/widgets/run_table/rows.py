"""Runs in lines: what is on each line, where the cursor is, and how the window stays with what it shows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import accumulate
from typing import Any, ClassVar

from textual.reactive import var
from textual.strip import Strip

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table import layout
from sslterm.tui.widgets.run_table.columns import USUAL, Column, chosen
from sslterm.tui.widgets.run_table.listing import Entry, Listing, members
from sslterm.tui.widgets.run_table.marks import Marks
from sslterm.tui.widgets.run_table.paint import LEAD, Looks, Painter
from sslterm.tui.widgets.state_label import TONES
from sslterm.tui.widgets.toned_lines import TonedLines

TALL, WIDE = 12, 50
"""Lines and cells from which there is room to say why runs are in trouble."""
MEMBERS = 3
"""How many runs of a group stand for it where all would be too many."""


class Rows(TonedLines):
    """Runs, a line each, and one under the cursor."""

    DEFAULT_CSS = """
    Rows {
        color: $foreground;
        & > .run-table--header, & > .run-table--muted { color: $text-muted; }
        & > .run-table--sorted, & > .run-table--accent { color: $text-primary; text-style: bold; }
        & > .run-table--curve { color: $primary 80%; }
        & > .run-table--reason { color: $text-muted; text-style: italic; }
        & > .run-table--working { color: $text-success; }
        & > .run-table--waiting { color: $text-warning; }
        & > .run-table--trouble { color: $text-error; }
        & > .run-table--cursor { background: $primary 12%; }
        &:focus > .run-table--cursor { background: $primary 30%; text-style: bold; }
        &:ansi > .run-table--cursor, &:nocolor > .run-table--cursor { background: transparent; text-style: reverse; }
    }
    """
    TONES_OF = "run-table"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"run-table--{tone}" for tone in (
            "header", "muted", "sorted", "accent", "curve", "reason", "working", "waiting", "trouble", "over", "cursor",
        )
    }  # fmt: skip

    baseline: var[str | None] = var(None, init=False)
    """The path of the run that others are compared with."""
    grouped: var[bool] = var(False, init=False)
    """Whether runs that differ in their seed only are folded into one row."""
    reasons: var[bool] = var(False, init=False)
    """Whether runs in trouble say why on a line of their own, where there is room."""

    def __init__(
        self,
        columns: Sequence[str] = USUAL,
        *,
        empty: str = "no runs",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(Rows.empty, empty)
        self._columns: list[Column] = chosen(columns)
        self._listing = Listing()
        self._marks = Marks()
        self._curves: dict[str, str] = {}
        self._cursor = 0
        self._rows_of_lines: list[int] = []
        self._tops: list[int] = []
        self._measured: dict[int, Row] = {}
        """The rows that widths were measured of: kept, so that their numbers are not given to others."""
        self._how: tuple[Any, ...] = ()
        self._wide: dict[str, int] = {}
        self._painter = Painter([], 0, False, self._style)

    @property
    def _entries(self) -> list[Entry]:
        return self._listing.entries

    def under_cursor(self) -> Row | None:
        """The run or group that the cursor is on."""
        return self._entries[self._cursor].row if self._entries else None

    def in_window(self) -> list[Row]:
        """The runs in the window; of a group the first few."""
        lines = self._rows_of_lines[self.top : self.top + self.room.height]
        return [run for place in dict.fromkeys(lines) for run in members(self._entries[place].row)[:MEMBERS]]

    def reorder(self) -> None:
        """Order the rows anew; the cursor stays with its run, the window with what it shows."""
        row, anchor, followed = self.under_cursor(), self._anchor(), self._sees_cursor()
        self._listing.arrange()
        place = self._listing.place(row) if row is not None else None
        self._cursor = max(0, min(self._cursor if place is None else place, len(self._entries) - 1))
        self._lay_out()
        if anchor is not None and (place := self._listing.place(anchor[0])) is not None:
            self.top = self._tops[place] - anchor[1]
        if followed:
            self._reveal_cursor()

    def put_cursor(self, place: int) -> None:
        """Put the cursor on a row, and scroll to it."""
        self._cursor = max(0, min(place, len(self._entries) - 1))
        self._reveal_cursor()

    def _anchor(self) -> tuple[Row, int] | None:
        """A row that is seen, and how far from the top: the cursor's if that is seen. A list seen from its beginning
        has none, for there the newest run is to appear."""
        if not self.top or not self._entries:
            return None
        place = self._cursor if self._sees_cursor() else self._rows_of_lines[self.top]
        return self._entries[place].row, self._tops[place] - self.top

    def resized(self) -> None:
        """See which columns and reasons have room now."""
        self._lay_out()
        self._reveal_cursor()

    def _lay_out(self) -> None:
        """Give columns their widths and rows their lines."""
        self.forget()
        width = self.room.width
        lead = LEAD if self.grouped else 0
        rows = [entry.row for entry in self._entries]
        wishes = self._wishes(rows, lead)
        self._painter = Painter(layout.place(wishes, width, self._listing.sorted_by), width, self.grouped, self._style)
        tall = self.reasons and self.room.height >= TALL and width >= WIDE
        heights = [1 + _in_trouble(row) for row in rows] if tall else [1] * len(rows)
        self._tops = [0, *accumulate(heights)][:-1]
        self._rows_of_lines = [place for place, height in enumerate(heights) for _ in range(height)]
        self.hold(len(self._rows_of_lines))

    def _wishes(self, rows: Sequence[Row], lead: int) -> list[tuple[Column, int]]:
        """How wide each column would like to be. Most rows are the very ones that were measured before."""
        how = (tuple(self._columns), self._listing.sorted_by, lead)
        known, self._measured = self._measured, {id(row): row for row in rows}
        new = [row for row in rows if id(row) not in known]
        if how != self._how or len(new) > len(rows) // 10 or len(known) > len(rows):
            self._wide = {column.key: width for column, width in layout.wanted(self._columns, rows, how[1], lead)}
        else:
            for column, width in layout.wanted(self._columns, new, how[1], lead):
                self._wide[column.key] = max(width, self._wide.get(column.key, 0))
        self._how = how
        return [(column, self._wide[column.key]) for column in self._columns if column.key in self._wide]

    def _sees_cursor(self) -> bool:
        return not self._tops or self.sees(self._tops[self._cursor])

    def _reveal_cursor(self) -> None:
        if self._tops:
            after = self._tops[self._cursor + 1] if self._cursor + 1 < len(self._tops) else len(self._rows_of_lines)
            self.reveal(self._tops[self._cursor], after - 1)
            if self.top and self._rows_of_lines[self.top] == self._rows_of_lines[self.top - 1] != self._cursor:
                self.top += 1  # a reason without its run tells nothing

    # ---------------------------------------------------------------- how it looks

    def head(self) -> Strip:
        """The heads of the columns."""
        return self._painter.header(self._listing.sorted_by, self._listing.falling)

    def look(self, line: int) -> Hashable:
        """A row's lines change with cursor, mark, pin and curve; its words change with `show` only."""
        place = self._rows_of_lines[line]
        return line, self._looks(place), self._curve(place)

    def _curve(self, place: int) -> str:
        """A run's curve; of a group the first that is known."""
        curves = (self._curves.get(one["path"]) for one in members(self._entries[place].row)[:MEMBERS])
        return next(filter(None, curves), "")

    def _looks(self, place: int) -> Looks:
        row = self._entries[place].row
        pinned = self.baseline is not None and any(one["path"] == self.baseline for one in members(row))
        return Looks(place == self._cursor, self._marks.glyph(row), pinned, row["path"] in self._listing.opened)

    def draw(self, line: int) -> Strip:
        """A row, or why it is in trouble."""
        place = self._rows_of_lines[line]
        if line > self._tops[place]:
            return self._painter.reason(self._entries[place].row, place == self._cursor)
        entry = self._entries[place]
        row = {**entry.row, "spark": self._curve(place)}
        return self._painter.row(entry._replace(row=row), self._looks(place))


def _in_trouble(row: Row) -> bool:
    return TONES.get(row["state"]) == "trouble" and bool(row["reason"])
