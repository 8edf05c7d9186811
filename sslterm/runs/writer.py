"""The one writer of a run: the trainer holds it for as long as it trains."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psutil

from sslterm import presets
from sslterm.runs import files
from sslterm.runs.directory import FOLDERS, Run, RunError
from sslterm.runs.files import DamagedFile
from sslterm.runs.metrics import MetricsWriter


class RunWriter:
    """Takes the run for one attempt: a second trainer is refused as long as the first one lives."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = _take(run)
        self.attempt = _attempts(run) + 1
        _tidy(run)
        self._metrics = MetricsWriter(run.metrics, self.attempt)
        self._log = run.log.open("a", encoding="utf-8")
        self._started = time.time()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._metrics.close()
        self._log.close()
        self._lock.close()

    def state(self, state: str, reason: str | None = None, exit_code: int | None = None) -> None:
        """Say what the run does now: running, finished, failed or interrupted, and why."""
        over = state != "running"
        status = {
            "state": state,
            "attempt": self.attempt,
            "reason": reason,
            "exit": exit_code,
            "started": self._started,
            "ended": time.time() if over else None,
            "process": identity(),
        }
        files.write_json(self.run.path / "status.json", status)
        self.log(f"{state}{': ' + reason if reason else ''}")

    def metrics(self, row: dict[str, Any]) -> None:
        """One row of metrics. Raises OSError."""
        self._metrics.write(row)

    def log(self, text: str) -> None:
        """A line, or a traceback, for `logs/train.log`."""
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        self._log.flush()

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


def _take(run: Run) -> IO[str]:
    lock = (run.path / ".lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        holder = run.status().get("process", {})
        who = f" (process {holder.get('pid')} on {holder.get('host')})" if isinstance(holder, dict) and holder else ""
        raise RunError(f"{run.path}: is being trained already{who}; wait for it or stop it first") from None
    return lock


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
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def identity() -> dict[str, Any]:
    """Who this process is, so that a number used again for another one is not taken for it."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "pid": os.getpid(),
        "start_time": psutil.Process().create_time(),
        "boot_id": boot.read_text().strip() if boot.exists() else str(psutil.boot_time()),
        "host": socket.gethostname(),
    }
