"""Checkpoints in lines: where the cursor is, and how it all looks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.strip import Strip

from sslterm.runs.summary import Row
from sslterm.runs.wholeness import Finding
from sslterm.tui.widgets.checkpoint_table.columns import columns, ordered, placed
from sslterm.tui.widgets.run_table import cells
from sslterm.tui.widgets.run_table.columns import Column
from sslterm.tui.widgets.run_table.layout import GUTTER, wanted
from sslterm.tui.widgets.run_table.paint import Painter
from sslterm.tui.widgets.toned_lines import TonedLines

MARK, BEST = "●", "★"
TONES = ("header", "muted", "sorted", "accent", "verified", "damaged", "gone", "cursor")


class RowPainter(Painter):
    """Draws checkpoints as strips."""

    def checkpoint(self, row: Row, finding: Finding | None, marked: bool, cursor: bool) -> Strip:
        """One checkpoint."""
        parts = []
        for one in self.placed:
            tone = one.column.tone
            if tone == "state":
                tone = finding.word if finding and finding.word in TONES else "muted"
            text = one.column.text(row)
            if one.column.key in ("run", "name"):  # their ends tell most
                text = cells.fit(text, one.width, both_ends=True)
            parts.append((one, text, tone))
        signs = f"{MARK if marked else ' '}{BEST if row['best'] else ' '}"
        return self._line([(signs, "accent"), (" " * (GUTTER - len(signs)), "")], parts, "", cursor)


class CheckpointRows(TonedLines):
    """Checkpoints, a line each, and one under the cursor."""

    DEFAULT_CSS = """
    CheckpointRows {
        color: $foreground;
        & > .checkpoint-table--header, & > .checkpoint-table--muted { color: $text-muted; }
        & > .checkpoint-table--sorted, & > .checkpoint-table--accent { color: $text-primary; text-style: bold; }
        & > .checkpoint-table--verified { color: $text-success; }
        & > .checkpoint-table--damaged { color: $text-error; text-style: bold; }
        & > .checkpoint-table--gone { color: $text-warning; }
        & > .checkpoint-table--cursor { background: $primary 12%; }
        &:focus > .checkpoint-table--cursor { background: $primary 30%; text-style: bold; }
        &:ansi > .checkpoint-table--cursor, &:nocolor > .checkpoint-table--cursor {
            background: transparent; text-style: reverse;
        }
    }
    """
    TONES_OF = "checkpoint-table"
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"checkpoint-table--{tone}" for tone in TONES}

    def __init__(self, several: bool = False, *, id: str | None = None, classes: str | None = None) -> None:
        """`several`: checkpoints are of several runs, and say of which."""
        super().__init__(id=id, classes=classes)
        self.set_reactive(CheckpointRows.empty, "no checkpoint")
        self.findings: dict[str, Finding] = {}
        self._given: Sequence[Row] = ()
        self._rows: list[Row] = []
        self._columns: list[Column] = columns(self.findings, several)
        self._wishes: dict[str, int] = {}
        self._sorted_by, self._falling = "", False
        self._marked: set[str] = set()
        self._cursor = 0
        self._painter: RowPainter = RowPainter([], 0, False, self._style)

    def under_cursor(self) -> Row | None:
        """The checkpoint that the cursor is on."""
        return self._rows[self._cursor] if self._rows else None

    def in_view(self) -> list[Row]:
        """Those in the window."""
        return self._rows[self.top : self.top + self.room.height]

    def reorder(self) -> None:
        """Order the rows anew; the cursor stays with its checkpoint, and that with its place in the window."""
        row, above = self.under_cursor(), self._cursor - self.top
        followed = not self._rows or self.sees(self._cursor)
        by = next((column for column in self._columns if column.key == self._sorted_by), None)
        self._rows = ordered(self._given, by, self._falling)
        if row is not None:
            place = next((place for place, one in enumerate(self._rows) if one["path"] == row["path"]), self._cursor)
            self._cursor = max(0, min(place, len(self._rows) - 1))
        self._lay_out()
        if followed and self.top:
            self.top = self._cursor - above
        if followed:
            self.reveal(self._cursor, self._cursor)

    def put_cursor(self, place: int) -> None:
        """Put the cursor on a row, and scroll to it."""
        self._cursor = max(0, min(place, len(self._rows) - 1))
        self.reveal(self._cursor, self._cursor)

    def resized(self) -> None:
        """See which columns have room now."""
        self._lay_out()
        self.reveal(self._cursor, self._cursor)

    def measure(self, rows: Sequence[Row]) -> None:
        """See how wide columns would like to be for these rows, too. They never become narrower, so that only what is
        new need be measured."""
        for column, wish in wanted(self._columns, rows, ""):
            self._wishes[column.key] = max(wish, self._wishes.get(column.key, 0))

    def _lay_out(self) -> None:
        """Give columns their widths."""
        self.forget()
        width = self.room.width
        shown = [(one, self._wishes[one.key]) for one in self._columns if one.key in self._wishes]
        wishes = [(one, wish + 2 if one.key == self._sorted_by else wish) for one, wish in shown]  # for the arrow
        self._painter = RowPainter(placed(wishes, width, self._sorted_by), width, False, self._style)
        self.hold(len(self._rows))

    # ---------------------------------------------------------------- how it looks

    def head(self) -> Strip:
        """The heads of the columns."""
        return self._painter.header(self._sorted_by, self._falling)

    def look(self, line: int) -> Hashable:
        """A line changes with cursor, mark and finding; its words change with `show` only."""
        path = self._rows[line]["path"]
        return line, line == self._cursor, path in self._marked, self.findings.get(path)

    def draw(self, line: int) -> Strip:
        """A checkpoint."""
        row = self._rows[line]
        path = row["path"]
        return self._painter.checkpoint(row, self.findings.get(path), path in self._marked, line == self._cursor)
