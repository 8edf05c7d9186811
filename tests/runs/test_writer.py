"""One writer a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm.runs import Run, RunError
from sslterm.runs.files import read_json
from sslterm.runs.writer import RunWriter


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for folder in ("metrics", "logs", "jobs"):
        (tmp_path / "a" / folder).mkdir(parents=True)
    return Run(tmp_path / "a")


def test_a_second_trainer_is_refused_with_the_first_ones_identity(run: Run) -> None:
    with RunWriter(run) as writer:
        writer.state("running")
        with pytest.raises(RunError, match=r"is being trained already \(process \d+"):
            RunWriter(run)


def test_attempts_are_counted(run: Run) -> None:
    for attempt in (1, 2, 3):
        with RunWriter(run) as writer:
            writer.state("running")
            assert writer.attempt == attempt


def test_attempts_are_counted_where_the_status_is_lost(run: Run) -> None:
    for attempt in (1, 2):
        with RunWriter(run) as writer:
            writer.metrics({"step": 1})
            assert writer.attempt == attempt


def test_what_a_killed_trainer_left_half_written_is_deleted(run: Run) -> None:
    run.checkpoints.mkdir()
    (run.checkpoints / ".a-0001.pt.77.tmp").write_bytes(b"half")
    with RunWriter(run):
        assert list(run.checkpoints.iterdir()) == []


def test_the_environment_of_every_attempt_is_kept(run: Run) -> None:
    for device in ("cpu", "cuda"):
        with RunWriter(run) as writer:
            writer.state("running")
            writer.environment({"device": device})
    attempts = read_json(run.path / "env.json")["attempts"]
    assert [(a["attempt"], a["device"]) for a in attempts] == [(1, "cpu"), (2, "cuda")]


def test_the_state_says_who_and_why(run: Run) -> None:
    with RunWriter(run) as writer:
        writer.state("failed", "the disk is full", 1)
    status = run.status()
    assert (status["state"], status["reason"], status["exit"]) == ("failed", "the disk is full", 1)
    assert {"pid", "start", "boot_id", "host"} <= set(status["process"])
    assert "the disk is full" in run.log.read_text()
