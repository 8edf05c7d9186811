"""The widget: checkpoints in lines, a cursor, and marks. Binds no key; whoever shows it calls its methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from textual import events

from sslterm.runs.summary import Row
from sslterm.runs.wholeness import Finding
from sslterm.tui.widgets.checkpoint_table.messages import (
    CheckpointHighlighted,
    CheckpointOpened,
    CheckpointsInView,
    MarksChanged,
)
from sslterm.tui.widgets.checkpoint_table.rows import CheckpointRows
from sslterm.tui.widgets.checkpoint_table.words import state


class CheckpointTable(CheckpointRows):
    """Checkpoints, a line each: what can be done with them."""

    CheckpointHighlighted = CheckpointHighlighted
    CheckpointOpened = CheckpointOpened
    CheckpointsInView = CheckpointsInView
    MarksChanged = MarksChanged

    _told: tuple[Row | None, Finding | None] = (None, None)
    """What the cursor was on when it was last told, and what was known of it."""
    _viewed: tuple[str, ...] = ()
    """What was in the window when it was last told."""
    _damaged: Set[str] = frozenset()
    """The paths of those that are known to be."""

    # ---------------------------------------------------------------- what is listed

    def show(self, rows: Sequence[Row]) -> None:
        """List these. Cursor and window stay with the checkpoints they are at; marks of those that are gone go."""
        before = {id(row) for row in self._given}
        self.measure([row for row in rows if id(row) not in before])
        self._given = rows
        if self._marked or self._damaged:
            self._forget_what_is_gone({row["path"] for row in rows})
        self._viewed = ()  # a file may be another one under the same name
        self._rearrange()

    def _forget_what_is_gone(self, there: set[str]) -> None:
        self._damaged &= there
        if not self._marked <= there:
            self._marked &= there
            self.post_message(MarksChanged(self))

    def found(self, findings: Mapping[str, Finding]) -> None:
        """Something else is known of these files. Only lines that say something else are drawn."""
        damaged = {path for path, one in findings.items() if one.word == "damaged"}
        self._damaged = (self._damaged - findings.keys()) | damaged
        self.findings.update(findings)
        if damaged:
            self.measure([row for row in self._rows if row["path"] in damaged])
        if damaged or self._sorted_by == "state":
            self._rearrange()
        else:
            self.redraw()
            self._tell_highlight()

    def unknown(self, rows: Sequence[Row]) -> None:
        """What was known of these files does not count until they are read again."""
        for row in rows:
            self.findings.pop(row["path"], None)
        self._damaged -= {row["path"] for row in rows}
        self.redraw()
        self._tell_highlight()

    @property
    def damaged(self) -> int:
        """How many are known to be."""
        return len(self._damaged)

    @property
    def listed(self) -> Sequence[Row]:
        """Every checkpoint, in the order it is listed in."""
        return self._rows

    @property
    def highlighted(self) -> Row | None:
        """The checkpoint under the cursor."""
        return self.under_cursor()

    @property
    def marked(self) -> list[Row]:
        """The marked ones, in the order they are listed in."""
        return [row for row in self._rows if row["path"] in self._marked] if self._marked else []

    @property
    def sorting(self) -> tuple[str, bool]:
        """The column that is sorted by (empty: as they were given), and whether the greatest is first."""
        return self._sorted_by, self._falling

    def known(self, row: Row) -> Finding | None:
        """What is known of its file."""
        return self.findings.get(row["path"])

    def said(self, row: Row) -> str:
        """The same in words."""
        return state(row, self.known(row))

    # ---------------------------------------------------------------- what a person does

    def move(self, rows: int) -> None:
        """Move the cursor down, or up."""
        self._go(self._cursor + rows)

    def page(self, pages: int) -> None:
        """Move the cursor by what the window holds."""
        self._go(self._cursor + pages * max(1, self.room.height - 1))

    def first(self) -> None:
        """Go to the first row."""
        self._go(0)

    def last(self) -> None:
        """Go to the last row."""
        self._go(len(self._rows) - 1)

    def open(self) -> None:
        """Ask for the checkpoint under the cursor."""
        row = self.under_cursor()
        if row is not None:
            self.post_message(CheckpointOpened(self, row))

    def toggle_mark(self) -> None:
        """Mark or unmark the one under the cursor."""
        row = self.under_cursor()
        if row is not None:
            self._marked ^= {row["path"]}
            self.redraw()
            self.post_message(MarksChanged(self))

    def mark_all(self) -> None:
        """Mark every one that is listed."""
        self._marked = {row["path"] for row in self._rows}
        self.redraw()
        self.post_message(MarksChanged(self))

    def unmark_all(self) -> bool:
        """Unmark every one. Tells whether there was any."""
        any_marked = bool(self._marked)
        self._marked = set()
        if any_marked:
            self.redraw()
            self.post_message(MarksChanged(self))
        return any_marked

    def sort(self, key: str) -> None:
        """Sort by a column; once more turns the order round."""
        column = next((one for one in self._columns if one.key == key), None)
        if column is not None:
            self._falling = not self._falling if key == self._sorted_by else column.falling
            self._sorted_by = key
            self._rearrange()

    def sort_next(self) -> None:
        """Sort by the next column that is seen; after the last, as they were given."""
        keys = ["", *(one.column.key for one in self._painter.placed)]
        key = keys[(keys.index(self._sorted_by) + 1) % len(keys)] if self._sorted_by in keys else keys[0]
        self._sorted_by, self._falling = "", False
        if key:
            self.sort(key)
        else:
            self._rearrange()

    def turn_order(self) -> None:
        """Sort by the same column the other way round."""
        self.sort(self._sorted_by or "age")

    # ---------------------------------------------------------------- showing and telling

    def redraw(self) -> None:
        """Draw what has changed, and tell what is in the window."""
        super().redraw()
        row, rows = self.under_cursor(), self.in_view()
        if row is not None and self.sees(self._cursor):
            rows = [row, *(one for one in rows if one is not row)]
        viewed = tuple(one["path"] for one in rows)
        if viewed != self._viewed:
            self._viewed = viewed
            self.post_message(CheckpointsInView(self, rows))

    def _rearrange(self) -> None:
        self.reorder()
        self.redraw()
        self._tell_highlight()

    def _go(self, place: int) -> None:
        self.put_cursor(place)
        self.redraw()
        self._tell_highlight()

    def _tell_highlight(self) -> None:
        """Tell what is under the cursor, if it is another than before, or something else is known of it."""
        row = self.under_cursor()
        now = (row, self.known(row) if row else None)
        if now != self._told:
            self._told = now
            self.post_message(CheckpointHighlighted(self, row))

    def watch_empty(self) -> None:
        """Say something else."""
        if not self._rows:
            self.refresh()
            self.redraw()

    # ---------------------------------------------------------------- the mouse

    def on_click(self, event: events.Click) -> None:
        """A head sorts, a row takes the cursor, twice opens it."""
        where = event.get_content_offset(self)
        if where is None or not self._rows:
            return
        line = self.top + where.y - 1
        if where.y == 0:
            if (key := self._painter.column_at(where.x)) is not None:
                self.sort(key)
        elif line < len(self._rows):
            self._go(line)
            if event.chain == 2:
                self.open()
