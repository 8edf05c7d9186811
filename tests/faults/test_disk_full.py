"""A disk that takes no more: training goes on and says so, what was saved stays, and room that comes back is used.

A limit on the size of files stands for a full disk; it is set on the living trainer and lifted again.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from family import Family, eventually

from sslterm.runs import Run, checkpoints, metrics, state

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are a Linux thing")

FULL, ROOM = 4096, resource.RLIM_INFINITY
PRESET = {
    "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32},
    "encoder": {"name": "conv4"},
    "method": {"name": "supervised"},
    "monitor": {"log_every": 1, "every": 0},
    "precision": "fp32",
    "epochs": 100_000,
    "batch_size": 32,
}


@pytest.fixture
def real(make_run: Callable[..., Run], data_dir: Path) -> Iterator[Family]:
    """A real trainer at work, with a checkpoint behind it."""
    family = Family(make_run("real", PRESET))
    command = [sys.executable, "-m", "sslterm", "train-here", str(family.run.path), "--device", "cpu"]
    family.start(command=[*command, "--data-dir", str(data_dir)])
    try:
        eventually(lambda: checkpoints.listed(family.run), family.told)
        yield family
    finally:
        family.end()


def limit(family: Family, size: int) -> None:
    trainer = family.trainer()
    assert trainer
    resource.prlimit(trainer.pid, resource.RLIMIT_FSIZE, (size, ROOM))


def newest(family: Family) -> int:
    good, wrong = checkpoints.newest_good(family.run)
    assert wrong == []
    assert good
    return good.total_steps


def test_training_goes_on_says_so_and_uses_the_room_that_comes_back(real: Family, figures: Counter[str]) -> None:
    limit(real, FULL)
    eventually(lambda: real.job.heartbeat().get("trouble"), real.told)
    assert real.word == "running"
    assert "could not be written" in state.of(real.run).reason or "cannot be written" in state.of(real.run).reason
    before, step = newest(real), real.job.heartbeat()["epoch"]
    eventually(lambda: real.job.heartbeat()["epoch"] > step + 2, real.told)
    assert newest(real) == before  # nothing new, and what was there is whole
    limit(real, ROOM)
    eventually(lambda: newest(real) > before and real.job.heartbeat()["trouble"] is None, real.told)
    real.stop()
    assert real.settled() == "interrupted", real.told()
    steps = [row["step"] for row in metrics.read(real.run.metrics) if "step/loss" in row]
    assert steps == list(range(1, steps[-1] + 1))  # rows that waited were written
    figures["full disks"] += 1


@pytest.mark.slow
def test_where_no_room_comes_back_it_ends_with_a_sentence(real: Family, figures: Counter[str]) -> None:
    limit(real, FULL)
    eventually(lambda: real.job.heartbeat().get("trouble"), real.told)
    before = newest(real)
    real.stop(seconds=60)
    assert real.settled() == "failed", real.told()
    assert real.job.record()["exit"] == 1
    reason = state.of(real.run).reason
    assert "the checkpoints before it are whole. Make room, then continue with `sslterm resume" in reason
    assert newest(real) == before
    figures["full disks"] += 1


def test_metrics_that_go_to_dev_full_stop_nobody(family: Family, figures: Counter[str]) -> None:
    os.symlink("/dev/full", family.run.metrics / "0001.jsonl")
    family.start("--steps", "50", "--pause", "0")
    assert family.settled() == "finished", family.told()
    family.run.log.unlink()
    os.symlink("/dev/full", family.run.log)
    (family.run.metrics / "0002.jsonl").unlink(missing_ok=True)
    family.start("--steps", "75", "--pause", "0")
    assert family.settled() == "finished", family.told()
    figures["full disks"] += 2


def test_a_supervisor_that_cannot_write_its_record_still_watches(family: Family) -> None:
    family.start()
    eventually(family.trains, family.told)
    assert family.supervisor
    limited = psutil.Process(family.supervisor.pid)
    limited.rlimit(psutil.RLIMIT_FSIZE, (10, ROOM))
    family.kill("trainer")
    eventually(lambda: family.trainer() is None)
    limited.rlimit(psutil.RLIMIT_FSIZE, (ROOM, ROOM))
    assert family.settled() == "killed", family.told()
