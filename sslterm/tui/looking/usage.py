"""What a run's trainer takes of this machine: memory, processor, and how its GPU fares. Looked at in a thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from sslterm.jobs.devices import candidates
from sslterm.runs import Run
from sslterm.runs.identity import Identity
from sslterm.runs.job import Job
from sslterm.tui.looking import gpus
from sslterm.tui.looking.gpus import Gpu

EVERY = 2.0
"""Seconds between two looks, at least."""
STEP = 1 << 20
"""Bytes below which nobody sees a difference."""


@dataclass(frozen=True)
class Usage:
    """What it takes just now; None where it does not work here, or nobody can say."""

    memory: int | None = None
    """Bytes that are resident."""
    cpu: int | None = None
    """Per cent of one core, rounded to tens."""
    gpu: Gpu | None = None


class UsageSeen(Message):
    """The trainer takes more or less than before."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class TrainerUsage:
    """What a watch over a run's trainer looks at."""

    def __init__(self, run: Run) -> None:
        self._job = Job(run)
        self._process: Any = None
        self._at = 0.0
        self._last = Usage()

    def __call__(self) -> Message | None:
        if time.monotonic() - self._at < EVERY:
            return None
        self._at = time.monotonic()
        usage = self._look()
        if usage == self._last:
            return None
        self._last = usage
        return UsageSeen(usage)

    def _look(self) -> Usage:
        worker = self._job.worker()
        if worker is None or not worker.alive():
            self._process = None
            return Usage()
        memory, cpu = self._taken(worker)
        return Usage(memory, cpu, self._gpu(self._job.record().get("device")))

    def _taken(self, worker: Identity) -> tuple[int | None, int | None]:
        import psutil  # not above: no screen waits for it

        try:
            if self._process is None or self._process.pid != worker.pid:
                self._process = psutil.Process(worker.pid)
                self._process.cpu_percent(None)  # from here on it is counted
                return self._process.memory_info().rss // STEP * STEP, None
            return self._process.memory_info().rss // STEP * STEP, round(self._process.cpu_percent(None) / 10) * 10
        except psutil.Error:  # it has just ended, or belongs to somebody else
            return None, None

    def _gpu(self, device: Any) -> Gpu | None:
        if not isinstance(device, str) or not device.startswith("cuda"):
            return None
        found = gpus.look() or []
        number = candidates(device)[0].environment.get("CUDA_VISIBLE_DEVICES", device.partition(":")[2] or "0")
        return next((gpu for gpu in found if gpu.means(number)), None)
