"""What a table of checkpoints says to whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message
from textual.widget import Widget

from sslterm.runs.summary import Row


class FromTable(Message, namespace="checkpoint_table"):
    """What the messages of a table have in common."""

    def __init__(self, table: Widget) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Widget:
        """The table, so that `@on(CheckpointOpened, "#checkpoints")` finds it."""
        return self.table


class CheckpointHighlighted(FromTable, namespace="checkpoint_table"):
    """The cursor came to another checkpoint, or something else is known of the one it is on; None where none is."""

    def __init__(self, table: Widget, row: Row | None) -> None:
        super().__init__(table)
        self.row = row


class CheckpointOpened(FromTable, namespace="checkpoint_table"):
    """A person wants to see how good this one is."""

    def __init__(self, table: Widget, row: Row) -> None:
        super().__init__(table)
        self.row = row


class MarksChanged(FromTable, namespace="checkpoint_table"):
    """Others than before are marked."""


class CheckpointsInView(FromTable, namespace="checkpoint_table"):
    """Others than before are in the window; the one under the cursor comes first."""

    def __init__(self, table: Widget, rows: Sequence[Row]) -> None:
        super().__init__(table)
        self.rows = rows
