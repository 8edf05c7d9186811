"""The queue for a device: first in, first out, whoever dies in it or before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from family import Family, eventually

from sslterm.jobs import queue
from sslterm.runs import locks, state

SOON, LONG = ("--steps", "30", "--pause", "0.001"), ("--steps", "100000")
Make = Callable[[str], Family]


def line_up(family: Family, *arguments: str, slots: int = 1) -> None:
    """Start with `--queue` on the CPU, and wait until it trains or stands in line."""
    family.start(*arguments, device="cpu", queue=True, slots=slots)
    eventually(lambda: family.word == "queued" or family.trains() or family.word == "finished", family.told)


def waiting(runs_dir: Path) -> list[str]:
    return [ticket.run for ticket in queue.tickets(runs_dir)]


def began(family: Family) -> float:
    return float(family.job.record()["began"])


def test_who_came_first_trains_first_and_alone(families: Make, runs_dir: Path) -> None:
    first, *rest = (families(name) for name in "azby")
    line_up(first, *LONG)
    for family in rest:
        line_up(family, *SOON)
    assert [family.word for family in (first, *rest)] == ["running", "queued", "queued", "queued"]
    assert waiting(runs_dir) == ["z", "b", "y"]
    assert "2 before it" in state.of(rest[2].run).reason
    first.stop()
    assert [family.settled() for family in rest] == ["finished"] * 3
    for before, after in pairwise(rest):
        assert before.job.record()["ended"] <= began(after) + 0.5
        assert began(before) < began(after)
        assert before.run.status()["ended"] <= after.run.status()["started"]
    assert waiting(runs_dir) == []


@pytest.mark.parametrize("who", ["supervisor", "everyone"])
def test_a_killed_trainer_frees_the_device_only_once_it_is_gone(
    who: str, families: Make, figures: Counter[str]
) -> None:
    first, second = families("a"), families("b")
    line_up(first, *LONG)
    eventually(first.trains, first.told)
    line_up(second, *SOON)
    figures["kills survived"] += first.kill(who)
    if who == "supervisor":
        assert first.word == "orphaned"
        assert locks.held(first.run.path.parent / ".sslterm/devices/cpu-0.lock")
        assert second.word == "queued"
        first.kill("trainer")
    assert second.settled() == "finished", second.told()


def test_a_trainer_killed_under_its_supervisor_frees_the_device(families: Make, figures: Counter[str]) -> None:
    first, second = families("a"), families("b")
    line_up(first, *LONG)
    eventually(first.trains, first.told)
    line_up(second, *SOON)
    figures["kills survived"] += first.kill("trainer")
    assert second.settled() == "finished", second.told()
    assert first.settled() == "killed"


def test_who_dies_waiting_blocks_nobody(families: Make, runs_dir: Path, figures: Counter[str]) -> None:
    first, dead, last = families("a"), families("b"), families("c")
    line_up(first, *LONG)
    line_up(dead, *SOON)
    line_up(last, *SOON)
    figures["kills survived"] += dead.kill("supervisor")
    assert waiting(runs_dir) == ["c"]
    assert dead.word == "lost"
    assert "waited for a device" in state.of(dead.run).reason
    first.stop()
    assert last.settled() == "finished", last.told()
    line_up(dead, *SOON)
    assert dead.settled() == "finished", dead.told()
    assert list((runs_dir / ".sslterm/queue").glob("[0-9]*")) == []


def test_who_waits_can_be_moved_and_dropped(families: Make, runs_dir: Path) -> None:
    first, *rest = (families(name) for name in "abcd")
    line_up(first, *LONG)
    for family in rest:
        line_up(family, *SOON)
    assert queue.move(runs_dir, "d", 1)
    assert waiting(runs_dir) == ["d", "b", "c"]
    assert queue.move(runs_dir, "d", 3)
    assert queue.move(runs_dir, "b", 99)
    assert waiting(runs_dir) == ["c", "d", "b"]
    assert not queue.move(runs_dir, "nobody", 1)
    rest[1].stop()  # drops d's predecessor c out of the queue
    assert rest[1].settled() == "interrupted"
    assert "taken out of the queue" in state.of(rest[1].run).reason
    assert waiting(runs_dir) == ["d", "b"]
    first.stop()
    assert (rest[2].settled(), rest[0].settled()) == ("finished", "finished")
    assert began(rest[2]) < began(rest[0])


def test_slots_let_two_share_and_a_third_waits(families: Make) -> None:
    first, second, third = (families(name) for name in "abc")
    line_up(first, *LONG, slots=2)
    line_up(second, *LONG, slots=2)
    line_up(third, *SOON, slots=2)
    eventually(lambda: first.trains() and second.trains())
    assert third.word == "queued"
    second.stop()
    assert third.settled() == "finished", third.told()
    assert first.word == "running"


def test_who_wants_the_device_alone_waits_for_those_who_did_not_queue(families: Make) -> None:
    first, beside, alone = (families(name) for name in "abc")
    line_up(first, *LONG)
    beside.start(*LONG, device="cpu")
    eventually(beside.trains, beside.told)
    assert "cpu is in use; both will be slower" in beside.log()
    line_up(alone, *SOON)
    first.stop()
    assert alone.word == "queued"
    beside.stop()
    assert alone.settled() == "finished", alone.told()
