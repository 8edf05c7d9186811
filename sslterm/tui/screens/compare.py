"""Several runs laid over each other: which is better, and what was different?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Footer, Static

from sslterm.runs import Run
from sslterm.runs.summary import settings
from sslterm.tables import safe, table
from sslterm.tui import axes
from sslterm.tui.screens.charts import ChartRoom
from sslterm.tui.screens.room import House
from sslterm.tui.watch import OneRun, RunSeen, Sight, Watch
from sslterm.tui.widgets.chart import LineChart, Palette, Series

SHOWN = ("train/loss", "knn/top1", "valid/top1", "optimizer/lr")


class CompareScreen(ChartRoom):
    """The marked runs over each other; below, their final and best metrics beside the baseline's (or the first one's),
    and the settings that differ."""

    name_in_registry: ClassVar[str] = "compare"
    CSS = """
    CompareScreen #charts { grid-size: 1; grid-gutter: 0 1; height: 1fr; min-height: 8; }
    CompareScreen.-wide #charts { grid-size: 2; }
    CompareScreen LineChart { height: 1fr; min-height: 5; }
    CompareScreen #below { height: 40%; padding: 0 1; }
    """

    def __init__(self, house: House, rows: Sequence[dict[str, Any]], baseline: str | None = None) -> None:
        super().__init__(house)
        self.rows = sorted(rows, key=lambda row: row["path"] != baseline)
        self.palette = Palette()
        self.sights: dict[str, Sight] = {}
        self.watches = [Watch(OneRun(Run(Path(row["path"]))), self.post_from_thread) for row in self.rows]

    def compose(self) -> ComposeResult:
        with Grid(id="charts"):
            for name in SHOWN:
                yield LineChart(name, kind="epoch", palette=self.palette, id="chart-" + name.replace("/", "-"))
        with VerticalScroll(id="below"):
            yield Static(id="metrics")
            yield Static(id="settings")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        for watch in self.watches:
            watch.start()
        self.run_worker(self._read_settings, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        for watch in self.watches:
            watch.end()

    def on_run_seen(self, message: RunSeen) -> None:
        """One of them is other than it was."""
        self.sights[str(message.sight.run.path)] = message.sight
        self.draw_charts()
        self._show_metrics()

    def draw_charts(self) -> None:
        """Each metric of all runs in one chart."""
        for name in SHOWN:
            chart = self.query_one("#chart-" + name.replace("/", "-"), LineChart)
            series = [
                self._line(sight, name)
                for row in self.rows
                if (sight := self.sights.get(row["path"])) and name in sight.curves
            ]
            chart.display = bool(series)
            chart.show(series)

    def _line(self, sight: Sight, name: str) -> Series:
        curve = sight.curves[name]
        x = axes.x_of(curve, self.x_axis, axes.stages_of(sight.curves.values()))
        return Series(sight.run.name, x, np.asarray(curve.value))

    def _show_metrics(self) -> None:
        self.query_one("#metrics", Static).update(Text(safe(metrics_table(self.rows, self.sights))))

    def _read_settings(self) -> None:
        text = differences({row["name"]: settings(Run(Path(row["path"]))) for row in self.rows})
        self.app.call_from_thread(self.query_one("#settings", Static).update, Text(safe("\n" + text)))

    def do_copy(self) -> None:
        """The table of metrics."""
        self.app.copy_to_clipboard(metrics_table(self.rows, self.sights))
        self.tell("copied the table")


def metrics_table(rows: Sequence[dict[str, Any]], sights: dict[str, Sight]) -> str:
    """Last and best of each metric for each run, and by how much it differs from the first run's."""
    names = [
        name for name in ("train/loss", "knn/top1", "valid/top1") if any(name in s.curves for s in sights.values())
    ]
    cells: list[list[str]] = []
    first: dict[str, float] = {}
    for row in rows:
        sight = sights.get(row["path"])
        line = [row["name"], row["state"]]
        for name in names:
            values = np.asarray(sight.curves[name].value) if sight and name in sight.curves else np.empty(0)
            values = values[np.isfinite(values)]
            if not len(values):
                line += ["", "", ""]
                continue
            best = float(values.min() if "loss" in name else values.max())
            difference = best - first.setdefault(name, best)
            line += [f"{values[-1]:.4f}", f"{best:.4f}", f"{difference:+.4f}" if row is not rows[0] else ""]
        cells.append(line)
    heads = [f"{name} {word}".strip() for name in names for word in ("last", "best", "")]
    for place in range(2, len(heads), 3):
        heads[place] = "±" + " " * (place // 3)
    return table(["run", "state", *heads], cells)


def differences(said: dict[str, dict[str, Any]]) -> str:
    """The settings that are not the same in all runs."""
    keys = sorted({key for one in said.values() for key in one})
    rows = []
    for key in keys:
        values = [one.get(key) for one in said.values()]
        if any(value != values[0] for value in values):
            rows.append([key, *("" if value is None else value for value in values)])
    return table(["setting", *said], rows) if rows else "all settings are the same"
