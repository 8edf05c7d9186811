"""The rows that a table shows, in order: sorted, folded into groups, and where in them a run is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table import groups
from sslterm.tui.widgets.run_table.columns import COLUMNS, Column


def ordered(rows: Sequence[Row], column: Column, falling: bool) -> list[Row]:
    """Sorted by a column; what has no value there comes last either way, and among equals the newest first."""
    newest = sorted(rows, key=lambda row: (row["created"] or 0.0, row["name"]), reverse=True)
    if column.key == "age" and not falling:
        return newest
    value: Callable[[Row], Any] = column.value or (lambda row: None)
    values = [(value(row), row) for row in newest]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=falling)
    return [row for _, row in known] + [row for value, row in values if value is None]


def members(row: Row) -> list[Row]:
    """The runs of a group, or the run itself."""
    found: list[Row] = row.get("members") or [row]
    return found


class Entry(NamedTuple):
    """One row of the table."""

    row: Row
    inside: bool = False
    """Whether it is a run of the opened group above."""

    @property
    def group(self) -> bool:
        """Whether it stands for several runs."""
        return "members" in self.row


@dataclass
class Listing:
    """What is listed. `arrange` after any change."""

    rows: Sequence[Row] = ()
    sorted_by: str = "age"
    falling: bool = False
    grouped: bool = False
    opened: set[str] = field(default_factory=set)
    """The groups that show their runs, by their path."""
    likeness: Mapping[str, Hashable] = field(default_factory=dict)
    """By path: the same for runs whose settings differ in their seed only. Where it is not known, presets tell."""
    entries: list[Entry] = field(default_factory=list)
    _folds: groups.Folds = field(default_factory=groups.Folds)

    def arrange(self) -> None:
        """Sort and fold anew."""
        column = COLUMNS[self.sorted_by]
        rows = self._folded() if self.grouped else self.rows
        self.entries = []
        for row in ordered(rows, column, self.falling):
            self.entries.append(Entry(row))
            if row["path"] in self.opened and "members" in row:
                inside = [{**one, "best_spread": None} for one in members(row)]
                self.entries += [Entry(one, inside=True) for one in ordered(inside, column, self.falling)]

    def _folded(self) -> Sequence[Row]:
        """Runs beside groups have a spread that is not known: `best` then stands in line with the means."""
        rows = self._folds.fold(self.rows, self.likeness)
        if len(rows) == len(self.rows):
            return self.rows
        return [row if "members" in row else {**row, "best_spread": None} for row in rows]

    def at(self, path: str) -> int | None:
        """Where the run or group of this path is."""
        return next((place for place, entry in enumerate(self.entries) if entry.row["path"] == path), None)

    def place(self, row: Row) -> int | None:
        """Where this run or group is now: itself, the group that holds it, or the first run of what it held."""
        place = self.at(row["path"])
        if place is not None:
            return place
        paths = {one["path"] for one in members(row)}
        holds = (
            place for place, entry in enumerate(self.entries) if any(r["path"] in paths for r in members(entry.row))
        )
        return next(holds, None)

    def group_of(self, place: int) -> int:
        """The group that the row at this place belongs to; the row itself where it belongs to none."""
        while self.entries[place].inside:
            place -= 1
        return place
