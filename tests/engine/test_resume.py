"""Resuming is exact: N epochs are, bit for bit, k epochs, a kill -9, and the rest.

The killed trainer is a real process that really gets SIGKILL in the middle of an epoch.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import CONTEXT
from told import TINY, encoder_of

from sslterm import presets
from sslterm.engine.checkpoint import open_checkpoint
from sslterm.engine.interrupt import Interrupted
from sslterm.engine.progress import Progress
from sslterm.engine.train import train
from sslterm.methods import find
from sslterm.runs import Run, checkpoints, metrics
from sslterm.runs.create import create

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.01, "nesterov": True, "weight_decay": 1e-4},
    "adam": {"lr": 1e-3},
    "adamw": {"lr": 1e-3, "weight_decay": 0.05, "decay_vectors": False},
    "lars": {"lr": 0.1, "weight_decay": 1e-6, "decay_vectors": False},
}
VIEWS = {"crop": "resized", "area": [0.3, 1.0], "flip": 0.5, "jitter": 0.8, "brightness": 0.4, "hue": 0.1, "gray": 0.2}


class Signalled(Progress):
    """Sends this very process a signal once so many steps are done."""

    def __init__(self, number: int, after: int, kept: int = 1) -> None:
        super().__init__()
        self.number, self.left, self.kept = number, after, kept

    def step(self, shown: dict[str, float] | None = None) -> None:
        super().step(shown)
        self.left -= 1
        if self.left == 0:
            self._until_checkpoints_are_there()
            os.kill(os.getpid(), self.number)

    def _until_checkpoints_are_there(self) -> None:
        """A thread writes them; where that takes long, there would be nothing to resume from."""
        assert self._writer
        until = time.monotonic() + 20
        while self.number == signal.SIGKILL and len(checkpoints.listed(self._writer.run)) < self.kept:
            assert time.monotonic() < until


def trained(path: Path, data_dir: Path, kill_after: int | None = None, kept: int = 1) -> None:
    """What a trainer process does."""
    torch.set_num_threads(1)
    progress = Signalled(signal.SIGKILL, kill_after, kept) if kill_after else Progress()
    train(Run(path), device="cpu", data_dir=data_dir, progress=progress)


def in_a_process(path: Path, data_dir: Path, kill_after: int | None = None, kept: int = 1) -> int | None:
    process = CONTEXT.Process(target=trained, args=(path, data_dir, kill_after, kept))
    process.start()
    process.join(120)
    return process.exitcode


def a_run(runs_dir: Path, written: dict[str, Any], name: str) -> Run:
    source = runs_dir / "source.toml"
    source.parent.mkdir(exist_ok=True)
    source.write_text("")
    return create(runs_dir, presets.resolve(written), source=source, name=name)


def the_end(run: Run) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The last checkpoint's state, and the metrics but for the clock's."""
    state = open_checkpoint(run, checkpoints.listed(run)[-1])
    rows = metrics.read(run.metrics)
    for row in rows:
        row.pop("time")
        row.pop("images_per_second", None)
        row.pop("memory_mib", None)
    return state, rows


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def assert_a_kill_changes_nothing(runs_dir: Path, data_dir: Path, written: dict[str, Any], kill_after: int) -> None:
    whole, killed = a_run(runs_dir, written, "whole"), a_run(runs_dir, written, "killed")
    assert in_a_process(whole.path, data_dir) == 0
    assert in_a_process(killed.path, data_dir, kill_after) == -signal.SIGKILL
    assert killed.status()["state"] == "running"  # nobody was there to say otherwise
    before = checkpoints.listed(killed)[-1]
    assert (before.stage_index, before.epoch) < (len(written.get("stage", [0])) - 1, written["epochs"])
    assert in_a_process(killed.path, data_dir) == 0
    (state, rows), (resumed, resumed_rows) = the_end(whole), the_end(killed)
    assert same(state, resumed)
    assert rows == resumed_rows


@pytest.fixture
def preset(small: dict[str, Any]) -> dict[str, Any]:
    # bf16 or fp32 is chosen by a trial, which two processes on a busy machine may answer differently.
    return {**small, "epochs": 3, "precision": "fp32", "views": VIEWS, "encoder": {"name": "tinyvgg-bn"}}


