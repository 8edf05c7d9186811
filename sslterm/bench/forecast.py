"""How long a preset takes here: a few of its own steps and looks, timed, times how many of them there are."""

from __future__ import annotations

import time
from pathlib import Path

from sslterm import presets
from sslterm.bench.report import Report
from sslterm.bench.step import Whole, prepared
from sslterm.bench.timing import Figure, seconds
from sslterm.engine import compiling, monitor
from sslterm.engine.device import pick_device, settle
from sslterm.engine.stage import StageInTraining
from sslterm.tables import duration

LONGEST = 20.0
"""Seconds of steps that are timed for a stage, at most."""
FEWEST, MOST = 3, 30
"""Steps that are timed."""


def measure(preset: presets.Preset, device: str, data_dir: Path) -> Report:
    """Each stage's part of the whole. Raises UserError with a sentence, as training does."""
    report = Report(f"forecast: {preset.title}")
    total = 0.0
    for index, settings in enumerate(preset.stage):
        stage = prepared(preset, pick_device(device), data_dir, index)
        compiling.settle(stage, report.notes.append, lambda title, total: lambda more: None)
        steps, look = timed(stage)
        looks = _looks(preset, settings.epochs)
        takes = steps[len(steps) // 2] * stage.steps * settings.epochs + look * looks
        total += takes
        report.add(
            Figure(
                f"a step of {settings.name}", tuple(step * 1e3 for step in steps), "ms",
                f"{settings.epochs} epochs of {stage.steps} steps, {looks} looks of {look:.1f} s: {duration(takes)}",
            )
        )  # fmt: skip
    report.notes.append(f"the whole preset takes about {duration(total)} here, if nobody else computes")
    return report


def timed(stage: StageInTraining) -> tuple[list[float], float]:
    """Seconds of some steps, sorted, and of one look between epochs."""
    whole, device = Whole(stage), stage.subject.device

    def one() -> None:
        whole.step()
        settle(device)

    one()
    began = time.monotonic()
    taken: list[float] = []
    while len(taken) < MOST and (len(taken) < FEWEST or time.monotonic() - began < LONGEST):
        taken.append(seconds(one))
    return sorted(taken), seconds(lambda: _look(stage))


def _look(stage: StageInTraining) -> None:
    monitor.validate(stage)
    if stage.preset.monitor.every:
        monitor.look(stage)


def _looks(preset: presets.Preset, epochs: int) -> int:
    """Every epoch looks at the classifier; the dearer look at the representation comes every `monitor.every`."""
    every = preset.monitor.every
    return max(1, -(-epochs // every)) if every else epochs
