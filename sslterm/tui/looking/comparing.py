"""What is read of the runs that are compared: curves, tests, settings. In a thread, all runs one after another."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.message import Message

from sslterm.runs import Run, columns, files
from sslterm.runs.metrics import number
from sslterm.runs.state import ALIVE
from sslterm.runs.summary import settings, summary
from sslterm.tui.looking.curves_in_small import LARGE, signature
from sslterm.tui.looking.likeness import likeness
from sslterm.tui.reckoning.curve import Curve
from sslterm.tui.reckoning.side_by_side import Question, Row, Sight

CHARTS = (
    "knn/top1", "valid/top1", "train/loss", "health/std", "health/rank", "valid/loss", "train/top1",
    "health/alignment", "health/uniformity", "optimizer/lr",
)  # fmt: skip
"""Metrics that can be laid over each other, the most wanted first."""
FEW = CHARTS[:3]
"""Of a run of millions of points."""
STEPS = "step/loss"
"""What there is of a run whose first epoch is not over."""
OVER = 5.0
"""Seconds between two looks at a run that nobody works on."""


class RunsCompared(Message):
    """The runs, as they are now, in the order that was asked for."""

    def __init__(self, sights: Sequence[Sight]) -> None:
        super().__init__()
        self.sights = sights

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, RunsCompared)


class Comparing:
    """What a watch over several runs looks at."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._looks = [OneSide(row) for row in rows]

    def __call__(self) -> Message | None:
        changed = [look.refresh() for look in self._looks]  # all of them, not up to the first
        return RunsCompared([look.sight for look in self._looks]) if any(changed) else None


class OneSide:
    """One run of a comparison, followed."""

    def __init__(self, row: Row) -> None:
        self.run = Run(Path(row["path"]))
        self.sight = Sight(row, {}, {}, {})
        self._columns: columns.Columns | None = None
        self._told: object = None
        self._tested = 0
        self._at = 0.0

    def refresh(self) -> bool:
        """Look. Tells whether it is another than before."""
        began = self._columns is None
        if not began and self.sight.row["state"] not in ALIVE and time.monotonic() - self._at < OVER:
            return False
        self._at = time.monotonic()
        if not self.run.path.is_dir():
            gone = not self.sight.gone
            self.sight = _replaced(self.sight, gone=True)
            return gone or began
        if self._columns is None:
            self._columns = columns.open(self.run.path)
            said = settings(self.run)  # they never change
            self.sight = _replaced(self.sight, settings=said, likeness=likeness(str(self.run.path)))
        fresh = self._columns.refresh() or began
        row, tested = summary(self.run), _changed(self.run.evaluations)
        if not fresh and (row, tested, False) == (self.sight.row, self._tested, self.sight.gone):
            return False
        tests = self.sight.tests if tested == self._tested else _tests(self.run, row)
        curves = self._curves() if fresh else self.sight.curves
        self._tested = tested
        self.sight = _replaced(self.sight, row=row, tests=tests, curves=curves, gone=False)
        return True

    def _curves(self) -> dict[str, Curve]:
        assert self._columns is not None
        there = set(self._columns.names())
        long = sum(size for _, size, _ in signature(str(self.run.path))) > LARGE
        names = [name for name in (FEW if long else CHARTS) if name in there]
        if not long and "train/loss" not in there and STEPS in there:
            names.append(STEPS)
        found = {name: self._columns.get(name) for name in names}
        return {name: Curve(one.step, one.epoch, one.time, one.value) for name, one in found.items() if len(one)}


def _replaced(sight: Sight, **more: Any) -> Sight:
    return Sight(**{**vars(sight), **more})


def _changed(folder: Path) -> int:
    """When an answer was added last."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _tests(run: Run, row: Row) -> dict[Question, float]:
    """Top-1 on test by protocol and augmentation: of the best checkpoint, else what was asked last."""
    champions = {said["file"] for said in row["best"].values()}
    found: dict[Question, tuple[tuple[bool, int], float]] = {}
    for path in _answers(run.evaluations):
        answer = files.read_or_nothing(path)
        metrics, checkpoint, tta = (_table(answer.get(key)) for key in ("metrics", "checkpoint", "tta"))
        value = number(metrics.get("top1"))
        if answer.get("split") != "test" or value is None:
            continue
        scales = tta.get("scales")
        words = "flip" + "".join(f"@{scale}" for scale in (scales if isinstance(scales, list) else [])) if tta else ""
        test = Question(str(answer.get("protocol"))[:20], words[:20])
        rank = (str(checkpoint.get("file")) in champions, _changed(path))
        if test not in found or rank >= found[test][0]:
            found[test] = (rank, value)
    return {test: value for test, (_, value) in found.items()}


def _answers(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(".json") and name[0] != "."]
    except OSError:
        return []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
