"""A job: a piece of work that a supervisor watches over, so that it outlives the terminal it was started from.

runs/NAME/jobs/train/       training, the one job that may change the run; jobs/eval-1f2e3d4c/ is an evaluation
  lock             held by the supervisor for as long as it lives; the kernel frees it, whatever kills the supervisor
  job.json         the supervisor's word: what was started, as which process, on which device, how it ended
  heartbeat.json   the worker's word: how far it is, and by when it will say more
  control/         requests (stop.json, checkpoint.json) from whoever looks on
runs/NAME/logs/train.log    what both had to say

Each file has one writer, and every reader bears that it is missing or damaged.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm.runs import files, locks
from sslterm.runs.directory import Run
from sslterm.runs.identity import Identity

TOKEN = "SSLTERM_JOB"
"""The variable by which a worker knows which start of a job it belongs to."""


@dataclass(frozen=True)
class Job:
    """A job of a run, as a reader sees it."""

    run: Run
    name: str = "train"

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.run.path / "jobs" / self.name

    @property
    def lock(self) -> Path:
        """What its supervisor holds."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """What the worker and its supervisor had to say."""
        return self.run.path / "logs" / f"{self.name}.log"

    def supervised(self) -> bool:
        """Whether its supervisor lives."""
        return locks.held(self.lock)

    def record(self) -> dict[str, Any]:
        """The supervisor's word, `job.json`; empty where there is none."""
        return files.read_or_nothing(self.folder / "job.json")

    def heartbeat(self) -> dict[str, Any]:
        """The worker's word, `heartbeat.json`; empty where there is none."""
        return files.read_or_nothing(self.folder / "heartbeat.json")

    def worker(self) -> Identity | None:
        """The process that works, or worked."""
        return Identity.read(self.record().get("worker"))

    # -------------------------------------------------------- requests

    def request(self, what: str, **facts: Any) -> None:
        """Ask the supervisor or the worker for something; a second request of a kind replaces the first."""
        control = self.folder / "control"
        control.mkdir(parents=True, exist_ok=True)
        files.write_json(control / f"{what}.json", {"time": time.time(), "by": os.getpid(), **facts})

    def requested(self, what: str) -> dict[str, Any] | None:
        """What was asked, or None."""
        path = self.folder / "control" / f"{what}.json"
        return files.read_or_nothing(path) if path.exists() else None

    def acknowledge(self, what: str) -> None:
        """The request was obeyed."""
        path = self.folder / "control" / f"{what}.json"
        with contextlib.suppress(FileNotFoundError):  # somebody else may just have said so
            path.replace(path.with_suffix(".done"))

    def forget_requests(self) -> None:
        """What was asked of an earlier start does not concern this one."""
        for path in (self.folder / "control").glob("*.json"):
            path.unlink(missing_ok=True)


def all_jobs(run: Run) -> list[Job]:
    """The jobs of a run, training first."""
    folder = run.path / "jobs"
    names = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    return [Job(run, name) for name in sorted(names, key=lambda name: (name != "train", name))]
