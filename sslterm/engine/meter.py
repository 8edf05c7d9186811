"""Numbers of each step, kept on the device until they are worth a look: to read one is to stop the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Meter:
    """Collects scalars; one synchronisation reads all that wait."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._waiting: list[Tensor] = []
        self.sums: dict[str, float] = {}
        self.steps = 0

    def add(self, values: dict[str, Tensor]) -> None:
        """The scalars of one step, still on the device."""
        self._names = list(values)
        self._waiting.append(torch.stack([value.detach().float() for value in values.values()]))

    @property
    def waiting(self) -> int:
        """Steps not yet read."""
        return len(self._waiting)

    def read(self) -> list[dict[str, float]]:
        """Every step that waits; they count towards the epoch's means."""
        if not self._waiting:
            return []
        rows = [dict(zip(self._names, row, strict=True)) for row in torch.stack(self._waiting).tolist()]
        self._waiting.clear()
        for row in rows:
            for name, value in row.items():
                self.sums[name] = self.sums.get(name, 0.0) + value
        self.steps += len(rows)
        return rows

    def means(self) -> dict[str, float]:
        """The epoch's means of all that was read."""
        return {name: total / self.steps for name, total in self.sums.items()} if self.steps else {}

    def restart(self) -> None:
        """A new epoch."""
        self._waiting.clear()
        self.sums, self.steps = {}, 0

    def state_dict(self) -> dict[str, object]:
        """What a stop in the middle of an epoch must remember."""
        return {"sums": dict(self.sums), "steps": self.steps}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue from what was remembered."""
        self.restart()
        self.sums = dict(state["sums"])  # type: ignore[call-overload]
        self.steps = int(state["steps"])  # type: ignore[call-overload]


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each number over some steps."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}


def first_not_finite(rows: list[dict[str, float]]) -> int | None:
    """The place of the first step whose loss is NaN or infinite."""
    return next((place for place, row in enumerate(rows) if not math.isfinite(row["loss"])), None)