def with_what_it_needs(preset: dict[str, Any]) -> int:
    """Put a stage of one epoch before it where the method goes on with what another learned. Gives that stage's
    steps."""
    said = preset["method"]
    if not (needed := find(said["name"]).needs):
        return 0
    before = {"name": "before", "epochs": 1, "method": {"name": needed, **TINY[needed]}}
    preset["stage"] = [before, {"name": "at-hand", "method": said}]
    del preset["method"]
    return 4


@pytest.mark.parametrize("method", TINY)
def test_every_method_resumes_exactly(method: str, preset: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    preset["method"] = {"name": method, **TINY[method]}
    preset["encoder"] = encoder_of(method)
    kind = "adam" if method in ("vae", "gan") else "sgd"  # their gradients are sums over pixels, or fight each other
    preset["optimizer"] = {"name": kind, **OPTIMIZERS[kind]}
    preset["schedule"] = {"name": "cosine", "per": "step", "warmup": 1.0}
    before = with_what_it_needs(preset)
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=before + 6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_resumes_exactly(
    optimizer: str, preset: dict[str, Any], runs_dir: Path, data_dir: Path
) -> None:
    preset["method"] = {"name": "simclr"}
    preset["optimizer"] = {"name": optimizer, **OPTIMIZERS[optimizer]}
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=7)


def test_a_plateau_and_the_best_so_far_resume_exactly(preset: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    preset.update(epochs=5, clip_norm=1.0)
    preset["method"] = {"name": "supervised"}
    preset["schedule"] = {"name": "plateau", "patience": 0, "factor": 0.5}
    preset["checkpoints"] = {"best": 2, "every": 2}
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=14)


def test_a_kill_in_the_second_stage_resumes_exactly(preset: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    preset["epochs"] = 2
    preset["stage"] = [
        {"name": "pretrain", "method": {"name": "byol", **TINY["byol"]}},
        {"name": "probe", "part": "labeled", "start": "best", "method": {"name": "supervised", "train": "head"}},
    ]
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=2 * 4 + 3)


def test_clusters_with_a_head_that_begins_anew_resume_exactly(
    preset: dict[str, Any], runs_dir: Path, data_dir: Path
) -> None:
    preset["method"] = {"name": "deepcluster", "version": 1, "clusters": 12}
    preset["optimizer"] = {"name": "adam", "lr": 1e-3}
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=6)


def test_bf16_resumes_exactly_too(preset: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    preset.update(precision="bf16", method={"name": "simclr"})
    assert_a_kill_changes_nothing(runs_dir, data_dir, preset, kill_after=6)


def test_a_clean_stop_in_the_middle_of_an_epoch_resumes_exactly(
    preset: dict[str, Any], runs_dir: Path, data_dir: Path
) -> None:
    preset["method"] = {"name": "moco", **TINY["moco"]}
    whole, stopped = a_run(runs_dir, preset, "whole"), a_run(runs_dir, preset, "stopped")
    assert in_a_process(whole.path, data_dir) == 0
    with pytest.raises(Interrupted, match=r"epoch 2, step 2 of 4; continue with `sslterm resume .*stopped`"):
        train(stopped, device="cpu", data_dir=data_dir, progress=Signalled(signal.SIGINT, after=6))
    assert stopped.status()["state"] == "interrupted"
    assert checkpoints.listed(stopped)[-1].file == "moco-0001+00002.pt"
    assert in_a_process(stopped.path, data_dir) == 0
    assert same(the_end(whole)[0], the_end(stopped)[0])


def test_a_damaged_latest_checkpoint_falls_back_to_the_one_before(
    preset: dict[str, Any], runs_dir: Path, data_dir: Path
) -> None:
    preset.update(method={"name": "simclr"}, checkpoints={"every": 1})
    whole, damaged = a_run(runs_dir, preset, "whole"), a_run(runs_dir, preset, "damaged")
    assert in_a_process(whole.path, data_dir) == 0
    assert in_a_process(damaged.path, data_dir, kill_after=11, kept=2) == -signal.SIGKILL
    newest = checkpoints.listed(damaged)[-1]
    path = damaged.checkpoints / newest.file
    path.write_bytes(path.read_bytes()[:-100])
    assert in_a_process(damaged.path, data_dir) == 0
    assert "is damaged" in damaged.log.read_text()
    assert same(the_end(whole)[0], the_end(damaged)[0])
