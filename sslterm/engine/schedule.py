"""The learning rate over time, and when to stop. Constant, cosine and step are functions of the place alone and so
remember nothing; plateau and early stopping watch a metric and say in `state_dict` what they saw."""

from __future__ import annotations

import math
from typing import Any

from sslterm import presets
from sslterm.engine.optimizers import Optimizer
from sslterm.runs.checkpoints import downward


class Watch:
    """Counts how long a metric has not improved."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.best: float | None = None
        self.stale = 0

    def look(self, value: float) -> None:
        """One more epoch's value; NaN never improves."""
        better = self.best is None or (value < self.best if downward(self.metric) else value > self.best)
        if better and not math.isnan(value):
            self.best, self.stale = value, 0
        else:
            self.stale += 1

    def state_dict(self) -> dict[str, Any]:
        """What to remember."""
        return {"best": self.best, "stale": self.stale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what was remembered."""
        self.best, self.stale = state["best"], state["stale"]


class Schedule:
    """Sets the rate of every group before each step."""

    def __init__(self, settings: presets.Schedule, epochs: int) -> None:
        self.settings = settings
        self.epochs = epochs
        self.watch = Watch(settings.metric)
        self.plateau = 1.0

    def factor(self, at: float) -> float:
        """What `optimizer.lr` is multiplied by; `at` counts epochs of the stage, with fractions for steps."""
        warmup = self.settings.warmup
        if at < warmup:
            # Rises to the whole rate, and never begins at nothing: the first of w epochs runs at 1/w of it.
            return (math.floor(at) + 1) / max(warmup, 1) if self._whole_epochs else max(at / warmup, 1e-3)
        place = math.floor(at) if self._whole_epochs else at
        return self._after_warmup(max(place - warmup, 0.0), max(self.epochs - warmup, 1e-9))

    @property
    def _whole_epochs(self) -> bool:
        return self.settings.per == "epoch"

    def _after_warmup(self, at: float, length: float) -> float:
        kind = self.settings.name
        if kind == "cosine":
            half = 0.5 * (1 + math.cos(math.pi * min(at / length, 1.0)))
            return self.settings.end + (1 - self.settings.end) * half
        if kind == "step":
            return self.settings.factor ** (int(at) // self.settings.every)
        return self.plateau if kind == "plateau" else 1.0

    def set(self, optimizer: Optimizer, at: float) -> float:
        """Set every group's rate for the place `at`; gives back the rate of the first group that the schedule moves."""
        factor = self.factor(at)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * (1.0 if group["constant"] else factor)
        moved = [group for group in optimizer.param_groups if not group["constant"]]
        return (moved or optimizer.param_groups)[0]["lr"]

    def look(self, metrics: dict[str, float]) -> None:
        """After an epoch: a plateau falls once its metric has not improved for longer than `patience`."""
        if self.settings.name != "plateau" or self.settings.metric not in metrics:
            return
        self.watch.look(metrics[self.settings.metric])
        if self.watch.stale > self.settings.patience:
            self.plateau *= self.settings.factor
            self.watch.stale = 0

    def state_dict(self) -> dict[str, Any]:
        """What to remember."""
        return {"plateau": self.plateau, "watch": self.watch.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what was remembered."""
        self.plateau = state["plateau"]
        self.watch.load_state_dict(state["watch"])
