"""Checkpoints of one run or of many: which one is good, and is it whole?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from sslterm.runs import Run
from sslterm.runs.summary import Row
from sslterm.tables import safe
from sslterm.tui.looking.shelf import AllCheckpoints, CheckpointsSeen, Verified, Verifying
from sslterm.tui.looking.watch import Watch
from sslterm.tui.screens.keeping import Keeping
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.checkpoint_table import (
    CheckpointHighlighted,
    CheckpointOpened,
    CheckpointsInView,
    CheckpointTable,
    MarksChanged,
)
from sslterm.tui.widgets.checkpoint_table.words import amount, line, short, whole
from sslterm.tui.widgets.key_line import KeyLine

PANEL = 46
"""Cells of the column that tells all about one checkpoint."""
RESTS = 0.05
"""Seconds after which the cursor rests, and it is worth while to tell."""


class CheckpointsScreen(Keeping):
    """Checkpoints, of each run the newest first: what was measured in training, what evaluations said (of test images
    as they are, and with flip), and whether the file is whole, byte for byte. A file is read when it comes into view;
    v reads it again. ★ is the best of its stage. Marked ones are evaluated, copied or deleted together."""

    name_in_registry: ClassVar[str] = "checkpoints"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-beside")]  # noqa: RUF012
    CSS = """
    CheckpointsScreen #head, CheckpointsScreen #line { text-wrap: nowrap; text-overflow: ellipsis; }
    CheckpointsScreen #head { height: 1; padding: 0 1; background: $panel; color: $text; }
    CheckpointsScreen CheckpointTable { width: 1fr; }
    CheckpointsScreen #panel { width: 50; padding: 0 1; border-left: vkey $panel; display: none; }
    CheckpointsScreen #line { height: 2; padding: 0 1; color: $text-muted; }
    CheckpointsScreen.-beside #panel { display: block; }
    CheckpointsScreen.-beside #line { display: none; }
    """

    def __init__(self, house: House, runs: Sequence[Run]) -> None:
        super().__init__(house)
        self.runs = list(runs)
        self.seen: CheckpointsSeen | None = None
        self.bytes = 0
        """Of all that are seen."""
        self._head: Text | None = None
        self._rested: Timer | None = None
        self.asked: list[Row] = []
        """Files that a person wanted to be read again, until they are."""
        self.shelf = AllCheckpoints(self.runs)
        self.watch_shelf = Watch(self.shelf, self.post_from_thread)
        self.verifying = Verifying()
        self.watch_files = Watch(self.verifying, self.post_from_thread)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Horizontal():
            yield CheckpointTable(len(self.runs) != 1, id="checkpoints")
            with VerticalScroll(id="panel", can_focus=False):
                yield Static(id="about")
        yield Static(id="line")
        yield KeyLine()

    def on_mount(self) -> None:
        self.table.empty = "looks for checkpoints …"
        self.table.focus()
        self.show_head()
        self.watch_shelf.start()
        self.watch_files.start()
        self.set_interval(30, self._older)

    def on_unmount(self) -> None:
        self.verifying.ended = True
        self.watch_shelf.end()
        self.watch_files.end()

    # -------------------------------------------------------- what is seen

    def on_checkpoints_seen(self, message: CheckpointsSeen) -> None:
        """There are others, or more is known of them."""
        self.seen = message
        self.bytes = sum(row["size"] for row in message.rows)
        self.table.empty = self._nothing(message)
        self.table.show(message.rows)
        self.show_head()
        if message.looked < message.of:
            self.watch_shelf.soon()

    def _nothing(self, seen: CheckpointsSeen) -> str:
        """Why there is nothing, and what to do."""
        if seen.looked < seen.of:
            return "looks for checkpoints …"
        if not seen.of:
            return "there is no run yet\n\nesc goes back; n there starts the first one"
        if seen.gone == seen.of:
            return "the run is gone\n\nesc goes back" if seen.of == 1 else "these runs are gone\n\nesc goes back"
        whose = short(self.runs[0].name) if seen.of == 1 else f"none of these {seen.of:,} runs"
        first = f"{whose} holds no checkpoint yet"
        return f"{first}\n\none is saved after each epoch, and shows up here by itself\nesc goes back; r there resumes"

    def on_checkpoint_table_checkpoints_in_view(self, message: CheckpointsInView) -> None:
        """See whether these are whole."""
        self.verifying.view(message.rows)
        self.watch_files.soon()

    def on_verified(self, message: Verified) -> None:
        """Files were read."""
        self.table.found(message.findings)
        if self.asked and not message.left:
            self._tell_read()
        self.show_head(message.left)
        if message.more:
            self.watch_files.soon()

    def _tell_read(self) -> None:
        """What came of reading files again."""
        known = [self.table.known(row) for row in self.asked]
        bad = sum(one is not None and one.word == "damaged" for one in known)
        what = f"{len(known):,} file{'s' * (len(known) != 1)} read again"
        self.tell(f"{what}: {f'{bad:,} damaged' if bad else 'whole'}", "warning" if bad else "information")
        self.asked = []

    def on_checkpoint_table_checkpoint_highlighted(self, message: CheckpointHighlighted) -> None:
        """Tell all about it, at the side once the cursor rests, or beneath."""
        if self._rested is not None:
            self._rested.stop()
        self._rested = self.set_timer(RESTS, self.show_about)

    def on_checkpoint_table_marks_changed(self, message: MarksChanged) -> None:
        """Say how many."""
        self.show_head()

    def show_about(self) -> None:
        """All that is known of the one under the cursor."""
        row = self.table.highlighted
        known = self.table.known(row) if row else None
        if self.has_class("-beside"):
            self.query_one("#about", Static).update(whole(row, known, PANEL) if row else "")
        else:
            self.query_one("#line", Static).update(line(row, known) if row else "", layout=False)

    def _older(self) -> None:
        """Ages are others by now."""
        self.table.forget()
        self.table.redraw()
        self.show_about()

    def on_resize(self) -> None:
        """It may be told at another place now."""
        self.call_after_refresh(self.show_about)

    def show_head(self, reading: int = 0) -> None:
        """Whose they are, how many, how much, and what goes on."""
        seen, marked = self.seen, self.table.marked
        count = len(seen.rows) if seen else 0
        told = [
            short(self.runs[0].name) if len(self.runs) == 1 else f"{len(self.runs):,} runs",
            f"{count:,} checkpoint{'s' * (count != 1)}",
            f"✗ {self.table.damaged} damaged" if self.table.damaged else "",
            self.at_work(),
            f"reads {reading} more …" if reading else "",
            f"looked at {seen.looked:,} of {seen.of:,} runs …" if seen and seen.looked < seen.of else "",
            f"{len(marked):,} marked, {amount(sum(row['size'] for row in marked))}" if marked else "",
            f"{amount(self.bytes)} in all" if count else "",
        ]
        text = Text.assemble((" checkpoints ", "bold"), safe(" · ".join(part for part in told if part)))
        if self.house.readonly:
            text.append("   read-only", "bold")
        if text != self._head:
            self._head = text
            self.query_one("#head", Static).update(text, layout=False)

    def acted(self) -> None:
        """Look at once."""
        self.show_head()
        self.shelf.due = 0.0
        self.watch_shelf.soon()

    # -------------------------------------------------------- the list

    def on_checkpoint_table_checkpoint_opened(self, message: CheckpointOpened) -> None:
        """Its evaluations."""
        run = Run(Path(message.row["path"]).parents[1])
        self.enter("evaluation", run, message.row["file"])

    def do_verify(self) -> None:
        """Read every byte of the chosen ones again."""
        rows = self.chosen()
        self.asked += rows
        self.table.unknown(rows)
        self.verifying.ask(rows)
        self.show_head(len(self.asked))
        self.watch_files.soon()

    def do_back(self) -> None:
        """Drop the marks; once more leaves."""
        if not self.table.unmark_all():
            super().do_back()
