"""What a watch over one run sees of it, what it says of one that is gone; and the thread that all watches are."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from textual.message import Message

from sslterm.runs import Run, files
from sslterm.runs.metrics import MetricsWriter
from sslterm.tui.looking import watch
from sslterm.tui.looking.watch import LookFailed, OneRun, RunSeen, RunsSeen, Watch

CREATED = 1_795_000_000.0
STAGES = [{"name": "pretrain", "method": "moco", "epochs": 9}]


def made(runs_dir: Path, name: str, number: int = 0, state: str = "finished") -> Run:
    run = Run(runs_dir / name)
    (run.path / "metrics").mkdir(parents=True)
    files.write_json(run.path / "run.json", {"schema": 1, "created": CREATED + number, "stages": STAGES})
    files.write_json(run.path / "status.json", {"state": state, "attempt": 1, "ended": CREATED + number + 9})
    return run


def measured(run: Run, steps: range, **names: float) -> None:
    with MetricsWriter(run.metrics, 1) as writer:
        for step in steps:
            writer.write({"step": step, "stage": "pretrain", "epoch": step / 10, "time": CREATED + step, **names})


def sight(message: Message | None) -> watch.Sight:
    assert isinstance(message, RunSeen)
    return message.sight


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    made(tmp_path / "runs", "a")
    return tmp_path / "runs"


def test_a_run_is_seen_with_its_curves_and_told_again_only_when_it_changed(runs_dir: Path) -> None:
    run = Run(runs_dir / "a")
    measured(run, range(1, 11), **{"train/loss": 2.5, "knn/top1": 0.5})
    look = OneRun(run)
    found = sight(look())
    assert found.names == ("knn/top1", "train/loss")
    np.testing.assert_array_equal(np.asarray(found.curves["train/loss"].step), np.arange(1.0, 11.0))
    assert "cannot be read" in found.settings
    assert look() is None
    measured(run, range(11, 13), **{"train/loss": 2.25})
    found = sight(look())
    assert np.asarray(found.curves["train/loss"].value)[-1] == 2.25
    assert len(found.curves["knn/top1"].value) == 10


def test_of_a_very_long_run_only_curves_that_are_seen_are_read(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(runs_dir / "a")
    measured(run, range(1, 11), **{"train/loss": 2.5, "knn/top1": 0.5, "optimizer/lr": 0.1})
    seen = {"train/loss", "nobody/measures"}
    everything = ("knn/top1", "optimizer/lr", "train/loss")
    assert tuple(sight(OneRun(run, seen=lambda _: seen)()).curves) == everything  # it is short
    monkeypatch.setattr(watch, "LONG", 1)
    asked: list[Sequence[str]] = []

    def choose(names: Sequence[str]) -> set[str]:
        asked.append(names)
        return seen

    look = OneRun(run, seen=choose)
    found = sight(look())
    assert (list(found.curves), found.names, asked[0]) == (["train/loss"], everything, everything)
    assert look() is None
    seen = {"knn/top1", "train/loss"}
    assert list(sight(look()).curves) == ["knn/top1", "train/loss"]
    look.want(None)
    assert tuple(sight(look()).curves) == everything
    measured(run, range(11, 13), **{"train/loss": 2.25})
    assert np.asarray(sight(look()).curves["train/loss"].value)[-1] == 2.25


def test_curves_of_a_very_long_run_are_not_kept_but_told_again(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(runs_dir / "a")
    measured(run, range(1, 11), **{"train/loss": 2.5})
    monkeypatch.setattr(watch, "LONG", 1)
    look = OneRun(run)
    held = weakref.ref(sight(look()).curves["train/loss"])
    gc.collect()
    assert held() is None
    assert look() is None
    look.again()
    assert len(sight(look()).curves["train/loss"].value) == 10
    shutil.rmtree(run.path)
    message = look()
    assert isinstance(message, RunSeen)
    assert (message.sight.curves, message.sight.names) == ({}, ("train/loss",))


def test_a_run_that_vanishes_stays_on_the_screen_with_the_reason_until_it_is_back(runs_dir: Path) -> None:
    run = Run(runs_dir / "a")
    measured(run, range(1, 11), **{"train/loss": 2.5})
    look = OneRun(run)
    before = sight(look())
    run.path.rename(runs_dir / "aside")
    message = look()
    assert isinstance(message, RunSeen)
    assert message.problem == f"{run.path}: is not there any more; what is shown was seen last"
    assert message.sight is before
    assert look() is None
    (runs_dir / "aside").rename(run.path)
    message = look()
    assert isinstance(message, RunSeen)
    assert (message.problem, message.sight.names) == (None, ("train/loss",))


def test_a_run_that_was_never_there_is_a_problem_too(tmp_path: Path) -> None:
    message = OneRun(Run(tmp_path / "nowhere"))()
    assert isinstance(message, RunSeen)
    assert message.problem is not None
    assert message.sight.row["state"] == "corrupt"


def test_a_run_without_curves_is_looked_at_without_reading_any(runs_dir: Path) -> None:
    run = Run(runs_dir / "a")
    measured(run, range(1, 11), **{"train/loss": 2.5})
    found = sight(OneRun(run, with_curves=False)())
    assert (found.curves, found.names, found.row["name"]) == ({}, (), "a")


class Told(list[Message]):
    """What a watch told, in order."""

    def wait_for(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not true():
            assert time.monotonic() < until, list(self)
            time.sleep(0.005)


def watched(look: Callable[[], Message | None]) -> tuple[Watch, Told]:
    told = Told()
    thread = Watch(look, told.append)
    thread.start()
    return thread, told


def test_a_look_that_fails_is_told_once_and_the_next_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.001)
    looks = iter([ZeroDivisionError("a"), ZeroDivisionError("a"), FileNotFoundError("b"), RunsSeen([])])

    def look() -> Message | None:
        found = next(looks, None)
        if isinstance(found, Exception):
            raise found
        return found

    thread, told = watched(look)
    told.wait_for(lambda: len(told) == 2)
    thread.end()
    thread.join(20)
    assert isinstance(told[0], LookFailed)
    assert told[0].sentence == "what is shown may be old, for looking failed (ZeroDivisionError: a)"
    assert isinstance(told[1], RunsSeen)


def test_a_watch_looks_on_at_once_while_there_is_more_and_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 3600.0)
    rested = threading.Event()

    class Look:
        count = 0

        @property
        def more(self) -> bool:
            return self.count < 5

        def __call__(self) -> Message | None:
            self.count += 1
            if self.count == 6:
                rested.set()
            return RunsSeen([])

    thread, told = watched(Look())
    told.wait_for(lambda: len(told) == 5)
    assert not rested.wait(0.05)
    thread.soon()
    assert rested.wait(20)
    thread.end()
    thread.join(20)
    assert not thread.is_alive()
