"""Looking at runs, in threads: what is seen becomes a message, and only when it has changed.

A look never raises: where something cannot be read the message says so (`problem`), with what was seen last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from textual.message import Message

from sslterm.runs import Run, files
from sslterm.runs.job import Job
from sslterm.runs.summary import Row, summary
from sslterm.tui.looking.all_runs import AllRuns, RunsSeen
from sslterm.tui.looking.curve_reader import Choose, Curve, CurveReader

__all__ = ["AllRuns", "Curve", "LookFailed", "OneRun", "RunSeen", "RunsSeen", "Sight", "Watch"]

EVERY = 0.5
"""Seconds between two looks, at least."""
SHARE = 0.02
"""How much of a processor core looking may take."""
LONG = 64_000_000
"""Bytes of metrics from which on a run is very long: some hundred thousand rows."""


@dataclass(frozen=True)
class Sight:
    """All that a screen shows of one run, at one moment."""

    run: Run
    row: Row
    curves: dict[str, Curve] = field(default_factory=dict)
    """Of a very long run only those that somebody sees, see `OneRun`."""
    settings: str = ""
    """The resolved preset as TOML, or why it cannot be read."""
    environment: dict[str, Any] = field(default_factory=dict)
    beat: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """Every metric there is."""


class RunSeen(Message):
    """One run, as it is now; `problem` says why it cannot be looked at, and then as it was last."""

    def __init__(self, sight: Sight, problem: str | None = None) -> None:
        super().__init__()
        self.sight, self.problem = sight, problem


class LookFailed(Message):
    """A look came to grief in a way that nobody foresaw; the next one is tried all the same."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class Watch(threading.Thread):
    """Looks again and again, in a thread of its own, and tells what is new; rests longer where looking takes long."""

    def __init__(self, look: Callable[[], Message | None], tell: Callable[[Message], object]) -> None:
        super().__init__(daemon=True)
        self._look, self._tell = look, tell
        self._ended = threading.Event()
        self._soon = threading.Event()
        self._failed = ""

    def run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            used = time.thread_time()
            message = self._seen()
            if message is not None and not self._ended.is_set():
                self._tell(message)
            if not getattr(self._look, "more", False):
                took = max(time.thread_time() - used, (time.monotonic() - began) / 10)
                self._soon.wait(max(EVERY, took / SHARE))
                self._soon.clear()
        del self._look  # and with it all that it holds, even where something still knows this thread

    def _seen(self) -> Message | None:
        try:
            return self._look()
        except OSError:
            return None  # something went away while it was looked at; the next look tells
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            known, self._failed = self._failed, said
            return LookFailed(f"what is shown may be old, for looking failed ({said})") if said != known else None

    def soon(self) -> None:
        """Look at once: something was done that shows."""
        self._soon.set()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._soon.set()


class OneRun:
    """What a watch over one run looks at.

    `seen` says which of all metrics somebody sees just now. Of a very long run only those are read, and none is kept
    here: whoever draws them keeps what is drawn.
    """

    def __init__(self, run: Run, with_curves: bool = True, seen: Choose | None = None) -> None:
        self.run = run
        self._curves = CurveReader(run, LONG) if with_curves else None
        self._sight: Sight | None = None
        self._last: tuple[Any, ...] | None = None
        self._resolved = ""
        self.want(seen)

    def want(self, seen: Choose | Collection[str] | None) -> None:
        """Of a very long run only these from the next look on; None: all."""
        if self._curves is not None:
            self._curves.seen = seen if seen is None or callable(seen) else lambda _: seen

    @property
    def long(self) -> bool:
        """Whether it is very long. Looks at the disk."""
        return self._curves is not None and self._curves.long

    def again(self) -> None:
        """Tell everything anew at the next look."""
        self._last = None

    def __call__(self) -> Message | None:
        problem = self._problem()
        fresh = problem is None and self._curves is not None and self._curves.changed()
        row = summary(self.run) if problem is None or self._sight is None else self._sight.row
        beat = Job(self.run).heartbeat() if problem is None else {}
        seen = (row, beat.get("beat"), problem)
        if not fresh and seen == self._last:
            return None
        self._last = seen
        if problem is not None and self._sight is not None:
            return RunSeen(self._sight, problem)
        curves = self._curves.read() if self._curves is not None and problem is None else {}
        names = self._curves.names if self._curves is not None else ()
        sight = Sight(self.run, row, curves, self._settings(), self._environment(), beat, names)
        self._sight = replace(sight, curves={}) if self.long else sight
        return RunSeen(sight, problem)

    def _problem(self) -> str | None:
        """Why it cannot be looked at."""
        try:
            with os.scandir(self.run.path):
                return None
        except FileNotFoundError:
            return f"{self.run.path}: is not there any more; what is shown was seen last"
        except OSError as error:
            return f"{self.run.path}: cannot be read ({error.strerror}); what is shown was seen last"

    def _settings(self) -> str:
        """They change only where a run is given more epochs."""
        path = self.run.path / "resolved.toml"
        if not self._resolved:
            try:
                self._resolved = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                return f"{path}: cannot be read ({error.strerror})"
        return self._resolved

    def _environment(self) -> dict[str, Any]:
        attempts = files.read_or_nothing(self.run.path / "env.json").get("attempts")
        return attempts[-1] if isinstance(attempts, list) and attempts and isinstance(attempts[-1], dict) else {}
