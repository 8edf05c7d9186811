"""From rows to columns: what one attempt measured.

Metrics that were always measured together share a table, and so its steps, epochs and times; a metric that was measured
seldom takes little room. Names lead to exactly one table each.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress, groupby
from pathlib import Path
from typing import Any

from sslterm.runs.columns.series import Series
from sslterm.runs.metrics import number

PLACE = ("step", "epoch", "time")
NO_METRICS = {*PLACE, "stage"}


@dataclass
class Table:
    """Columns of equal length: where in the run, and the metrics that were measured there."""

    place: tuple[Series, ...]
    metrics: dict[str, Series]

    def series(self) -> list[Series]:
        """Every column."""
        return [*self.place, *self.metrics.values()]


class Tables:
    """Every metric of an attempt. `folder` holds what of it was kept in files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: list[Table] = []
        self.first: int | None = None
        """The step that the attempt began at: it replaces what earlier ones said from there on."""
        self.furthest = -math.inf
        self.ordered = True
        """Whether steps never went back."""
        self.files = 0
        """How many names of files were given out."""
        self._home: dict[str, Table] = {}

    def begin(self, table: Table) -> None:
        """One more table, of metrics that are in none."""
        self.all.append(table)
        self._home.update(dict.fromkeys(table.metrics, table))

    def names(self, before: float) -> list[str]:
        """The metrics that were measured at steps below `before`. Raises DamagedFile."""
        there = [table for table in self.all if before > self.furthest or self._view(table, table.place[0], before)]
        return [name for table in there for name in table.metrics]

    def columns(self, name: str, before: float) -> list[memoryview[float]]:
        """Step, epoch, time and value of a metric at steps below `before`; empty where none. Raises DamagedFile."""
        table = self._home.get(name)
        if table is None:
            return []
        return [self._view(table, series, before) for series in (*table.place, table.metrics[name])]

    def _view(self, table: Table, series: Series, before: float) -> memoryview[float]:
        """The part of a column that stands at steps below `before`."""
        values = series.view(self._folder)
        if before > self.furthest:
            return values
        steps = table.place[0].view(self._folder)
        if self.ordered:
            return values[: bisect_left(steps, before)]
        return memoryview(array("d", compress(values, (step < before for step in steps))))

    # -------------------------------------------------------- more rows

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Add rows; neighbours with the same names are added at once. Raises DamagedFile."""
        if not rows:
            return
        steps = [row["step"] for row in rows]
        self.first = steps[0] if self.first is None else self.first
        self.ordered = self.ordered and steps[0] >= self.furthest and steps == sorted(steps)
        self.furthest = max(self.furthest, *steps)
        for _, group in groupby(rows, tuple):
            self._add_alike(list(group))

    def _add_alike(self, rows: list[dict[str, Any]]) -> None:
        values = {name: _numbers(rows, name) for name in rows[0] if name not in NO_METRICS}
        if len(rows) > 1 and any(0 < len(numbers) < len(rows) for numbers in values.values()):
            for row in rows:
                self._add_alike([row])
            return
        values = {name: numbers for name, numbers in values.items() if numbers}
        places = [_place(rows, name) for name in PLACE]
        for table in self._tables(values):
            for series, place in zip(table.place, places, strict=True):
                series.extend(place)
            for name, series in table.metrics.items():
                series.extend(values[name])

    def _tables(self, wanted: Iterable[str]) -> list[Table]:
        """The tables that together hold just these metrics."""
        names = set(wanted)
        touched = {id(table): table for name in names if (table := self._home.get(name))}
        for table in touched.values():
            if not table.metrics.keys() <= names:
                self._part(table, names)
        unknown = sorted(names - self._home.keys())
        if unknown:
            self.begin(Table(tuple(self._series() for _ in PLACE), {name: self._series() for name in unknown}))
        return [table for table in self.all if table.metrics.keys() <= names]

    def _part(self, table: Table, names: set[str]) -> None:
        """Some metrics of a table were measured without the others for the first time: these get their own table."""
        places = tuple(series.copy(self._name(), self._folder) for series in table.place)
        others = {name: table.metrics.pop(name) for name in sorted(table.metrics.keys() - names)}
        self.begin(Table(places, others))

    def _series(self) -> Series:
        return Series(self._name())

    def _name(self) -> str:
        self.files += 1
        return f"{self.files}.f64"


def _numbers(rows: list[dict[str, Any]], name: str) -> array[float]:
    """The values of a metric; those that are no numbers are left out."""
    values = [row[name] for row in rows]
    try:
        return array("d", values)
    except (TypeError, OverflowError):
        return array("d", [found for value in values if (found := number(value)) is not None])


def _place(rows: list[dict[str, Any]], name: str) -> array[float]:
    """Where rows stand; NaN where one does not say."""
    try:
        return array("d", [row[name] for row in rows])
    except (KeyError, TypeError, OverflowError):
        found = (number(row.get(name)) for row in rows)
        return array("d", [math.nan if value is None else value for value in found])
