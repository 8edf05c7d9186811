"""A process is its number and its start: a number used again is somebody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from sslterm.runs import identity
from sslterm.runs.identity import Identity


@pytest.fixture
def sleeper() -> Any:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_this_process_lives() -> None:
    assert Identity.mine().alive()
    assert Identity.mine().pid == os.getpid()


def test_a_number_used_again_is_another_process() -> None:
    me = Identity.mine()
    assert not replace(me, start=me.start + 1).alive()
    assert not replace(me, boot_id="another boot").alive()
    assert not replace(me, host="another machine").alive()


def test_a_dead_process_is_not_alive_even_before_its_parent_knows(sleeper: subprocess.Popen[bytes]) -> None:
    who = Identity.of(sleeper.pid)
    assert who is not None
    assert who.alive()
    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert not who.alive()
    assert not who.send(signal.SIGTERM)


def test_a_signal_reaches_only_that_very_process(sleeper: subprocess.Popen[bytes]) -> None:
    who = Identity.of(sleeper.pid)
    assert who is not None
    assert not replace(who, start=who.start - 1).send(signal.SIGKILL)
    assert sleeper.poll() is None
    assert who.send(signal.SIGKILL)
    assert sleeper.wait(10) == -signal.SIGKILL


def test_what_is_written_is_read() -> None:
    assert Identity.read(Identity.mine().written()) == Identity.mine()


@pytest.mark.parametrize("said", [None, [], {}, {"pid": "1", "start": 2, "boot_id": "b", "host": "h"}, {"pid": 1}])
def test_nonsense_is_nobody(said: Any) -> None:
    assert Identity.read(said) is None


def test_a_program_whose_name_holds_brackets_and_blanks_is_read(tmp_path: Any, monkeypatch: Any) -> None:
    for pid in ("self", "7"):
        (tmp_path / pid).mkdir()
        fields = ["S", *["0"] * 18, "4711", *["0"] * 30]
        (tmp_path / pid / "stat").write_text(f"7 (a) b (c) {' '.join(fields)}")
    monkeypatch.setattr(identity, "PROC", tmp_path)
    assert identity.started(7) == 4711
    assert identity.started(8) is None


def test_without_proc_psutil_tells_the_same(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(identity, "PROC", tmp_path)
    first = identity.started(os.getpid())
    assert first is not None
    assert first == identity.started(os.getpid())
    assert identity.started(2**22 + 1) is None
