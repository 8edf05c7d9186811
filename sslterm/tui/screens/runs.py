"""All runs: what is going on, and what is best?"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Footer, Input, Static

from sslterm.runs import Run, index
from sslterm.runs.filters import Filter, FilterError
from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.acting import Acting
from sslterm.tui.screens.room import House
from sslterm.tui.watch import AllRuns, RunsSeen, Watch
from sslterm.tui.widgets.preview import Preview
from sslterm.tui.widgets.run_table import COLUMNS, RunHighlighted, RunOpened, RunTable

EMPTY = "no run yet\n\npress n to choose a preset and start the first one,\nor type: sslterm run quickstart"


class RunsScreen(Acting):
    """Every run, the newest first. Filters are those of `sslterm ls`: words, state:running, metric.knn>0.8."""

    name_in_registry: ClassVar[str] = "runs"
    CSS = """
    RunsScreen #head { height: 1; padding: 0 1; background: $panel; color: $text; }
    RunsScreen #filter { height: 1; border: none; padding: 0 1; display: none; }
    RunsScreen #filter.open { display: block; }
    RunsScreen RunTable { width: 1fr; }
    RunsScreen Preview { width: 46; display: none; }
    .-wide RunsScreen Preview, RunsScreen.-wide Preview { display: block; }
    RunsScreen.-very-wide Preview { display: block; width: 64; }
    """
    rows: reactive[list[dict[str, Any]]] = reactive([], init=False)

    def __init__(self, house: House, columns: Sequence[str] = ()) -> None:
        super().__init__(house)
        self.columns = list(columns)
        self.filter = ""
        self.baseline: str | None = None
        self.look = AllRuns(house.place.runs_dir)
        self.watch_runs = Watch(self.look, self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Input(placeholder="state:running method:moco metric.knn>0.8 -note:debug", id="filter")
        with Horizontal():
            yield RunTable(id="runs")
            yield Preview()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.table.empty = EMPTY
        self.table.reasons = True
        wanted = [key for key in self.columns if key in COLUMNS]
        if wanted:
            self.table.columns = wanted
        self.table.focus()
        self.watch_runs.start()
        self.set_interval(10, self.show_head)

    def on_unmount(self) -> None:
        self.watch_runs.end()

    @property
    def table(self) -> RunTable:
        """The list."""
        return self.query_one(RunTable)

    @property
    def here(self) -> dict[str, Any] | None:
        """The run under the cursor."""
        return self.table.highlighted

    # -------------------------------------------------------- what is seen

    def on_runs_seen(self, message: RunsSeen) -> None:
        """The runs are other than they were."""
        self.rows = message.rows

    def watch_rows(self) -> None:
        """Show the runs that fit."""
        self.show_head()
        try:
            wanted = Filter(self.filter)
        except FilterError:
            return
        if wanted.settings:  # settings are files of their own, read beside the screen
            self.run_worker(
                lambda: self._match(wanted), thread=True, exclusive=True, group="filter", exit_on_error=False
            )
        else:
            self.table.show([row for row in self.rows if wanted.fits(row)])

    def _match(self, wanted: Filter) -> None:
        try:
            fitting = index.matching(self.house.place.runs_dir, wanted)
        except FilterError as error:
            self.app.call_from_thread(self.tell, str(error), "warning")
            return
        self.app.call_from_thread(self.table.show, fitting)

    def show_head(self) -> None:
        """Where we are, how many do what, the time."""
        count = Counter(row["state"] for row in self.rows)
        told = [f"{len(self.rows)} run{'s' * (len(self.rows) != 1)}"] + [
            f"{count[word]} {word}" for word in ("running", "queued", "failed", "stalled") if count[word]
        ]
        where = str(self.house.place.runs_dir)
        where = where if len(where) <= 20 else f"…/{self.house.place.runs_dir.name}"
        left = Text.assemble((" sslterm ", "bold"), safe(f"{where}  {' · '.join(told)}"))
        if self.filter:
            left.append(safe(f"   / {self.filter}"), "italic")
        if self.house.readonly:
            left.append("   read-only", "bold")
        right = f"load {os.getloadavg()[0]:.1f}   {time.strftime('%H:%M')}"
        left.append(" " * max(self.size.width - left.cell_len - len(right) - 2, 1) + right)
        self.query_one("#head", Static).update(left)

    def on_resize(self) -> None:
        """The line at the top is as wide as the screen."""
        self.show_head()

    def on_run_table_run_highlighted(self, message: RunHighlighted) -> None:
        """Show the run under the cursor in small, where there is room."""
        self.query_one(Preview).show(message.row)

    def on_run_table_run_opened(self, message: RunOpened) -> None:
        """Open it."""
        self._open(message.row)

    # -------------------------------------------------------- filter

    def do_filter(self) -> None:
        """Type a filter; it holds while it is typed."""
        field = self.query_one("#filter", Input)
        field.value = self.filter
        field.add_class("open")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A filter that is not whole yet leaves the list as it is."""
        try:
            Filter(event.value)
        except FilterError:
            return
        self.filter = event.value
        self.watch_rows()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, or say what is wrong with it."""
        try:
            Filter(event.value)
        except FilterError as error:
            self.tell(str(error), "warning")
            return
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("open")
        self.table.focus()
        self.show_head()

    def do_back(self) -> None:
        """Close the filter; once more drops it; then the marks."""
        if self.query_one("#filter", Input).has_class("open"):
            self._close_filter()
        elif self.filter:
            self.filter = ""
            self.watch_rows()
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

    def do_open(self) -> None:
        """Open the run under the cursor."""
        self.table.open()

    def _open(self, row: dict[str, Any]) -> None:
        from sslterm.tui.screens.run import RunScreen

        self.app.push_screen(RunScreen(self.house, Run(Path(row["path"]))))

    def do_new(self) -> None:
        """Choose a preset."""
        from sslterm.tui.screens.launch import LaunchScreen

        self.app.push_screen(LaunchScreen(self.house), lambda _: self.acted())

    def do_compare(self) -> None:
        """Lay the marked runs over each other."""
        from sslterm.tui.screens.compare import CompareScreen

        chosen = [row for row in self.rows if row["path"] in self.table.marked]
        self.app.push_screen(CompareScreen(self.house, chosen, self.baseline))

    def do_mark(self) -> None:
        """Mark the run under the cursor."""
        self.table.toggle_mark()

    def do_sort(self) -> None:
        """The next column."""
        self.table.sort_next()

    def do_turn(self) -> None:
        """The other way round."""
        self.table.turn_order()

    def do_down(self) -> None:
        """A line down."""
        self.table.move(1)

    def do_up(self) -> None:
        """A line up."""
        self.table.move(-1)

    def do_page_down(self) -> None:
        """A page down."""
        self.table.page(1)

    def do_page_up(self) -> None:
        """A page up."""
        self.table.page(-1)

    def do_first(self) -> None:
        """The first line."""
        self.table.first()

    def do_last(self) -> None:
        """The last line."""
        self.table.last()

    def do_unfold(self) -> None:
        """Open a group."""
        self.table.open_group()

    def do_fold(self) -> None:
        """Close a group."""
        self.table.close_group()

    def do_mark_all(self) -> None:
        """Mark all that are listed."""
        self.table.mark_all()

    def do_group(self) -> None:
        """Fold runs that differ in their seed only."""
        self.table.grouped = not self.table.grouped

    def do_pin(self) -> None:
        """Pin the baseline, or let it go."""
        path = self.here["path"] if self.here else None
        self.baseline = None if self.baseline == path else path
        self.table.baseline = self.baseline

    def chosen(self) -> Sequence[dict[str, Any]]:
        """The marked runs, or the one under the cursor."""
        marked = set(self.table.marked)
        return [row for row in self.rows if row["path"] in marked] or super().chosen()

    def do_checkpoints(self) -> None:
        """Those of the marked runs; of all that are listed where none is marked."""
        from sslterm.tui.screens.checkpoints import CheckpointsScreen

        rows = self.chosen() if self.table.marked else self.table.listed
        self.app.push_screen(CheckpointsScreen(self.house, [Run(Path(row["path"])) for row in rows]))

    def on_command_ended(self, message: CommandEnded) -> None:
        """Look at once, for it may show."""
        super().on_command_ended(message)
        self.acted()

    def acted(self) -> None:
        """Look at once."""
        self.look.whole = True
        self.watch_runs.soon()
