"""Checkpoints are whole, and nothing in one can run."""

from __future__ import annotations

import errno
import os
import pickle
import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sslterm.engine.checkpoint import CheckpointWriter, DamagedCheckpoint, copied, load, open_checkpoint
from sslterm.runs import Run, RunError, checkpoints
from sslterm.runs.checkpoints import Checkpoint

DESCRIBED = Checkpoint(
    file="a-0001.pt", stage="a", stage_index=0, epoch=1, step=0, total_steps=4, ended=False, time=0.0, size=0, sha256=""
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "r")
    run.checkpoints.mkdir(parents=True)
    return run


def write(run: Run, file: str = "a-0001.pt", size: int = 10) -> None:
    writer = CheckpointWriter(run)
    state = {"method": {"weight": torch.arange(float(size))}}
    writer.write(state, lambda n, digest: replace(DESCRIBED, file=file, size=n, sha256=digest), lambda: None)
    writer.settle()


def test_what_is_written_is_read(run: Run) -> None:
    write(run)
    state = open_checkpoint(run, checkpoints.listed(run)[0])
    assert torch.equal(state["method"]["weight"], torch.arange(10.0))


def test_the_copy_does_not_follow_the_training(run: Run) -> None:
    weight = torch.zeros(3)
    state = copied({"a": [weight, 1, {"b": weight}]})
    weight += 1
    assert torch.equal(state["a"][0], torch.zeros(3))
    assert torch.equal(state["a"][2]["b"], torch.zeros(3))


@pytest.mark.parametrize("cut", [0, 1, 100, 700, -1])
def test_a_cut_file_is_a_sentence(run: Run, cut: int) -> None:
    write(run)
    path = run.checkpoints / "a-0001.pt"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DamagedCheckpoint, match=r"a-0001\.pt"):
        load(path)


def test_nothing_in_a_checkpoint_runs(run: Run, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = run.checkpoints / "evil.pt"
    torch.save({"method": Trap()}, path)
    with pytest.raises(DamagedCheckpoint):
        load(path)
    path.write_bytes(pickle.dumps({"method": Trap()}))
    with pytest.raises(DamagedCheckpoint):
        load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_file_of_another_kind_is_a_sentence(run: Run) -> None:
    path = run.checkpoints / "other.pt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(DamagedCheckpoint, match="is no sslterm checkpoint"):
        load(path)


def test_a_full_disk_is_a_sentence_and_the_one_before_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslterm.engine.checkpoint.PAUSES", (0.01, 0.01))
    write(run)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(RunError, match="could not be written") as caught:
            write(run, "a-0002.pt", size=1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno in (errno.EFBIG, errno.ENOSPC)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["a-0001.json", "a-0001.pt"]
    assert checkpoints.damage(run, checkpoints.listed(run)[0]) is None
