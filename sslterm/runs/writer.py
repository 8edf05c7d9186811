"""The one writer of a run: the trainer holds it for as long as it trains."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sslterm import presets
from sslterm.runs import files
from sslterm.runs.directory import FOLDERS, Run, RunError
from sslterm.runs.files import DamagedFile
from sslterm.runs.identity import Identity
from sslterm.runs.job import TOKEN
from sslterm.runs.locks import Lock, Locked
from sslterm.runs.metrics import MetricsWriter


class RunWriter:
    """Takes the run for one attempt: a second trainer is refused as long as the first one lives."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = _take(run)
        self.attempt = _attempts(run) + 1
        _tidy(run)
        self._metrics = MetricsWriter(run.metrics, self.attempt)
        self._log = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._started = time.time()
        self.job = os.environ.get(TOKEN)
        """Which start of the training job this is; None where nobody supervises."""

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._metrics.close()
        os.close(self._log)
        self._lock.release()

    def state(self, state: str, reason: str | None = None, exit_code: int | None = None) -> None:
        """Say what the run does now: running, finished, failed, interrupted or paused, and why."""
        over = state != "running"
        status = {
            "state": state,
            "attempt": self.attempt,
            "job": self.job,
            "reason": reason,
            "exit": exit_code,
            "started": self._started,
            "ended": time.time() if over else None,
            "process": Identity.mine().written(),
        }
        _patiently(lambda: files.write_json(self.run.path / "status.json", status))
        self.log(f"state: {state}{': ' + reason if reason else ''}")

    def metrics(self, row: dict[str, Any]) -> None:
        """One row of metrics. What a full disk cannot take is kept, and `trouble` says so."""
        self._metrics.write(row)

    @property
    def trouble(self) -> str | None:
        """Why metrics cannot be written just now, or None."""
        return self._metrics.trouble

    def log(self, text: str) -> None:
        """A line, or a traceback, for `logs/train.log`."""
        with contextlib.suppress(OSError):  # a log that a full disk cannot take is no reason to end
            os.write(self._log, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode())

    def environment(self, facts: dict[str, Any]) -> None:
        """What this attempt runs on and with."""
        path = self.run.path / "env.json"
        try:
            attempts = files.read_json(path).get("attempts", [])
        except (FileNotFoundError, DamagedFile):
            attempts = []
        files.write_json(path, {"attempts": [*attempts, {"attempt": self.attempt, **facts}]})

    def resolved(self, preset: presets.Preset) -> None:
        """The values that apply from now on (a run may be given more epochs)."""
        files.write_text(self.run.path / "resolved.toml", presets.dump(preset))


PAUSES = (1.0, 4.0, 15.0)
"""Seconds between the tries to write a word that must not be lost."""


def _patiently(write: Callable[[], None]) -> None:
    """Write, and try some more where the disk is full. Raises OSError in the end."""
    for pause in PAUSES:
        try:
            return write()
        except OSError:
            time.sleep(pause)
    return write()


def _take(run: Run) -> Lock:
    try:
        return Lock(run.lock)
    except Locked:
        raise RunError(already(run)) from None


def already(run: Run) -> str:
    """What to say to a second trainer."""
    holder = Identity.read(run.status().get("process"))
    who = f" ({holder})" if holder else ""
    return f"{run.path}: is being trained already{who}; wait for it, or stop it first: sslterm stop {run.path}"


def _attempts(run: Run) -> int:
    """How many there were: by the status, or by the segments they left where the status is lost."""
    said = run.status().get("attempt", 0)
    segments = [int(path.stem) for path in run.metrics.glob("*.jsonl") if path.stem.isdigit()]
    return max([said if isinstance(said, int) else 0, *segments])


def _tidy(run: Run) -> None:
    """Make what is missing, and delete what a killed trainer left half-written; we hold the lock."""
    for name in FOLDERS:
        (run.path / name).mkdir(exist_ok=True)
    for folder in (run.path, run.checkpoints, run.evaluations):
        files.sweep(folder)
