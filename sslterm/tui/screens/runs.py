"""All runs: what is going on, and what is best?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from sslterm.runs import Run
from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.looking.close_look import CloseLook, SeenInSmall
from sslterm.tui.looking.curves_in_small import CurvesInSmall, CurvesSeen
from sslterm.tui.looking.machine import Machine, MachineSeen, ThisMachine
from sslterm.tui.looking.watch import AllRuns, LookFailed, RunsSeen, Watch
from sslterm.tui.screens import runs_head
from sslterm.tui.screens.room import House
from sslterm.tui.screens.runs_filter import Filtering
from sslterm.tui.screens.runs_moving import Moving
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.preview import Preview
from sslterm.tui.widgets.run_table import COLUMNS, RunHighlighted, RunOpened, RunTable, WindowChanged
from sslterm.tui.widgets.top_line import TopLine

Row = dict[str, Any]
EMPTY = "no run yet\n\npress n to choose a preset and start the first one\n\nor type: sslterm run quickstart"
EMPTY_READONLY = "no run yet\n\nsslterm run quickstart starts the first one"
MOST = 24
"""Runs that can be compared at once: more nobody can tell apart."""


class RunsScreen(Filtering, Moving):
    """Every run, the newest first. Filters are those of `sslterm ls`: words, state:running, metric.knn>0.8."""

    name_in_registry: ClassVar[str] = "runs"
    CSS = """
    RunsScreen #filter { height: 1; border: none; padding: 0 1; display: none; }
    RunsScreen #filter.open { display: block; }
    RunsScreen #trouble { height: auto; max-height: 3; padding: 0 1; display: none; color: $text-error;
        text-style: bold; }
    RunsScreen #trouble.on { display: block; }
    RunsScreen RunTable { width: 1fr; }
    RunsScreen Preview { width: 41; display: none; }
    RunsScreen.-wide Preview { display: block; }
    RunsScreen.-very-wide Preview { display: block; width: 64; }
    """

    def __init__(self, house: House, columns: Sequence[str] = ()) -> None:
        super().__init__(house)
        self.columns = [key for key in columns if key in COLUMNS]
        self.rows: list[Row] = []
        self.whole = False
        """Whether every run was seen."""
        self.problem = self.trouble = ""
        self.machine: Machine | None = None
        self.baseline: str | None = None
        self.under_cursor: Sequence[Row] = ()
        runs_dir = house.place.runs_dir
        self.look, self.close_look = AllRuns(runs_dir), CloseLook()
        self.curves, self.machine_look = CurvesInSmall(self.post_from_thread), ThisMachine(runs_dir)
        self.watch_runs = Watch(self.look, self.post_from_thread)
        self.watch_curves = Watch(self.curves, self.post_from_thread)
        self.watch_close = Watch(self.close_look, self.post_from_thread)
        self.watch_machine = Watch(self.machine_look, self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield TopLine(id="head")
        yield Static(id="trouble", markup=False)
        yield Input(placeholder="state:running method:moco metric.knn>0.8 -note:debug", id="filter")
        with Horizontal():
            yield RunTable(empty="looks at the runs …", id="runs")
            yield Preview()
        yield KeyLine()

    @property
    def watches(self) -> Sequence[Watch]:
        """Those who look, each in a thread of its own."""
        return self.watch_runs, self.watch_curves, self.watch_close, self.watch_machine

    def on_mount(self) -> None:
        self.table.reasons = True
        if self.columns:
            self.table.columns = self.columns
        self.table.focus()
        for watch in self.watches:
            watch.start()
        self.set_interval(10, self.show_head)

    def on_unmount(self) -> None:
        for watch in self.watches:
            watch.end()

    @property
    def here(self) -> Row | None:
        """The run under the cursor."""
        return self.table.highlighted

    # -------------------------------------------------------- what is seen

    def on_runs_seen(self, message: RunsSeen) -> None:
        """The runs are other than they were."""
        self.rows, self.whole = message.rows, message.whole
        self.problem = message.problem or ""
        self.show_rows()
        self._show_trouble()
        self.watch_curves.soon()

    def on_look_failed(self, message: LookFailed) -> None:
        """What is shown may be old."""
        self.tell(message.sentence, "error")

    def show_rows(self) -> None:
        """Show the runs that fit."""
        rows = self.fitting(self.rows)
        if self.table.grouped:
            self.read_likeness(rows)
        self.table.empty = self._empty()
        self.table.show(rows)
        self.show_head()

    def _empty(self) -> str:
        if self.problem:
            return safe(self.problem)
        if not self.whole:
            return "looks at the runs …"
        if self.rows:
            return "no run fits this filter\n\nesc drops it, / changes it"
        return EMPTY_READONLY if self.house.readonly else EMPTY

    def show_head(self) -> None:
        """Where we are, how many do what, what the machine does, the time."""
        table, house = self.table, self.house
        listed = runs_head.Listed(
            house.place.runs_dir, self.rows, self.whole, self.wanted.text, len(table.listed), len(table.marked),
            house.readonly,
        )  # fmt: skip
        self.query_one(TopLine).show(runs_head.left(listed), runs_head.right(self.machine, self.rows))

    def on_run_table_marks_changed(self) -> None:
        """Say how many."""
        self.show_head()

    def on_machine_seen(self, message: MachineSeen) -> None:
        """The machine does something else, or its disk is full."""
        self.machine = message.machine
        self._show_trouble()
        self.show_head()

    def _show_trouble(self) -> None:
        """What keeps runs from being read or saved."""
        said = [self.problem, self.machine.trouble if self.machine else ""]
        sentence = "\n".join(f"! {safe(one)}" for one in said if one)
        if sentence != self.trouble:
            self.trouble = sentence
            self.query_one("#trouble", Static).set_class(bool(sentence), "on").update(sentence)

    def on_run_table_window_changed(self, message: WindowChanged) -> None:
        """Curves are read of what is seen only."""
        self.curves.want(message.rows)
        self.watch_curves.soon()

    def on_curves_seen(self, message: CurvesSeen) -> None:
        """Draw them."""
        self.table.show_curves(message.curves)

    def on_run_table_run_highlighted(self, message: RunHighlighted) -> None:
        """Show what is under the cursor in small, where there is room."""
        self.under_cursor = [message.row] if message.row else list(message.group)
        self.query_one(Preview).show(self.under_cursor)
        self._look_closely()

    def _look_closely(self) -> None:
        self.close_look.want(self.under_cursor if self.query_one(Preview).display else ())
        self.watch_close.soon()

    def on_seen_in_small(self, message: SeenInSmall) -> None:
        """The curves of what is under the cursor."""
        self.query_one(Preview).show_curves(message.small)

    def on_resize(self) -> None:
        """There may be room for the preview now."""
        self.call_after_refresh(self._look_closely)

    def on_run_table_run_opened(self, message: RunOpened) -> None:
        """Open it."""
        self.enter("run", Run(Path(message.row["path"])))

    def on_screen_suspend(self) -> None:
        """Nobody sees the list: nothing is read for it."""
        self.look.asleep = self.machine_look.asleep = True
        self.curves.want(())
        self.close_look.want(())

    def on_screen_resume(self) -> None:
        """It is seen again."""
        self.look.asleep = self.machine_look.asleep = False
        self.curves.want(self.table.in_window())
        self._look_closely()
        self.acted()

    # -------------------------------------------------------- filter

    def done_filtering(self) -> None:
        """Back to the list."""
        self.table.focus()
        self.show_head()

    def do_back(self) -> None:
        """Close the filter; once more drops it; then the marks."""
        if self.query_one("#filter", Input).has_class("open"):
            self.close_filter()
        elif self.wanted.text:
            self.use_filter("")
        else:
            self.table.unmark_all()

    # -------------------------------------------------------- doing

    def why_not(self, name: str) -> str | None:
        """A comparison needs two."""
        if name == "pin" and self.here is None:
            return "there is no run under the cursor"
        if name == "compare" and len(self.table.marked) < 2:
            return "mark two runs or more with space"
        return super().why_not(name)

    def do_new(self) -> None:
        """Choose a preset."""
        self.enter("launch")

    def do_compare(self) -> None:
        """Lay the marked runs over each other."""
        rows = sorted(self.chosen(), key=lambda row: row["path"] != self.baseline)
        if len(rows) > MOST:
            self.tell(f"{len(rows)} runs are marked; the first {MOST} are compared", "warning")
        self.enter("compare", rows[:MOST], self.baseline)

    def do_pin(self) -> None:
        """Pin the baseline, or let it go."""
        path = self.here["path"] if self.here else None
        self.baseline = None if self.baseline == path else path
        self.table.baseline = self.baseline

    def chosen(self) -> Sequence[Row]:
        """The marked runs in their order, or the one under the cursor."""
        by_path = {row["path"]: row for row in self.table.listed}
        return [by_path[path] for path in self.table.marked if path in by_path] or super().chosen()

    def do_checkpoints(self) -> None:
        """Those of the marked runs; of all that are listed where none is marked."""
        rows = self.chosen() if self.table.marked else self.table.listed
        self.enter("checkpoints", [Run(Path(row["path"])) for row in rows])

    def command_ended(self, message: CommandEnded) -> None:
        """Look at once, for it may show."""
        super().command_ended(message)
        self.acted()

    def acted(self) -> None:
        """Look at once."""
        self.look.whole = True
        self.watch_runs.soon()
