"""Looking at the directory of runs, in a thread: thousands of them cost no more than a few at work do.

Never raises: where the directory cannot be looked at the message says so, with what was seen last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from textual.message import Message

from sslterm.runs import Run, index
from sslterm.runs.directory import list_runs
from sslterm.runs.state import ALIVE
from sslterm.runs.summary import Row, summary

SLICE = 0.008
"""Seconds of each look for runs that are over: they change seldom, and take turns."""
FIRST = 0.3
"""Seconds after which the first look tells what it has seen so far; then twice as many, and so on."""


class RunsSeen(Message):
    """The list of runs, the newest first; `problem` says why it cannot be looked at, and then it is the last one seen.
    `whole` is False as long as the first look has not come to its end."""

    def __init__(self, rows: list[Row], problem: str | None = None, whole: bool = True) -> None:
        super().__init__()
        self.rows, self.problem, self.whole = rows, problem, whole


class AllRuns:
    """What a watch over the runs directory looks at: the runs that are at work each time, the others in turns.

    Rows of runs that have not changed stay the very same objects.
    """

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._rows: dict[str, Row] = {}
        self._signatures: dict[str, int | None] = {}
        self._turns: list[str] = []
        """Names of runs that are over, those whose turn is next at the end."""
        self._reading: Iterator[tuple[Row, int | None]] | None = None
        self._patience = FIRST / 2
        self._began = False
        self._changed_at = 0
        self._new = False
        """Whether any row is another than when it was told last."""
        self._told: tuple[str | None, bool] | None = None
        self.whole = False
        """Whether the next look is to be at every run."""
        self.asleep = False
        """Whether nobody sees the list just now: then nothing is looked at, and nothing told."""

    @property
    def more(self) -> bool:
        """Whether the first look goes on."""
        return self._reading is not None and not self.asleep

    def __call__(self) -> Message | None:
        if self.asleep:
            return None
        try:
            problem = self._look()
        except OSError as error:
            problem = f"{self.runs_dir}: cannot be read ({error.strerror}); what is listed was seen last"
            self._reading = None
            self._changed_at = 0
        seen = problem, self._reading is None
        if seen == self._told and not self._new:
            return None
        self._told, self._new = seen, False
        return RunsSeen(index.newest_first(self._rows.values()), *seen)

    def _look(self) -> str | None:
        """Gives back what is wrong."""
        changed_at = self._directory_changed_at()
        if changed_at is None:
            self._reading, self._changed_at = None, 0
            if self.runs_dir.exists():
                return f"{self.runs_dir}: is no directory"
            return f"{self.runs_dir}: is not there any more; what is listed was seen last" if self._began else None
        if not self._began or self._reading is not None:
            self._first(changed_at)
            return None
        every, self.whole = self.whole, False
        if changed_at != self._changed_at:
            self._compare(changed_at)
        for name, row in list(self._rows.items()):
            if row["state"] in ALIVE:
                self._read(name)
        self._take_turns(None if every else SLICE)
        return None

    def _directory_changed_at(self) -> int | None:
        """When a run was made, renamed or deleted last; None where there is no directory."""
        try:
            with os.scandir(self.runs_dir):
                return self.runs_dir.stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _first(self, changed_at: int) -> None:
        if self._reading is None:
            self._began, self._changed_at = True, changed_at
            self._reading = index.each(self.runs_dir)
        self._patience *= 2
        until = time.monotonic() + self._patience
        for row, signature in self._reading:
            self._rows[row["name"]], self._signatures[row["name"]], self._new = row, signature, True
            if time.monotonic() > until:
                return
        self._reading = None

    def _compare(self, changed_at: int) -> None:
        """Runs came or went."""
        self._changed_at = changed_at
        there = {run.name for run in list_runs(self.runs_dir)}
        for name in self._rows.keys() - there:
            del self._rows[name], self._signatures[name]
            self._new = True
        for name in sorted(there - self._rows.keys()):
            self._read(name)

    def _take_turns(self, seconds: float | None) -> None:
        """Look at some of the runs that are over, or at all of them, whether they still look as they did."""
        if not self._turns or seconds is None:
            self._turns = list(self._rows)
        until = time.thread_time() + (seconds or 0.0)
        while self._turns:
            name = self._turns.pop()
            row = self._rows.get(name)
            if row is not None and row["state"] not in ALIVE:
                known = self._signatures[name] if row["state"] in index.KEPT else None
                if known is None or known != index.signature(Run(self.runs_dir / name)):
                    self._read(name)
            if seconds is not None and time.thread_time() >= until:
                return

    def _read(self, name: str) -> None:
        run = Run(self.runs_dir / name)
        self._signatures[name] = index.signature(run)  # before, so that what is written meanwhile is seen the next time
        row = summary(run)
        if row != self._rows.get(name):
            self._rows[name], self._new = row, True
