"""Locks end with their holder, and with nobody else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sslterm.runs.locks import Lock, Locked, held, holding

HOLD = "import sys, time; from pathlib import Path; from sslterm.runs.locks import Lock\n"
HOLD += "lock = Lock(Path(sys.argv[1]), inheritable=bool(sys.argv[2:]))\n"
FOREVER = "print('held', flush=True); time.sleep(60)"


def holder(path: Path, code: str = FOREVER, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD + code, str(path), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("held")
    return process


def test_a_second_one_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with Lock(path):
        assert held(path)
        with pytest.raises(Locked):
            Lock(path)
    assert not held(path)
    Lock(path).release()


def test_a_killed_holder_holds_no_more(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    assert held(tmp_path / "lock")
    process.kill()
    process.communicate()
    assert not held(tmp_path / "lock")


def test_a_forked_child_does_not_keep_it(tmp_path: Path) -> None:
    code = "import os\nif os.fork() == 0: os.close(1); time.sleep(60); os._exit(0)\n" + FOREVER
    process = holder(tmp_path / "lock", code)
    process.kill()
    process.communicate()
    assert not held(tmp_path / "lock")
    subprocess.run(["pkill", "-9", "-f", str(tmp_path / "lock")], check=False)


def test_that_of_a_device_is_kept_by_who_inherits_it(tmp_path: Path) -> None:
    code = "import subprocess\nchild = subprocess.Popen(['sleep', '60'], close_fds=False, stdout=subprocess.DEVNULL)\n"
    code += "print('held', child.pid, flush=True); time.sleep(60)"
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD + code, str(path), "inheritable"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    process.kill()
    process.communicate()
    assert held(path)
    os.kill(child, signal.SIGKILL)
    until = time.monotonic() + 30
    while held(path):
        assert time.monotonic() < until


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert not held(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def look(path: Path, stop: object) -> None:
    while not stop.is_set():  # type: ignore[attr-defined]
        held(path)


def test_looking_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    Lock(path).release()
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    watcher = context.Process(target=look, args=(path, stop))
    watcher.start()
    try:
        for _ in range(300):
            Lock(path).release()
    finally:
        stop.set()
        watcher.join()


def test_waiting_for_a_moment(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock"), pytest.raises(Locked), holding(tmp_path / "lock", 0.1):
        pass
    with holding(tmp_path / "lock"):
        assert held(tmp_path / "lock")
