"""One run: is it learning, and can it be trusted?"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import ContentSwitcher, Footer, Log, Static

from sslterm.runs import Run
from sslterm.runs.job import Job
from sslterm.runs.state import ALIVE, GLYPHS
from sslterm.runs.tail import Tail
from sslterm.tables import duration, safe
from sslterm.tui import axes, health
from sslterm.tui.screens.acting import Acting
from sslterm.tui.screens.charts import ChartRoom
from sslterm.tui.screens.room import House
from sslterm.tui.watch import OneRun, RunSeen, Sight, Watch
from sslterm.tui.widgets.chart import LineChart, Series

FIRST = ("step/loss", "knn/top1", "valid/top1", "health/std", "health/rank", "optimizer/lr")
"""The charts that are shown, as far as there is something to show, in this order."""
PAGES = {1: "charts", 2: "log", 3: "pictures", 4: "settings", 5: "checkpoints", 6: "evaluations"}
"""By their digits. Pictures, checkpoints and evaluations are screens of their own."""


class RunScreen(Acting, ChartRoom):
    """One run: its state, curves, log, settings, checkpoints and evaluations. Digits turn the pages."""

    name_in_registry: ClassVar[str] = "run"
    CSS = """
    RunScreen #head { height: auto; max-height: 3; padding: 0 1; background: $panel; }
    RunScreen #alarm { height: auto; padding: 0 1; background: $error; color: $text; display: none; }
    RunScreen #alarm.on { display: block; }
    RunScreen #pages { height: 1; padding: 0 1; color: $text-muted; }
    RunScreen #charts { grid-size: 1; grid-gutter: 0 1; height: 1fr; }
    RunScreen.-wide #charts { grid-size: 2; }
    RunScreen.-very-wide #charts { grid-size: 3; }
    RunScreen LineChart { height: 1fr; min-height: 5; }
    RunScreen ContentSwitcher { height: 1fr; }
    """

    def __init__(self, house: House, run: Run) -> None:
        super().__init__(house)
        self.run = run
        self.sight: Sight | None = None
        self.tail = Tail(Job(run).log)
        self.watch_run = Watch(OneRun(run), self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="alarm")
        yield Static(id="pages")
        with ContentSwitcher(initial="charts"):
            with Grid(id="charts"):
                for name in FIRST:
                    yield LineChart(name, kind="epoch", id=_id(name))
            yield Log(id="log", highlight=False, max_lines=20_000)
            with VerticalScroll(id="settings"):
                yield Static(id="settings-text")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._turn("charts")
        self.watch_run.start()
        self.set_interval(0.5, self._more_log)

    def on_unmount(self) -> None:
        self.watch_run.end()

    # -------------------------------------------------------- what is seen

    def on_run_seen(self, message: RunSeen) -> None:
        """The run is other than it was."""
        self.sight = message.sight
        self._show_head(message.sight)
        self.draw_charts()
        self.query_one("#settings-text", Static).update(Text(safe(message.sight.settings)))

    def _show_head(self, sight: Sight) -> None:
        row = sight.row
        line = Text()
        line.append(safe(row["name"]), "bold")
        line.append(safe(f"  {GLYPHS.get(row['state'], '?')} {row['state']}"), "bold")
        for part in _place(row):
            line.append(safe(f"   {part}"))
        line.append(safe(f"\n{row['reason']}"), "dim")
        self.query_one("#head", Static).update(line)
        alarm = health.alarm({name: np.asarray(curve.value) for name, curve in sight.curves.items()})
        widget = self.query_one("#alarm", Static)
        widget.set_class(alarm is not None, "on")
        widget.update(Text(alarm or ""))

    def draw_charts(self) -> None:
        """Show the curves that there are."""
        if self.sight is None:
            return
        sight = self.sight
        there = [name for name in FIRST if name in sight.curves]
        alive = sight.row["state"] in ALIVE
        stages = axes.stages_of(sight.curves.values())
        marks = axes.marks(sight.curves, self.x_axis, stages, [stage["name"] for stage in sight.row["stages"]])
        for name in FIRST:
            chart = self.query_one(f"#{_id(name)}", LineChart)
            chart.display = name in there
            if name in there:
                curve = sight.curves[name]
                line = Series(name, axes.x_of(curve, self.x_axis, stages), np.asarray(curve.value))
                chart.show([line], marks=marks, live=alive)

    def _more_log(self) -> None:
        log = self.query_one("#log", Log)
        for line in self.tail.lines():
            log.write_line(safe(line))

    # -------------------------------------------------------- pages

    def _turn(self, page: str) -> None:
        self.query_one(ContentSwitcher).current = page
        line = Text()
        for number, name in PAGES.items():
            line.append(f" {number} {name} ", "reverse" if name == page else "")
        self.query_one("#pages", Static).update(line)

    def do_charts(self) -> None:
        """Page 1."""
        self._turn("charts")

    def do_log(self) -> None:
        """Page 2."""
        self._turn("log")

    def do_settings(self) -> None:
        """Page 4."""
        self._turn("settings")

    # -------------------------------------------------------- doing

    @property
    def here(self) -> dict[str, Any] | None:
        """The run itself, once it was looked at."""
        return self.sight.row if self.sight else None

    def do_checkpoint(self) -> None:
        """Save a checkpoint now."""
        self.command("save now", "checkpoints", str(self.run.path), "--now")


def _id(name: str) -> str:
    return "chart-" + name.replace("/", "-")


def _place(row: dict[str, Any]) -> list[str]:
    parts = []
    if row["stage"]:
        stages = [stage["name"] for stage in row["stages"]]
        number = (
            f" {stages.index(row['stage']) + 1}/{len(stages)}" if row["stage"] in stages and len(stages) > 1 else ""
        )
        total = f"/{row['epochs']}" if row["epochs"] is not None else ""
        parts.append(f"{row['stage']}{number}  epoch {row['epoch'] or 0}{total}")
    if row["state"] in ALIVE and isinstance(row["images_per_second"], int | float):
        parts.append(f"{row['images_per_second']:,.0f} images/s")
    if row["state"] in ALIVE and isinstance(row["left"], int | float):
        parts.append(f"{duration(row['left'])} left")
    if isinstance(row["best_value"], int | float):
        parts.append(f"best {row['best_metric']} {row['best_value']:.3f}")
    if row["device"]:
        parts.append(str(row["device"]))
    return parts
