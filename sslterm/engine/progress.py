"""What training says of itself while it works: a heartbeat for whoever looks on, a line an epoch for the log.

Nothing is drawn here. A follower (`sslterm.follow`), in this terminal or another one, draws what it reads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sslterm.runs import files
from sslterm.runs.job import TOKEN, Job
from sslterm.runs.writer import RunWriter
from sslterm.tables import SHOWN, duration, figures

EVERY = 1.0
"""Seconds between two heartbeats, at least."""
PATIENCE = 30.0
"""Seconds of silence that are never called a stall."""
LONG = 900.0
"""Seconds that data, a first step (which may compile) or a first validation may take."""


class Heartbeat:
    """`heartbeat.json` of a job: how far it is, and by when it will say more."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "heartbeat.json"
        self.facts: dict[str, Any] = {"job": os.environ.get(TOKEN), "phase": "preparing", "trouble": None}
        self._last = 0.0

    def beat(self, promise: float | None = LONG, always: bool = False) -> bool:
        """Write the facts, at most once a second unless `always`; the next beat is due within `promise` seconds.

        A disk that cannot take it does not stop the work. True where something was written.
        """
        now = time.monotonic()
        if not always and now - self._last < EVERY:
            return False
        self._last = now
        due = None if promise is None else now + promise
        try:
            files.write_json(self.path, {**self.facts, "time": time.time(), "beat": now, "due": due}, lasting=False)
        except OSError:
            return False
        return True

    def work(self, title: str, total: int) -> Callable[[int], object]:
        """A pass over `total` things begins; what comes back is to be told how many more are done."""
        self.facts.update(title=title, done=0, total=total)
        self.beat(LONG, always=True)

        def advance(more: int) -> None:
            self.facts["done"] += more
            self.beat(LONG)

        return advance


class Progress:
    """How far training is."""

    def __init__(self) -> None:
        self._heart: Heartbeat | None = None
        self._writer: RunWriter | None = None
        self._longest = 0.0

    def open(self, writer: RunWriter) -> None:
        """Training of a run begins: first its data are prepared."""
        self._writer = writer
        self._heart = Heartbeat(Job(writer.run).folder)
        self._heart.beat(None, always=True)

    def preparing(self, title: str, total: int) -> Callable[[int], object]:
        """Data are prepared: `total` images to be read or drawn."""
        assert self._heart
        return self._heart.work(title, total)

    @property
    def facts(self) -> dict[str, Any]:
        """What the heartbeat says."""
        assert self._heart
        return self._heart.facts

    def stage(self, name: str, index: int, stages: int, epochs: int, steps: int, done: int, batch: int) -> None:
        """A stage begins, or goes on after `done` steps; both `epochs` and `steps` (of one epoch) are counts."""
        assert self._heart
        self.batch = batch
        self._began, self._done, self._at, self._tick = time.monotonic(), 0, done, time.monotonic()
        self._longest = 0.0
        self.facts.update(
            phase="training", stage=name, stage_index=index, stages=stages, epochs=epochs, steps=steps,
            epoch=done // steps, step=done % steps, shown={}, images_per_second=None, left=None,
        )  # fmt: skip
        self._heart.beat(LONG, always=True)

    def step(self, shown: dict[str, float] | None = None) -> None:
        """One more step; `shown` where its numbers were just read."""
        assert self._heart
        self._at += 1
        self._done += 1
        now = time.monotonic()
        self._longest = max(self._longest, now - self._tick)
        self._tick = now
        self._place()
        if shown:
            self._show(shown)
        self._heart.beat(PATIENCE + 20 * self._longest)

    def _place(self) -> None:
        facts = self.facts
        facts.update(epoch=self._at // facts["steps"], step=self._at % facts["steps"])

    def _show(self, shown: dict[str, float]) -> None:
        facts = self.facts
        facts["shown"].update({key: shown[key] for key in SHOWN if key in shown})
        speed = self._done / max(time.monotonic() - self._began, 1e-9)
        facts["images_per_second"] = speed * self.batch
        facts["left"] = (facts["epochs"] * facts["steps"] - self._at) / speed

    def looking(self, seconds: float) -> None:
        """An epoch's steps are done, and it will be looked at; the last look took so many seconds."""
        assert self._heart
        self._place()
        self._heart.beat(max(LONG if not seconds else 0.0, PATIENCE + 10 * seconds), always=True)

    def epoch(self, epoch: int, metrics: dict[str, float], left: float) -> None:
        """An epoch is over. `left` seconds remain in the stage, as it looks now."""
        assert self._heart
        assert self._writer
        row = {key.removeprefix("train/"): value for key, value in metrics.items()}
        facts = self.facts
        facts["shown"].update({key: row[key] for key in SHOWN if key in row})
        speed = metrics.get("images_per_second", 0)
        facts.update(epoch=epoch, step=0, images_per_second=speed, left=left)
        self._tick = time.monotonic()
        self._heart.beat(PATIENCE + 20 * self._longest)
        tail = f" · {duration(left)} left" if epoch < facts["epochs"] else ""
        place = f"{facts['stage']} {epoch}/{facts['epochs']}"
        self._writer.log(f"{place} · {figures(row)} · {speed:,.0f} images/s{tail}")

    def say(self, text: str) -> None:
        """A sentence between the figures."""
        assert self._writer
        self._writer.log(text)

    def trouble(self, text: str | None) -> None:
        """What ails training just now though it goes on, such as a full disk; None when it is over."""
        assert self._heart
        if text != self.facts["trouble"]:
            self.facts["trouble"] = text
            self.say(text or "what was wrong is right again")
            self._heart.beat(PATIENCE + 20 * self._longest, always=True)

    def close(self) -> None:
        """Training has ended, and saves what is left to save."""
        if self._heart and "stage" in self.facts:
            self._place()
            self.facts["phase"] = "ending"
            self._heart.beat(None, always=True)
