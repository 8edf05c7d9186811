"""What is read of the run under the cursor, or of the runs of a group: two curves, its health. In a thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from textual.message import Message

from sslterm.runs import columns
from sslterm.runs.state import ALIVE
from sslterm.tui.looking.curves_in_small import LARGE, readable, signature
from sslterm.tui.reckoning import axes, health
from sslterm.tui.reckoning.curve import Curve

Row = dict[str, Any]
Points = dict[str, tuple[Any, Any]]
"""By the names of runs: float64 epochs (n,) and values (n,)."""

LOSS, STEPS = "train/loss", "step/loss"
SCORES = ("knn/top1", "valid/top1", "train/top1")
HEALTH = ("health/std", "health/std_healthy", "health/rank", health.CODES_USED, "optimizer/lr")
MOST = 10
"""Runs of a group whose curves are read."""
EPOCHS = 3
"""Epochs from which the curve of epochs tells more than that of steps."""
EVERY = 2.0
"""Seconds between two looks at the same runs."""
BLOCKS = 1000
"""Of a curve that is longer than a small chart can show, the least and the greatest of so many parts."""


@dataclass(frozen=True)
class Small:
    """What is known of the run, or runs, at these paths."""

    paths: tuple[str, ...]
    loss: Points = field(default_factory=dict)
    score: Points = field(default_factory=dict)
    loss_name: str = LOSS
    score_name: str = SCORES[0]
    alarm: str | None = None
    """Of a run alone."""
    last: dict[str, float] = field(default_factory=dict)
    """The last of the health metrics, of a run alone."""
    unread: bool = False
    """Whether there is so much that nothing was read: opening the run does that."""


class SeenInSmall(Message):
    """The runs under the cursor, in small."""

    def __init__(self, small: Small) -> None:
        super().__init__()
        self.small = small

    def can_replace(self, message: Message) -> bool:
        """The cursor moved on: only the newest counts."""
        return isinstance(message, SeenInSmall)


class CloseLook:
    """What a watch over the run under the cursor looks at. `want` says which that is."""

    def __init__(self) -> None:
        self._wanted: tuple[Row, ...] = ()
        self._of: tuple[Any, ...] | None = None
        self._at = 0.0

    def want(self, rows: Sequence[Row]) -> None:
        """These from now on: one run, or those of a group."""
        self._wanted = tuple(rows[:MOST])

    def __call__(self) -> Message | None:
        rows = self._wanted
        paths = tuple(row["path"] for row in rows)
        same = self._of is not None and self._of[0] == paths
        if not rows or (same and time.monotonic() - self._at < EVERY):
            return None
        of = (paths, [(row["state"] in ALIVE, readable(row["path"]), *signature(row["path"])) for row in rows])
        self._at = time.monotonic()
        if of == self._of:
            return None
        self._of = of
        return SeenInSmall(small(paths, rows))


def small(paths: tuple[str, ...], rows: Sequence[Row]) -> Small:
    """Look at these runs."""
    read = {row["name"]: _curves(row) for row in rows}
    names = [name for curves in read.values() for name in curves]
    loss = STEPS if names.count(STEPS) > names.count(LOSS) else LOSS
    wanted = [name for name in (rows[0]["best_metric"], *SCORES) if name]
    score = max(wanted, key=lambda name: (names.count(name), -wanted.index(name)))
    unread = not all(readable(path) for path in paths)
    found = Small(paths, _points(read, loss), _points(read, score), loss, score, unread=unread)
    return found if len(rows) > 1 else _judged(found, rows[0], *read.values())


def _judged(found: Small, row: Row, curves: dict[str, Curve]) -> Small:
    """With the health of the run."""
    last = {name: float(curves[name].value[-1]) for name in HEALTH if name in curves}
    alarm = health.alarm(_stages(row, curves), row["state"] in ALIVE)
    return replace(found, alarm=alarm, last=last)


def _stages(row: Row, curves: dict[str, Curve]) -> list[health.Stage]:
    """The stages that have begun, each with what was measured in it."""
    begun = axes.stages_of(curves.values())
    return [
        health.Stage(str(stage["name"]), str(stage["method"]), axes.values_of(curves, begun, place))
        for place, stage in enumerate(row["stages"][: len(begun.steps)])
    ]


def _curves(row: Row) -> dict[str, Curve]:
    """The curves of a run that are needed; of a very long one only the two that are drawn."""
    if not readable(row["path"]):
        return {}
    long = sum(size for _, size, _ in signature(row["path"])) > LARGE
    with columns.open(Path(row["path"])) as found:
        there = [name for name in found.names() if name in (LOSS, row["best_metric"], *SCORES, *HEALTH)]
        if long:
            there = [LOSS, next((name for name in (row["best_metric"], *SCORES) if name in there), SCORES[0])]
        elif len(found.get(LOSS)) < EPOCHS:
            there = [*(name for name in there if name != LOSS), STEPS]
        read = {name: found.get(name) for name in there}
    return {name: Curve(one.step, one.epoch, one.time, one.value) for name, one in read.items() if len(one)}


def _points(read: Mapping[str, Mapping[str, Curve]], name: str) -> Points:
    return {
        run: thinned(axes.x_of(curves[name], "epoch", axes.stages_of(curves.values())), np.asarray(curves[name].value))
        for run, curves in read.items()
        if name in curves
    }


def thinned(x: Any, y: Any) -> tuple[Any, Any]:
    """Places and values (n,) float64, or the least and the greatest of each part; copies, for the rest is let go."""
    if len(y) <= 2 * BLOCKS:
        return np.array(x), np.array(y)
    part = len(y) // BLOCKS
    whole, nan = y[: BLOCKS * part].reshape(BLOCKS, part), np.isnan(y[: BLOCKS * part]).reshape(BLOCKS, part)
    low, high = np.where(nan, np.inf, whole).argmin(axis=1), np.where(nan, -np.inf, whole).argmax(axis=1)
    begins = np.arange(BLOCKS) * part
    kept = np.unique(np.concatenate([begins + low, begins + high, [len(y) - 1]]))
    return x[kept], y[kept]
