"""One run: is it learning, and can it be trusted?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from sslterm.runs import Run, files
from sslterm.runs.job import Job
from sslterm.runs.state import ALIVE
from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.looking.log_reader import LogRead, LogReader, logs_of
from sslterm.tui.looking.run_look import Drawn, RunDrawn, RunLook
from sslterm.tui.looking.usage import TrainerUsage, UsageSeen
from sslterm.tui.looking.watch import LookFailed, Sight, Watch
from sslterm.tui.reckoning.axes import AXES
from sslterm.tui.screens.acting import Acting
from sslterm.tui.screens.charts import ChartRoom
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.chart_grid import ChartGrid
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.log_page import LogPage
from sslterm.tui.widgets.run_head import RunHead, place
from sslterm.tui.widgets.settings_page import SettingsPage, described

PAGES = {1: "charts", 2: "log", 3: "pictures", 4: "settings", 5: "checkpoints", 6: "evaluations"}
"""By their digits. Pictures, checkpoints and evaluations are screens of their own."""
FOR_CHARTS = ("x_axis", "log_y", "smoother", "rougher", "zoom_in", "zoom_out", "reset", "left", "right")


class LogsFound(Message):
    """The logs that a run has; `turn`: show the next of them."""

    def __init__(self, logs: list[Path], turn: bool) -> None:
        super().__init__()
        self.logs, self.turn = logs, turn


class InfoRead(Message):
    """What was decided when the run was made."""

    def __init__(self, info: dict[str, Any]) -> None:
        super().__init__()
        self.info = info


class RunScreen(Acting, ChartRoom):
    """One run: its state, curves, log, settings, checkpoints and evaluations. Digits turn the pages; on the log 2 goes
    to the next one, those of evaluations among them. Arrows up and down go to the charts that do not fit."""

    name_in_registry: ClassVar[str] = "run"
    CSS = """
    RunScreen #alarm { height: auto; padding: 0 1; background: $error-muted; color: $text-error; display: none; }
    RunScreen #alarm.on { display: block; }
    RunScreen #pages { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    RunScreen ContentSwitcher { height: 1fr; }
    """

    def __init__(self, house: House, run: Run) -> None:
        super().__init__(house)
        self.run = run
        self.sight: Sight | None = None
        self.drawn = Drawn(self.x_axis)
        self.in_sight: list[str] = []
        """Titles of charts, for the thread that reads their lines."""
        self.info: dict[str, Any] = {}
        self.page = "charts"
        self.trouble: str | None = None
        """What the alarm says."""
        self.log_path = Job(run).log
        self.watch_run = Watch(RunLook(run, lambda: self.x_axis, lambda: self.in_sight), self.post_from_thread)
        self.watch_usage = Watch(TrainerUsage(run), self.post_from_thread)
        self.watch_log = Watch(LogReader(self.log_path), self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield RunHead(id="head")
        yield Static(id="alarm", markup=False)
        yield Static(id="pages", markup=False)
        with ContentSwitcher(initial="charts"):
            yield ChartGrid(id="charts")
            yield LogPage(id="log")
            yield SettingsPage(id="settings")
        yield KeyLine()

    def on_mount(self) -> None:
        self._turn("charts")
        for watch in (self.watch_run, self.watch_usage, self.watch_log):
            watch.start()
        self.run_worker(self._read_info, thread=True, exit_on_error=False)
        self._look_for_logs(turn=False)

    def on_unmount(self) -> None:
        for watch in (self.watch_run, self.watch_usage, self.watch_log):
            watch.end()

    # -------------------------------------------------------- what is seen

    def on_run_drawn(self, message: RunDrawn) -> None:
        """The run is other than it was, or was asked for on another axis."""
        self.sight, self.drawn = sight, drawn = message.sight, message.drawn
        self.query_one(RunHead).show(sight.row, sight.beat)
        self._show_trouble(message.problem or drawn.alarm)
        self._show_settings()
        self.draw_charts()

    def on_look_failed(self, message: LookFailed) -> None:
        """What is shown may be old."""
        self._show_trouble(message.sentence)

    def _show_trouble(self, sentence: str | None) -> None:
        if sentence == self.trouble:
            return  # to say it again would lay out the screen again
        self.trouble = sentence
        line = self.query_one("#alarm", Static)
        line.set_class(sentence is not None, "on")
        line.update(Content(safe(f"! {sentence}") if sentence else ""))

    def on_chart_grid_moved(self, _message: ChartGrid.Moved) -> None:
        """Other charts are in sight; their lines may not have been read yet."""
        before, self.in_sight = self.in_sight, self.query_one(ChartGrid).in_sight()
        if before != self.in_sight:
            self.watch_run.soon()

    def on_usage_seen(self, message: UsageSeen) -> None:
        """Its trainer takes more or less."""
        self.query_one(RunHead).show_usage(message.usage)

    def on_info_read(self, message: InfoRead) -> None:
        """What was decided when it was made."""
        self.info = message.info
        self._show_settings()

    def _read_info(self) -> None:
        self.post_from_thread(InfoRead(files.read_or_nothing(self.run.path / "run.json")))

    def _show_settings(self) -> None:
        if self.sight is not None:
            attempts = self.sight.row["attempt"] or 1
            rows = described(self.info, self.sight.environment, attempts)
            self.query_one(SettingsPage).show(self.sight.settings, rows)

    def draw_charts(self) -> None:
        """Show the curves that there are, or what they wait for."""
        if self.sight is None or self.page != "charts":
            return
        grid, live = self.query_one(ChartGrid), self.sight.row["state"] in ALIVE
        for drawing in self.drawn.charts:
            chart = grid.chart(drawing.title)
            chart.kind, chart.smoothing = self.drawn.axis, self.smoothing
            chart.show(drawing.lines, marks=self.drawn.marks, live=live)
        grid.show_charts([drawing.title for drawing in self.drawn.charts])
        grid.wait(waiting(self.sight))

    def do_x_axis(self) -> None:
        """The next of the four axes; the thread that looks at the run makes the lines ready for it."""
        self.x_axis = AXES[(AXES.index(self.x_axis) + 1) % len(AXES)]
        self.watch_run.soon()

    # -------------------------------------------------------- the log

    def on_log_read(self, message: LogRead) -> None:
        """There are more lines."""
        if message.path == self.log_path:
            self.query_one(LogPage).view.extend(message.lines, message.afresh)

    def on_logs_found(self, message: LogsFound) -> None:
        """Show the next one, if that was asked for."""
        logs = message.logs or [self.log_path]
        if message.turn and (len(logs) > 1 or logs[0] != self.log_path):
            here = logs.index(self.log_path) if self.log_path in logs else -1
            self.log_path = logs[(here + 1) % len(logs)]
            self.watch_log.end()
            self.query_one(LogPage).view.extend([], afresh=True)
            self.watch_log = Watch(LogReader(self.log_path), self.post_from_thread)
            self.watch_log.start()
        self.query_one(LogPage).about(self.log_path.name, len(logs) - 1)

    def _look_for_logs(self, turn: bool) -> None:
        self.run_worker(
            lambda: self.post_from_thread(LogsFound(logs_of(self.run.path), turn)), thread=True, exit_on_error=False
        )

    # -------------------------------------------------------- pages

    def _turn(self, page: str) -> None:
        self.page = page
        self.query_one(ContentSwitcher).current = page
        self.query_one("#pages", Static).update(_pages(page, self.size.width), layout=False)
        inside = self.query_one(LogPage).view if page == "log" else self.query_one(f"#{page}")
        inside.focus()
        self.draw_charts()

    def on_resize(self) -> None:
        """There is more room, or less."""
        self.query_one("#pages", Static).update(_pages(self.page, self.size.width), layout=False)

    def do_charts(self) -> None:
        """Page 1."""
        self._turn("charts")

    def do_log(self) -> None:
        """Page 2; from there the next log."""
        self._look_for_logs(turn=self.page == "log")
        self._turn("log")

    def do_settings(self) -> None:
        """Page 4."""
        self._turn("settings")

    def do_search(self) -> None:
        """Find text in the log."""
        if self.page != "log":
            self._turn("log")
        self.query_one(LogPage).search()

    def do_next_match(self) -> None:
        """The next line that fits."""
        self._match(+1)

    def do_previous_match(self) -> None:
        """The line before that fits."""
        self._match(-1)

    def _match(self, by: int) -> None:
        if not self.query_one(LogPage).view.go_to_match(by):
            self.tell("no line of the log fits")

    def do_back(self) -> None:
        """Leave the search, or the screen."""
        if self.page != "log" or not self.query_one(LogPage).leave_search():
            super().do_back()

    # -------------------------------------------------------- doing

    @property
    def here(self) -> dict[str, Any] | None:
        """The run itself, once it was looked at."""
        return self.sight.row if self.sight else None

    def why_not(self, name: str) -> str | None:
        """Charts are moved where they are seen; there is a next match only of something that is looked for."""
        if name in FOR_CHARTS and self.page != "charts":
            return "is for the charts; 1 shows them"
        if name in ("next_match", "previous_match") and not (
            self.page == "log" and self.query_one(LogPage).view.searching
        ):
            return "nothing is looked for in the log; / does"
        return super().why_not(name)

    def acted(self) -> None:
        """See at once what comes of it."""
        self.watch_run.soon()

    def command_ended(self, message: CommandEnded) -> None:
        """See at once what came of it."""
        super().command_ended(message)
        self.acted()

    def do_checkpoint(self) -> None:
        """Save a checkpoint now."""
        self.command("save now", "checkpoints", str(self.run.path), "--now")

    def do_copy(self) -> None:
        """What is selected; or the line of the log that was found, the settings, the path of the run."""
        selected = self.get_selected_text()
        if selected:
            self._copy(selected, "what is selected")
        elif self.page == "log" and (line := self.query_one(LogPage).view.matched_line) is not None:
            self._copy(line, "the line that was found")
        elif self.page == "settings":
            self._copy(self.query_one(SettingsPage).settings, "the settings")
        else:
            super().do_copy()

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)
        self.tell(f"copied {what}")


def waiting(sight: Sight) -> str:
    """What to say while there is no number yet."""
    row, beat = sight.row, sight.beat
    if row["state"] in ("corrupt", "newer"):
        return str(row["reason"])
    if row["state"] == "starting":
        return f"waits for the first numbers: {place(row, beat) or 'it is starting'}"
    if row["state"] in ALIVE:
        return f"waits for the first numbers: {row['reason']}"
    return "no numbers were written"


def _pages(now: str, width: int) -> Content:
    gap = "  " if width > 75 else " "
    return Content(gap).join(
        Content.styled(f"{number} {name}", "reverse" if name == now else "") for number, name in PAGES.items()
    )
