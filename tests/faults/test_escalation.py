"""Asked to stop, a trainer that does not listen is asked again, then killed with all that it brought into the world."""

from __future__ import annotations

import signal
import sys
import time

from family import Family, eventually

DEAF = """
import os, signal, sys, time
said = open(sys.argv[1], "a", buffering=1)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, frame: said.write(f"{signal.Signals(number).name} {time.monotonic():.2f}\\n"))
if os.fork() == 0:  # a grandchild in a session of its own, whose parent is gone
    os.setsid()
    if os.fork() == 0:
        said.write(f"grandchild {os.getpid()}\\n")
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
said.write("ready\\n")
while True:
    time.sleep(1)
"""


def start(family: Family) -> None:
    said = family.run.path / "said"
    said.write_text("")
    family.start(command=[sys.executable, "-c", DEAF, str(said)])
    eventually(lambda: "ready" in said.read_text() and "grandchild" in said.read_text(), family.told)


def heard(family: Family) -> list[str]:
    return [line.split()[0] for line in (family.run.path / "said").read_text().splitlines() if line.startswith("SIG")]


def test_who_does_not_listen_is_asked_twice_then_killed_with_its_grandchildren(family: Family) -> None:
    start(family)
    assert len(family.members()) == 3  # supervisor, trainer, the trainer's grandchild
    began = time.monotonic()
    family.stop(seconds=1.0)
    assert family.settled() == "killed", family.told()
    assert heard(family) == ["SIGTERM", "SIGINT"]
    assert 11 <= time.monotonic() - began < 40
    assert "when asked to stop and did not in time" in family.job.record()["reason"]


def test_now_kills_at_once_grandchildren_too(family: Family) -> None:
    start(family)
    began = time.monotonic()
    family.stop(now=True)
    assert family.settled() == "killed", family.told()
    assert heard(family) == []
    assert time.monotonic() - began < 8


def test_a_trainer_that_dies_takes_its_grandchildren_with_it(family: Family) -> None:
    start(family)
    family.kill("trainer")
    assert family.settled() == "killed", family.told()


def test_an_orphan_that_does_not_listen_is_killed_too(family: Family) -> None:
    start(family)
    family.kill("supervisor")
    eventually(lambda: family.word == "orphaned", family.told)
    family.stop(now=True)
    eventually(lambda: family.word == "lost", family.told)
    assert heard(family) == []


def test_what_a_supervisor_gets_from_a_terminal_is_not_for_the_trainer(family: Family) -> None:
    start(family)
    assert family.supervisor is not None
    for number in (signal.SIGHUP, signal.SIGINT):
        family.supervisor.send_signal(number)
    family.job.request("stop", now=True)  # it still obeys, and so has lived through both
    assert family.settled() == "killed", family.told()
    assert heard(family) == []
