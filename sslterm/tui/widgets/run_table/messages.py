"""What a table of runs says to whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message
from textual.widget import Widget

from sslterm.runs.summary import Row


class FromTable(Message, namespace="run_table"):
    """What the messages of a table have in common."""

    def __init__(self, table: Widget) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Widget:
        """The table, so that `@on(RunOpened, "#runs")` finds it."""
        return self.table


class RunHighlighted(FromTable, namespace="run_table"):
    """The cursor came to another row, or the run there changed. `row` is None where it is on no run: on a group, whose
    runs are in `group`, or where nothing is listed."""

    def __init__(self, table: Widget, row: Row | None, group: Sequence[Row] = ()) -> None:
        super().__init__(table)
        self.row, self.group = row, group


class RunOpened(FromTable, namespace="run_table"):
    """A person wants to see this run."""

    def __init__(self, table: Widget, row: Row) -> None:
        super().__init__(table)
        self.row = row


class MarksChanged(FromTable, namespace="run_table"):
    """Other runs than before are marked, of those that are listed; in their order."""

    def __init__(self, table: Widget, paths: tuple[str, ...]) -> None:
        super().__init__(table)
        self.paths = paths


class SortChanged(FromTable, namespace="run_table"):
    """A person wants another order."""

    def __init__(self, table: Widget, key: str, falling: bool) -> None:
        super().__init__(table)
        self.key, self.falling = key, falling


class WindowChanged(FromTable, namespace="run_table"):
    """Other runs than before are in the window, or one of them is in another state."""

    def __init__(self, table: Widget, rows: Sequence[Row]) -> None:
        super().__init__(table)
        self.rows = rows

    def can_replace(self, message: Message) -> bool:
        """Only the newest window counts."""
        return isinstance(message, WindowChanged)
