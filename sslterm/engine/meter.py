"""Numbers of each step, kept on the device until they are worth a look: to read one is to stop the device."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor

Rows = list[dict[str, float]]
"""The numbers of some steps, one row a step."""


class Meter:
    """Collects scalars. They are sent for, many at once, and taken in when they have come: a GPU works on meanwhile."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._waiting: list[Tensor] = []
        self._sent: deque[tuple[list[str], Tensor, torch.cuda.Event | None, Any]] = deque()
        self.sums: dict[str, float] = {}
        self.steps = 0

    def add(self, values: dict[str, Tensor]) -> None:
        """The scalars of one step, still on the device."""
        self._names = list(values)
        self._waiting.append(torch.stack([value.detach().float() for value in values.values()]))

    @property
    def waiting(self) -> int:
        """Steps not yet sent for."""
        return len(self._waiting)

    def send(self, mark: Any = None) -> None:
        """Send for every step that waits. `mark` comes back with their numbers."""
        if self._waiting:
            self._sent.append((self._names, *_under_way(torch.stack(self._waiting)), mark))
            self._waiting.clear()

    def arrived(self, wait: bool) -> list[tuple[Rows, Any]]:
        """What has come of all that was sent for, in order, each with its mark; `wait`: until all of it has. It counts
        towards the epoch's means."""
        found = []
        while self._sent:
            names, numbers, event, mark = self._sent[0]
            if event is not None and not wait and not event.query():
                break
            if event is not None:
                event.synchronize()
            self._sent.popleft()
            rows = [dict(zip(names, row, strict=True)) for row in numbers.tolist()]
            for row in rows:
                for name, value in row.items():
                    self.sums[name] = self.sums.get(name, 0.0) + value
            self.steps += len(rows)
            found.append((rows, mark))
        return found

    def means(self) -> dict[str, float]:
        """The epoch's means of all that was read."""
        return {name: total / self.steps for name, total in self.sums.items()} if self.steps else {}

    def restart(self) -> None:
        """A new epoch."""
        self._waiting.clear()
        self._sent.clear()
        self.sums, self.steps = {}, 0

    def state_dict(self) -> dict[str, object]:
        """What a stop in the middle of an epoch must remember. Whatever was added must have arrived."""
        assert not self._waiting
        assert not self._sent
        return {"sums": dict(self.sums), "steps": self.steps}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue from what was remembered."""
        self.restart()
        self.sums = dict(state["sums"])  # type: ignore[call-overload]
        self.steps = int(state["steps"])  # type: ignore[call-overload]


def _under_way(numbers: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """The numbers on the CPU, and what tells when they are there; None: they are."""
    if numbers.device.type != "cuda":
        return numbers.cpu(), None
    here = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)  # else the copy would wait for the GPU
    here.copy_(numbers, non_blocking=True)
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(numbers.device))
    return here, event


def mean(rows: Rows) -> dict[str, float]:
    """The mean of each number over some steps."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}


def first_not_finite(rows: Rows) -> int | None:
    """The place of the first step whose loss is NaN or infinite."""
    return next((place for place, row in enumerate(rows) if not math.isfinite(row["loss"])), None)
