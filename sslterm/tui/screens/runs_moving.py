"""Moving in the list of runs: what a list has beside any table, groups and columns."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.message import Message

from sslterm.tui.looking.likeness import likeness
from sslterm.tui.screens.acting import Acting, Row
from sslterm.tui.screens.column_chooser import ColumnChooser
from sslterm.tui.screens.over_table import OverTable
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.run_table import RunTable


class LikenessRead(Message):
    """What tells which runs differ in their seed only, by their paths."""

    def __init__(self, found: dict[str, Hashable]) -> None:
        super().__init__()
        self.found = found


class Moving(OverTable, Acting):
    """A screen with a table of runs."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.likeness: dict[str, Hashable] = {}

    @property
    def table(self) -> RunTable:
        """The list."""
        return self.query_one(RunTable)

    def do_unfold(self) -> None:
        """Open a group."""
        self.table.open_group()

    def do_fold(self) -> None:
        """Close a group."""
        self.table.close_group()

    def do_columns(self) -> None:
        """Choose what is shown of each run."""

        def take(chosen: list[str] | None) -> None:
            if chosen is not None:
                self.table.columns = chosen

        self.app.push_screen(ColumnChooser(self.table.columns), take)

    # -------------------------------------------------------- groups

    def do_group(self) -> None:
        """Fold runs that differ in their seed only, or show each by itself again."""
        self.table.grouped = not self.table.grouped
        if self.table.grouped:
            self.read_likeness(self.table.listed)

    def read_likeness(self, rows: Sequence[Row]) -> None:
        """Settings never change, so each run is read once."""
        paths = [row["path"] for row in rows if row["path"] not in self.likeness]

        def read() -> None:
            self.post_from_thread(LikenessRead({path: likeness(path) for path in paths}))

        if paths:
            self.run_worker(read, thread=True, exclusive=True, group="likeness", exit_on_error=False)

    def on_likeness_read(self, message: LikenessRead) -> None:
        """Now those that differ in more than their seed can be told apart."""
        self.likeness |= message.found
        self.table.tell_apart(self.likeness)
