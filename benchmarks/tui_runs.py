"""Run directories for `benchmarks/tui.py`: thousands that are over, ten that are being written to, a very long one.

    python benchmarks/tui_runs.py write RUN ROWS EVERY SPEED    # a writer: what a trainer does to its run, forever

A writer is a process of its own and writes as a trainer does, through `RunWriter`: rows of metrics, a heartbeat a
second, a word in status.json. It computes nothing, so that what is measured is the TUI.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ls import make as finished_ones

from sslterm import presets
from sslterm.runs import Run, columns, files
from sslterm.runs.create import create
from sslterm.runs.job import Job
from sslterm.runs.metrics import MetricsWriter
from sslterm.runs.writer import RunWriter

FEW, MANY = 20, 5000
BIG_ROWS = 1_000_000
EACH_STEP = ("step/loss", "step/top1", "optimizer/lr")
EACH_EPOCH = ("knn/top1", "valid/top1", "health/std", "health/rank", "health/alignment", "health/uniformity")
BIG = (*EACH_STEP, *EACH_EPOCH, "train/loss")
"""Ten metrics, measured at every step: the six that the Run screen charts among them."""
FOUR = ("step/loss", "knn/top1", "health/std", "optimizer/lr")
"""What a run has of which exactly four charts are shown."""
STEPS = 20
"""Steps of an epoch."""


def many(folder: Path, count: int) -> None:
    """Runs that are over; the last few of them died without a word, which the index cannot hold."""
    folder.mkdir(parents=True, exist_ok=True)
    finished_ones(folder, count, killed=max(2, count // 250))


def one(folder: Path, name: str, preset: str = "moco") -> Run:
    """A run that nobody has started yet."""
    source = presets.shipped()[preset]
    folder.mkdir(parents=True, exist_ok=True)
    return create(folder, presets.load(source), source=source, name=name, argv=["sslterm", "run", preset])


def row(step: int, names: tuple[str, ...], speed: float = 1.0) -> dict[str, Any]:
    """What a trainer writes of a step: a loss that falls, rates that rise, all with noise."""
    along = step / 20_000 * speed
    fall, noise = math.exp(-along), random.gauss(0, 0.02)
    values = {
        "step/loss": 2.4 + 6 * fall + noise * 5, "train/loss": 2.4 + 6 * fall + noise, "optimizer/lr": 0.03 * fall,
        "health/std": 0.044 * (1 - fall) + noise / 500, "health/rank": 90 * (1 - fall) + 10 * noise,
    }  # fmt: skip
    place = {"step": step, "stage": "pretrain", "epoch": step / STEPS, "time": 1.8e9 + step * 0.05}
    return place | {name: values.get(name, 0.1 + 0.75 * (1 - fall) + noise) for name in names}


def big(folder: Path, rows: int) -> Run:
    """A run with ten metrics at each of a million steps."""
    run = one(folder, "big")
    with MetricsWriter(run.metrics, 1) as writer:
        for step in range(1, rows + 1):
            writer.write(row(step, BIG, speed=20_000 / rows * 5))
    process = {"pid": 999_999, "start": 1, "boot_id": "of another day", "host": "here"}
    files.write_json(run.path / "status.json", {"state": "finished", "attempt": 1, "ended": 1.8e9, "process": process})
    return run


def cached(run: Run) -> None:
    """Derive its columns, as the first look does, so that others find them."""
    with columns.open(run.path):
        pass


@contextmanager
def at_work(runs: list[Run], rows: int = 1, every: float = 0.1, speed: float = 1.0) -> Iterator[None]:
    """Each of these runs has a writer of its own, which adds so many rows every so many seconds."""
    command = [sys.executable, __file__, "write"]
    said = [str(rows), str(every), str(speed)]
    writers = [subprocess.Popen([*command, str(run.path), *said]) for run in runs]
    try:
        yield
    finally:
        for writer in writers:
            writer.kill()
        for writer in writers:
            writer.wait()


def write(run: Run, rows: int, every: float, speed: float) -> None:
    """What a trainer does to its run."""
    step, told = 0, 0.0
    with RunWriter(run) as writer:
        writer.state("running")
        while True:
            for _ in range(rows):
                step += 1
                more = EACH_EPOCH if step % STEPS == 0 else ()
                writer.metrics(row(step, FOUR if run.name == "four" else EACH_STEP + more, speed))
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                _beat(run, step)
            time.sleep(every)


def _beat(run: Run, step: int) -> None:
    now = time.monotonic()
    said = {
        "job": None, "phase": "training", "stage": "pretrain", "stage_index": 0, "stages": 2, "epochs": 200,
        "steps": STEPS, "epoch": step // STEPS, "step": step % STEPS, "shown": {"loss": 2.4, "top1": 0.4},
        "images_per_second": 7955.8, "left": 600.0, "time": time.time(), "beat": now, "due": now + 30,
    }  # fmt: skip
    folder = Job(run).folder
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / "heartbeat.json", said, lasting=False)


if __name__ == "__main__":
    write(Run(Path(sys.argv[2])), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
