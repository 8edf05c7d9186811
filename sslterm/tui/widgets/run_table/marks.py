"""Which runs are marked. A mark stays while a filter hides its run, and counts again when the run is back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table.listing import Entry, members

MARK, SOME, NONE = "●", "○", " "


class Marks:
    """Marked runs, by path."""

    def __init__(self) -> None:
        self._marked: set[str] = set()
        self.listed: tuple[str, ...] = ()
        """Those that are listed, in their order."""

    def look_at(self, entries: Sequence[Entry]) -> bool:
        """Take notice of what is listed now. Tells whether other runs than before are marked among it."""
        before = set(self.listed)
        paths = (row["path"] for entry in entries for row in members(entry.row))
        self.listed = tuple(dict.fromkeys(path for path in paths if path in self._marked)) if self._marked else ()
        return before != set(self.listed)

    def toggle(self, row: Row) -> None:
        """Mark a run, or a group's runs; unmark where all of them are."""
        paths = {one["path"] for one in members(row)}
        if paths <= self._marked:
            self._marked -= paths
        else:
            self._marked |= paths

    def mark(self, rows: Iterable[Row]) -> None:
        """Mark these too."""
        self._marked.update(one["path"] for row in rows for one in members(row))

    def clear(self) -> None:
        """Unmark all, seen or not."""
        self._marked.clear()

    def glyph(self, row: Row) -> str:
        """Marked, in part, or not."""
        if not self._marked:
            return NONE
        count = sum(one["path"] in self._marked for one in members(row))
        return NONE if not count else MARK if count == len(members(row)) else SOME
