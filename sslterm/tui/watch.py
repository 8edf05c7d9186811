"""Looking at runs, in threads: what is seen becomes a message, and only when it has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.message import Message

from sslterm.runs import Run, columns, files, index
from sslterm.runs.job import Job
from sslterm.runs.state import ALIVE
from sslterm.runs.summary import summary

EVERY = 0.5
"""Seconds between two looks, at least."""
SHARE = 0.02
"""How much of a processor core looking may take."""


class RunsSeen(Message):
    """The list of runs, the newest first."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__()
        self.rows = rows


@dataclass(frozen=True)
class Curve:
    """One metric of a run: float64 views of equal length."""

    step: memoryview[float]
    epoch: memoryview[float]
    time: memoryview[float]
    value: memoryview[float]


@dataclass(frozen=True)
class Sight:
    """All that a screen shows of one run, at one moment."""

    run: Run
    row: dict[str, Any]
    curves: dict[str, Curve] = field(default_factory=dict)
    settings: str = ""
    """The resolved preset as TOML, or why it cannot be read."""
    environment: dict[str, Any] = field(default_factory=dict)
    beat: dict[str, Any] = field(default_factory=dict)


class RunSeen(Message):
    """One run, as it is now."""

    def __init__(self, sight: Sight) -> None:
        super().__init__()
        self.sight = sight


class Watch(threading.Thread):
    """Looks again and again, in a thread of its own, and tells what is new; rests longer where looking takes long."""

    def __init__(self, look: Callable[[], Message | None], tell: Callable[[Message], object]) -> None:
        super().__init__(daemon=True)
        self._look, self._tell = look, tell
        self._ended = threading.Event()
        self._soon = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            used = time.thread_time()
            try:
                message = self._look()
            except OSError:
                message = None  # a directory that went away; the next look tells
            if message is not None and not self._ended.is_set():
                self._tell(message)
            took = max(time.thread_time() - used, (time.monotonic() - began) / 10)
            self._soon.wait(max(EVERY, took / SHARE))
            self._soon.clear()

    def soon(self) -> None:
        """Look at once: something was done that shows."""
        self._soon.set()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._soon.set()


class AllRuns:
    """What a watch over the runs directory looks at: the runs that are at work each time, the others now and then."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._rows: list[dict[str, Any]] | None = None
        self._made = 0
        self._whole_at = 0.0
        self.whole = True
        """Whether the next look is to be at every run."""

    def __call__(self) -> Message | None:
        rows = self._look()
        if rows == self._rows:
            return None
        self._rows = rows
        return RunsSeen(rows)

    def _look(self) -> list[dict[str, Any]]:
        made, now = self._changed(), time.monotonic()
        if self._rows is None or self.whole or made != self._made or now > self._whole_at:
            rows = index.summaries(self.runs_dir)
            self.whole, self._made = False, made
            self._whole_at = time.monotonic() + max(2.0, (time.monotonic() - now) / SHARE)
            return rows
        return [summary(Run(Path(row["path"]))) if row["state"] in ALIVE else row for row in self._rows]

    def _changed(self) -> int:
        """When a run was made, renamed or deleted last."""
        try:
            return self.runs_dir.stat().st_mtime_ns
        except OSError:
            return 0


class OneRun:
    """What a watch over one run looks at."""

    def __init__(self, run: Run, with_curves: bool = True) -> None:
        self.run = run
        self._columns = columns.open(run.path) if with_curves else None
        self._last: tuple[Any, ...] | None = None
        self._resolved = ""

    def __call__(self) -> Message | None:
        fresh = self._columns is not None and self._columns.refresh()
        row = summary(self.run)
        beat = Job(self.run).heartbeat()
        seen = (row, beat.get("beat"))
        if not fresh and seen == self._last:
            return None
        self._last = seen
        attempts = files.read_or_nothing(self.run.path / "env.json").get("attempts")
        environment = attempts[-1] if isinstance(attempts, list) and attempts and isinstance(attempts[-1], dict) else {}
        return RunSeen(Sight(self.run, row, self._curves(), self._settings(), environment, beat))

    def _settings(self) -> str:
        """They never change once the run was made."""
        path = self.run.path / "resolved.toml"
        if not self._resolved:
            try:
                self._resolved = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                return f"{path}: cannot be read ({error.strerror})"
        return self._resolved

    def _curves(self) -> dict[str, Curve]:
        if self._columns is None:
            return {}
        return {name: Curve(*_views(self._columns.get(name))) for name in self._columns.names()}


def _views(column: columns.Column) -> tuple[memoryview[float], ...]:
    return column.step, column.epoch, column.time, column.value
