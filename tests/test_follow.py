"""What a follower shows: whole lines, once; bars from heartbeats; nothing that is for `sslterm logs` only."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from sslterm.cli.training import follow
from sslterm.follow import Follower, described
from sslterm.runs import Run, files
from sslterm.runs.job import Job
from sslterm.runs.locks import Lock
from sslterm.runs.tail import Tail

BEAT: dict[str, Any] = {
    "job": "j", "phase": "training", "stage": "pretrain", "stage_index": 0, "stages": 2, "epoch": 2, "epochs": 7,
    "step": 5, "steps": 10, "shown": {"loss": 2.25, "knn/top1": 0.5}, "images_per_second": 1234.5,
}  # fmt: skip


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = Job(Run(tmp_path / "a"))
    job.folder.mkdir(parents=True)
    job.log.parent.mkdir()
    files.write_json(job.folder / "job.json", {"job": "j", "phase": "started"})
    return job


def log(job: Job, *lines: str) -> None:
    with job.log.open("a") as file:
        file.writelines(f"2026-11-23 12:00:00 {line}\n" for line in lines)


def test_a_line_that_is_not_finished_waits(job: Job) -> None:
    tail = Tail(job.log)
    assert list(tail.lines()) == []
    for piece, whole in ((b"one\ntw", ["one"]), (b"", []), (b"o\nthree\n", ["two", "three"]), (b"\xff\n", ["�"])):
        with job.log.open("ab") as file:
            file.write(piece)
        assert list(tail.lines()) == whole


def test_epochs_go_to_stdout_sentences_to_stderr_and_the_rest_to_nobody(job: Job, capsys: Any) -> None:
    follower = Follower(job, "j", 0)
    log(job, "state: running", "supervisor: started process 7", "a: digits, train 9 images")
    log(job, "pretrain 1/7 · loss 2.310 · 99 images/s", "traceback:\nTraceback (most recent call last):\n  File x")
    log(job, "a \x1b[2Jwild\x07 name")
    follower.look()
    out, err = capsys.readouterr()
    assert out == "pretrain 1/7 · loss 2.310 · 99 images/s\n"
    assert err == "a: digits, train 9 images\na �[2Jwild� name\n"


def test_a_quiet_follower_says_nothing(job: Job, capsys: Any) -> None:
    follower = Follower(job, "j", 0, quiet=True)
    log(job, "a: digits", "pretrain 1/7 · loss 2.310")
    follower.look()
    assert capsys.readouterr() == ("", "")


def test_a_bar_says_where_training_is() -> None:
    assert described(BEAT) == "pretrain 3/7 loss 2.250 kNN 0.500 1,234 images/s"
    assert described({**BEAT, "epoch": 7, "shown": None, "images_per_second": None}) == "pretrain 7/7"


def test_a_bar_is_drawn_and_ends_full(job: Job, capsys: Any) -> None:
    follower = Follower(job, "j", 0)
    follower.live = True
    files.write_json(job.folder / "heartbeat.json", BEAT)
    follower.look()
    log(job, "pretrain 7/7 · loss 1.000 · 99 images/s", "probe 1/1 · loss 0.500")
    follower.look()
    out, err = capsys.readouterr()
    assert out == ""
    assert "pretrain 3/7 loss 2.250 kNN 0.500 1,234 images/s" in err
    assert "pretrain 7/7 loss 1.000 99 images/s" in err
    assert err.rstrip().endswith("probe 1/1 loss 0.500")  # a stage too quick for a bar


def test_a_bar_that_an_interrupt_kept_from_opening_is_opened_at_the_next_look(
    job: Job, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(job, "j", 0)
    follower.live = True
    files.write_json(job.folder / "heartbeat.json", BEAT)
    with monkeypatch.context() as patch:
        patch.setattr("tqdm.tqdm.__init__", Mock(side_effect=KeyboardInterrupt))
        patch.setattr("tqdm.tqdm.__del__", Mock())
        with pytest.raises(KeyboardInterrupt):
            follower.look()
    log(job, "pretrain 7/7 · loss 1.500")
    files.write_json(job.folder / "heartbeat.json", {**BEAT, "step": 6})
    follower.look()
    follower.close()
    assert "pretrain 3/7 loss 2.250" in capsys.readouterr().err


@pytest.mark.parametrize("beat", [{}, {"stage": 3}, {**BEAT, "steps": None}, {**BEAT, "shown": 7}, {"total": "x"}])
def test_a_damaged_heartbeat_draws_nothing(job: Job, beat: dict[str, Any], capsys: Any) -> None:
    follower = Follower(job, "j", 0)
    follower.live = True
    files.write_json(job.folder / "heartbeat.json", {"job": "j", **beat})
    follower.look()
    follower.close()


def test_a_job_has_ended_by_its_record_or_because_nobody_is_left(job: Job) -> None:
    follower = Follower(job, "j", 0)
    with Lock(job.lock):
        assert not follower.ended()
        files.write_json(job.folder / "job.json", {"job": "j", "phase": "ended"})
        assert follower.ended()
        files.write_json(job.folder / "job.json", {"job": "later", "phase": "started"})
        assert follower.ended()  # another start took its place
    files.write_json(job.folder / "job.json", {"job": "j", "phase": "started"})
    assert follower.ended()


def test_a_ctrl_c_while_another_is_answered_is_the_next_one_and_never_lost(
    job: Job, capsys: Any, monkeypatch: Any
) -> None:
    asked: list[bool] = []

    def ask(_job: Job, hurry: bool) -> None:
        asked.append(hurry)
        if len(asked) == 1:
            raise KeyboardInterrupt

    follower = Follower(job, "j", 0)
    monkeypatch.setattr("sslterm.jobs.stop.ask", ask)
    monkeypatch.setattr(follower, "watch", Mock(side_effect=[KeyboardInterrupt, None]))
    follow(job, follower)
    assert asked == [False, True]
    assert capsys.readouterr().err == "ends at once; what was saved stays\n"
