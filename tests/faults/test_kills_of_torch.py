"""The real trainer, supervised, its loader workers alive, killed again and again: the end is the uninterrupted one."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from family import Family, eventually
from PIL import Image
from real import in_a_process, same, the_end

from sslterm.runs import Run, checkpoints, state

KILLS = ("trainer", "worker", "supervisor")
EPOCHS = 30


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of small pictures."""
    folder, chance = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(40):
        path = folder / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(chance.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture
def streamed(make_run: Callable[..., Run], photos: Path) -> Callable[[str], Run]:
    """A run whose pictures are decoded by two workers while it trains."""
    written = {
        "data": {"name": "image_folder", "folder": str(photos), "size": 16, "stream": "always", "workers": 2,
                 "valid": 8, "test": 8},
        "encoder": {"name": "conv4"}, "method": {"name": "supervised"}, "views": {"flip": 0.5},
        "monitor": {"log_every": 1, "every": 0}, "precision": "fp32", "epochs": EPOCHS, "batch_size": 8,
    }  # fmt: skip
    return lambda name: make_run(name, written)


@pytest.mark.slow
def test_real_trainers_with_loader_workers_survive_kills(
    streamed: Callable[[str], Run], data_dir: Path, figures: Counter[str]
) -> None:
    chance = random.Random(0)
    whole, run = streamed("whole"), streamed("killed")
    assert in_a_process(whole, data_dir) == 0
    family = Family(run)
    command = [sys.executable, "-m", "sslterm", "train-here", str(run.path), "--device", "cpu", "--data-dir"]
    try:
        for who in KILLS:
            family.start(command=[*command, str(data_dir)])
            eventually(family.trains, family.told)
            eventually(lambda: loaders(family), family.told)
            time.sleep(chance.random() * 0.3)
            kill(family, who)
            figures["kills survived"] += 1
            figures["kills with loader workers alive"] += 1
            figures["states derived"] += 1
            assert checkpoints.newest_good(run)[1] == []
        assert checkpoints.listed(run)[-1].epoch < EPOCHS
        assert in_a_process(run, data_dir) == 0
    finally:
        family.end()
    assert state.of(run).word == "finished"
    (ends, rows), (expected, expected_rows) = the_end(run), the_end(whole)
    assert same(ends, expected)
    assert rows == expected_rows
    figures["runs resumed to the uninterrupted result"] += 1


def test_loader_workers_end_with_their_trainer_though_nobody_watches(
    streamed: Callable[[str], Run], data_dir: Path, figures: Counter[str]
) -> None:
    family = Family(streamed("orphaned"))
    command = [sys.executable, "-m", "sslterm", "train-here", str(family.run.path), "--device", "cpu", "--data-dir"]
    try:
        family.start(command=[*command, str(data_dir)])
        eventually(lambda: family.trains() and loaders(family), family.told)
        figures["kills survived"] += family.kill("supervisor")
        eventually(lambda: family.word == "orphaned" and loaders(family), family.told)
        figures["kills survived"] += family.kill("trainer")
        assert family.settled() == "lost", family.told()
    finally:
        family.end()


def loaders(family: Family) -> list[psutil.Process]:
    """Those who decode pictures: children of the trainer's fork server."""
    try:
        trainer = family.trainer()
        servers = psutil.Process(trainer.pid).children() if trainer else []
        return [child for server in servers for child in server.children()]
    except psutil.Error:
        return []


def kill(family: Family, who: str) -> None:
    """One kind of death, and the state that must follow it."""
    if who == "trainer":
        family.kill("trainer")
        assert family.settled() == "killed", family.told()
    elif who == "worker":
        victims = loaders(family)
        while not victims:
            victims = loaders(family)
        victims[0].send_signal(signal.SIGKILL)
        eventually(lambda: family.word in ("failed", "running"), family.told)
        if family.word == "running":  # the epoch had what it needed of that worker
            family.kill("everyone")
        family.settled()
    else:
        family.kill("supervisor")
        assert family.word == "orphaned", family.told()
        family.stop()
        assert family.settled() == "interrupted", family.told()
