"""Lines of the table as strips: the heads of columns, a run, and why a run failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table import cells
from sslterm.tui.widgets.run_table.layout import GUTTER, Placed
from sslterm.tui.widgets.run_table.listing import Entry
from sslterm.tui.widgets.state_label import TONES

LEAD = 2
"""Cells before a name where runs are in groups."""
PIN = "◆"


class Looks(NamedTuple):
    """What a row looks like beside what it says."""

    cursor: bool = False
    mark: str = " "
    pinned: bool = False
    open: bool = False


class Painter:
    """Draws lines of one layout. `style(tone, cursor)` gives colours."""

    def __init__(
        self, placed: Sequence[Placed], width: int, grouped: bool, style: Callable[[str, bool], Style]
    ) -> None:
        self.placed = placed
        self.width = width
        self.grouped = grouped
        self.style = style

    def header(self, sorted_by: str, falling: bool) -> Strip:
        """The heads of the columns; an arrow shows the one that is sorted by and which way."""
        parts = []
        for one in self.placed:
            title, tone = one.column.title, "header"
            if one.column.key == sorted_by:
                arrow, tone = "▾" if falling else "▴", "sorted"
                title = f"{arrow} {title}" if one.column.right else f"{title} {arrow}"
            parts.append((one, " " * LEAD + title if self._led(one) else title, tone))
        return self._line([(" " * GUTTER, "header")], parts, "header", cursor=False)

    def row(self, entry: Entry, looks: Looks) -> Strip:
        """A run or a group."""
        row = entry.row
        parts = []
        for one in self.placed:
            text = one.column.text(row)
            if self._led(one):
                text = self._lead(entry, looks.open) + text
            tone = TONES.get(row["state"], "trouble") if one.column.tone == "state" else one.column.tone
            parts.append((one, text, tone))
        gutter = [(looks.mark, "accent"), (PIN if looks.pinned else " ", "accent"), (" " * (GUTTER - 2), "")]
        return self._line(gutter, parts, "", looks.cursor)

    def reason(self, row: Row, cursor: bool) -> Strip:
        """Why a run is in trouble, beneath it."""
        indent = GUTTER + 2
        text = " " * indent + cells.fit(row["reason"], max(0, self.width - indent - 1)) + " "
        return self._strip([(text, "reason")], cursor)

    def words(self, text: str, tone: str = "muted") -> Strip:
        """A line of its own, in the middle."""
        text = cells.clean(text, self.width)
        room = max(0, self.width - cells.width(text, self.width))
        return self._strip([(" " * (room // 2) + text + " " * (room - room // 2), tone)], cursor=False)

    def column_at(self, x: int) -> str | None:
        """The column whose head is there."""
        return next(
            (one.column.key for one in self.placed if one.column.value and one.x - 1 <= x <= one.x + one.width), None
        )

    def _led(self, one: Placed) -> bool:
        return self.grouped and one.column.key == "name"

    def _lead(self, entry: Entry, opened: bool) -> str:
        if entry.group:
            return "▾ " if opened else "▸ "
        return "│ " if entry.inside else " " * LEAD

    def _line(
        self, before: list[tuple[str, str]], parts: Sequence[tuple[Placed, str, str]], between: str, cursor: bool
    ) -> Strip:
        """Cells in their places, blanks between them."""
        pieces, x = before, GUTTER
        for one, text, tone in parts:
            pieces.append((" " * (one.x - x), between))
            pieces.append((cells.fit(text, one.width, one.column.right, one.column.key == "name"), tone))
            x = one.x + one.width
        pieces.append((" " * max(0, self.width - x), between))
        return self._strip(pieces, cursor)

    def _strip(self, pieces: Sequence[tuple[str, str]], cursor: bool) -> Strip:
        segments = [Segment(text, self.style(tone, cursor)) for text, tone in pieces if text]
        return Strip(segments).adjust_cell_length(self.width, self.style("", cursor))
