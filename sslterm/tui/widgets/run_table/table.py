"""The widget: runs in lines, a cursor, and marks. Binds no key; whoever shows it calls its methods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from textual import events

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table.columns import COLUMNS, chosen
from sslterm.tui.widgets.run_table.listing import members
from sslterm.tui.widgets.run_table.messages import (
    MarksChanged,
    RunHighlighted,
    RunOpened,
    SortChanged,
    WindowChanged,
)
from sslterm.tui.widgets.run_table.rows import Rows


class RunTable(Rows):
    """Runs, a line each: what can be done with them."""

    RunHighlighted = RunHighlighted
    RunOpened = RunOpened
    MarksChanged = MarksChanged
    SortChanged = SortChanged
    WindowChanged = WindowChanged

    _row: Row | None = None
    """The row under the cursor when it was last told."""
    _window: Sequence[Hashable] = ()
    """What was in the window when it was last told."""

    # ---------------------------------------------------------------- what is listed

    def show(self, rows: Sequence[Row]) -> None:
        """List these runs. Cursor, marks and window stay with the runs they are at."""
        self._listing.rows = rows
        self._rearrange()

    def show_curves(self, curves: Mapping[str, str]) -> None:
        """Draw these curves beside their runs, by path; only lines whose curve is another are drawn anew."""
        self._curves = dict(curves)
        self.redraw()

    def tell_apart(self, likeness: Mapping[str, Hashable]) -> None:
        """Runs of one group have the same likeness, by path: all their settings but the seed."""
        self._listing.likeness = likeness
        if self.grouped:
            self._rearrange()

    @property
    def listed(self) -> Sequence[Row]:
        """Every run that is listed, those folded into groups too."""
        return self._listing.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are wanted; those without room or content are not seen."""
        return tuple(column.key for column in self._columns)

    @columns.setter
    def columns(self, keys: Sequence[str]) -> None:
        self._columns = chosen(keys)
        self._rearrange()

    @property
    def highlighted(self) -> Row | None:
        """The run under the cursor; None on a group, so that what is meant for one run never befalls several."""
        return None if self._row is None or "members" in self._row else self._row

    @property
    def marked(self) -> tuple[str, ...]:
        """The paths of the marked runs, of those that are listed: nothing unseen is ever among them."""
        return self._marks.listed

    @property
    def sorting(self) -> tuple[str, bool]:
        """The column that is sorted by, and whether the greatest is first."""
        return self._listing.sorted_by, self._listing.falling

    @sorting.setter
    def sorting(self, how: tuple[str, bool]) -> None:
        self._listing.sorted_by, self._listing.falling = how
        self._rearrange()

    # ---------------------------------------------------------------- what a person does

    def move(self, rows: int) -> None:
        """Move the cursor down, or up."""
        self._go(self._cursor + rows)

    def page(self, pages: int) -> None:
        """Move the cursor by what the window holds."""
        if self._tops:
            line = self._tops[self._cursor] + pages * max(1, self.room.height - 1)
            self._go(self._rows_of_lines[min(max(line, 0), len(self._rows_of_lines) - 1)])

    def first(self) -> None:
        """Go to the first row."""
        self._go(0)

    def last(self) -> None:
        """Go to the last row."""
        self._go(len(self._entries) - 1)

    def open(self) -> None:
        """Ask for the run under the cursor; open or close a group."""
        if self._row is None:
            return
        if "members" not in self._row:
            self.post_message(RunOpened(self, self._row))
        elif self._row["path"] in self._listing.opened:
            self.close_group()
        else:
            self.open_group()

    def open_group(self) -> None:
        """Show the runs of the group under the cursor."""
        if self._row is not None and "members" in self._row:
            self._listing.opened.add(self._row["path"])
            self._rearrange()

    def close_group(self) -> None:
        """Hide the runs of the group that the cursor is on or in."""
        if self._row is None:
            return
        group = self._listing.group_of(self._cursor)
        if self._entries[group].group:
            self._go(group)
            self._listing.opened.discard(self._entries[group].row["path"])
            self._rearrange()

    def toggle_mark(self) -> None:
        """Mark or unmark the run under the cursor, or all runs of the group."""
        if self._row is not None:
            self._marks.toggle(self._row)
            self._show_marks()

    def mark_all(self) -> None:
        """Mark every run that is listed."""
        self._marks.mark(entry.row for entry in self._entries)
        self._show_marks()

    def unmark_all(self) -> None:
        """Unmark every run, listed or not."""
        self._marks.clear()
        self._show_marks()

    def sort(self, key: str) -> None:
        """Sort by a column; once more turns the order round."""
        by, falling = self.sorting
        self.sorting = (key, not falling if key == by else COLUMNS[key].falling)
        self.post_message(SortChanged(self, *self.sorting))

    def sort_next(self) -> None:
        """Sort by the next column that is seen."""
        keys = [one.column.key for one in self._painter.placed if one.column.value is not None]
        by = self.sorting[0]
        if keys:
            self.sort(keys[(keys.index(by) + 1) % len(keys)] if by in keys else keys[0])

    def turn_order(self) -> None:
        """Sort by the same column the other way round."""
        self.sort(self.sorting[0])

    # ---------------------------------------------------------------- showing and telling

    def _rearrange(self) -> None:
        self.reorder()
        self.redraw()
        self._tell_highlight()
        self._tell_marks()

    def _go(self, place: int) -> None:
        self.put_cursor(place)
        self.redraw()
        self._tell_highlight()

    def _tell_highlight(self) -> None:
        """Remember the row under the cursor, and tell if it is another than before, or says something else."""
        before, self._row = self._row, self.under_cursor()
        if before != self._row:
            group = members(self._row) if self._row and "members" in self._row else ()
            self.post_message(RunHighlighted(self, self.highlighted, group))

    def redraw(self) -> None:
        """Draw what is seen; tell which runs that are, if others than before, or in another state."""
        super().redraw()
        rows = self.in_window()
        window = tuple((row["path"], row["state"], row["best_metric"]) for row in rows)
        if window != self._window:
            self._window = window
            self.post_message(WindowChanged(self, rows))

    def _show_marks(self) -> None:
        self.redraw()
        self._tell_marks()

    def _tell_marks(self) -> None:
        """Tell which runs are marked, if others than before are."""
        if self._marks.look_at(self._entries):
            self.post_message(MarksChanged(self, self.marked))

    def watch_grouped(self) -> None:
        """Fold or unfold."""
        self._listing.grouped = self.grouped
        self._rearrange()

    def watch_reasons(self) -> None:
        """Make lines for reasons, or take them away."""
        self._rearrange()

    def watch_baseline(self) -> None:
        """Show which run it is."""
        self.redraw()

    def watch_empty(self) -> None:
        """Say something else."""
        self.redraw()

    # ---------------------------------------------------------------- the mouse

    def on_click(self, event: events.Click) -> None:
        """A head sorts, a row takes the cursor, twice opens it."""
        where = event.get_content_offset(self)
        if where is None:
            return
        line = self.top + where.y - 1
        if where.y == 0 and self._entries:
            if (key := self._painter.column_at(where.x)) is not None:
                self.sort(key)
        elif 0 <= line < len(self._rows_of_lines):
            self._go(self._rows_of_lines[line])
            if event.chain == 2:
                self.open()
