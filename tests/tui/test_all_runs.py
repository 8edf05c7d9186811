"""What a watch over the directory of runs sees: runs that come, change and go; what it says where it sees nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.message import Message

from sslterm.runs import Run, files
from sslterm.runs.locks import Lock
from sslterm.runs.metrics import MetricsWriter
from sslterm.tui.looking import all_runs
from sslterm.tui.looking.all_runs import AllRuns, RunsSeen

CREATED = 1_795_000_000.0
STAGES = [{"name": "pretrain", "method": "moco", "epochs": 9}]


def made(runs_dir: Path, name: str, number: int = 0, state: str = "finished") -> Run:
    run = Run(runs_dir / name)
    (run.path / "metrics").mkdir(parents=True)
    files.write_json(run.path / "run.json", {"schema": 1, "created": CREATED + number, "stages": STAGES})
    files.write_json(run.path / "status.json", {"state": state, "attempt": 1, "ended": CREATED + number + 9})
    return run


def names(message: Message | None) -> list[str]:
    assert isinstance(message, RunsSeen)
    return [row["name"] for row in message.rows]


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    runs_dir = tmp_path / "runs"
    for number, name in enumerate(("a", "b", "c")):
        made(runs_dir, name, number)
    return runs_dir


def test_a_directory_that_nobody_made_yet_is_empty_and_no_problem(tmp_path: Path) -> None:
    look = AllRuns(tmp_path / "runs")
    message = look()
    assert isinstance(message, RunsSeen)
    assert (message.rows, message.problem, message.whole) == ([], None, True)
    assert look() is None
    made(tmp_path / "runs", "first")
    assert names(look()) == ["first"]


def test_the_newest_run_is_first_and_what_was_told_is_not_told_again(runs_dir: Path) -> None:
    look = AllRuns(runs_dir)
    assert names(look()) == ["c", "b", "a"]
    assert [look() for _ in range(5)] == [None] * 5


def test_a_first_look_that_takes_long_tells_what_it_has_seen_so_far(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_runs, "FIRST", -1.0)
    look = AllRuns(runs_dir)
    told = []
    for _ in range(4):
        message = look()
        assert isinstance(message, RunsSeen)
        told.append((names(message), message.whole, look.more))
    assert told == [
        (["c"], False, True),
        (["c", "b"], False, True),
        (["c", "b", "a"], False, True),
        (["c", "b", "a"], True, False),
    ]


def test_runs_that_come_and_go_are_seen_at_the_next_look_and_the_others_stay_what_they_were(runs_dir: Path) -> None:
    look = AllRuns(runs_dir)
    first = look()
    assert isinstance(first, RunsSeen)
    made(runs_dir, "d", 3)
    shutil.rmtree(runs_dir / "b")
    second = look()
    assert isinstance(second, RunsSeen)
    assert names(second) == ["d", "c", "a"]
    assert second.rows[1] is first.rows[0]
    (runs_dir / "d").rename(runs_dir / "e")
    assert names(look()) == ["e", "c", "a"]


def test_a_note_on_a_run_that_is_over_is_seen_when_its_turn_comes(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_runs, "SLICE", 0.0)  # one at a time
    look = AllRuns(runs_dir)
    look()
    files.write_json(runs_dir / "b" / "notes.json", {"note": "best so far", "tags": []})
    found = [message for message in (look() for _ in range(2 * 3)) if isinstance(message, RunsSeen)]
    assert [row["note"] for row in found[-1].rows] == ["", "best so far", ""]


def test_asked_to_look_at_all_it_does_at_once(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_runs, "SLICE", 0.0)
    look = AllRuns(runs_dir)
    look()
    files.write_json(runs_dir / "c" / "notes.json", {"note": "last in turn", "tags": []})
    assert look() is None
    look.whole = True
    message = look()
    assert isinstance(message, RunsSeen)
    assert message.rows[0]["note"] == "last in turn"


def test_asleep_it_looks_at_nothing_and_awake_at_what_came_meanwhile(runs_dir: Path) -> None:
    look = AllRuns(runs_dir)
    look()
    look.asleep = True
    made(runs_dir, "d", 3)
    assert look() is None
    look.asleep = False
    assert names(look()) == ["d", "c", "b", "a"]


def test_a_run_at_work_is_looked_at_every_time(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_runs, "SLICE", 0.0)
    with Lock(runs_dir / "c" / ".lock"):
        files.write_json(runs_dir / "c" / "status.json", {"state": "running", "attempt": 1})
        look = AllRuns(runs_dir)
        message = look()
        assert isinstance(message, RunsSeen)
        assert message.rows[0]["state"] == "running"
        with MetricsWriter(runs_dir / "c" / "metrics", 1) as writer:
            writer.write({"step": 30, "stage": "pretrain", "epoch": 1.0, "train/loss": 2.5})
        message = look()
        assert isinstance(message, RunsSeen)
        assert message.rows[0]["metrics"] == {"train/loss": 2.5}


def test_a_directory_that_is_gone_is_a_problem_and_its_runs_stay_listed(runs_dir: Path) -> None:
    look = AllRuns(runs_dir)
    look()
    runs_dir.rename(runs_dir.with_name("elsewhere"))
    message = look()
    assert names(message) == ["c", "b", "a"]
    assert isinstance(message, RunsSeen)
    assert message.problem == f"{runs_dir}: is not there any more; what is listed was seen last"
    assert look() is None
    runs_dir.with_name("elsewhere").rename(runs_dir)
    made(runs_dir, "d", 3)
    message = look()
    assert isinstance(message, RunsSeen)
    assert (names(message), message.problem) == (["d", "c", "b", "a"], None)


def test_what_is_no_directory_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a directory")
    message = AllRuns(tmp_path / "runs")()
    assert isinstance(message, RunsSeen)
    assert message.problem == f"{tmp_path / 'runs'}: is no directory"


def test_a_directory_that_cannot_be_read_is_a_problem(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = AllRuns(runs_dir)
    look()

    def refuse(path: object) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(all_runs.os, "scandir", refuse)  # a test may run as root, whom nothing is forbidden
    message = look()
    assert isinstance(message, RunsSeen)
    assert message.problem == f"{runs_dir}: cannot be read (Permission denied); what is listed was seen last"
    monkeypatch.undo()
    message = look()
    assert isinstance(message, RunsSeen)
    assert message.problem is None
