"""A real terminal that hangs up, interrupts and suspends: who looks on is hit, training is not, unless it was meant."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from family import PATIENCE, Family, eventually

from sslterm import presets
from sslterm.runs import Run, checkpoints, state
from sslterm.runs.job import Job

LONG = {
    "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32},
    "encoder": {"name": "conv4"},
    "method": {"name": "supervised"},
    "monitor": {"every": 0},
    "precision": "fp32",
    "epochs": 2000,
    "batch_size": 32,
}


def _as_a_shell_would() -> None:
    """The terminal is this process's own, and its end is no secret to it (whoever runs the tests may ignore that)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """A pseudo-terminal with one command in the foreground, as a person's shell would start it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.keyboard, screen = pty.openpty()
        termios.tcsetwinsize(screen, (24, 100))
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sslterm", *arguments],
            stdin=screen, stdout=screen, stderr=screen, start_new_session=True,
            preexec_fn=_as_a_shell_would,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm"},
        )  # fmt: skip
        os.close(screen)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while part := os.read(self.keyboard, 4096):
                self.seen += part
        except OSError:  # how the end of a terminal looks on Linux
            return

    def type(self, key: bytes) -> None:
        os.write(self.keyboard, key)

    def hang_up(self) -> None:
        """What a lost SSH connection does: the terminal goes, and the kernel says SIGHUP to who sat at it."""
        left, self.keyboard = self.keyboard, -1
        # The thread that reads would keep the terminal open.
        os.dup2(os.open(os.devnull, os.O_RDONLY), left)
        self._reader.join(PATIENCE)
        os.close(left)

    def text(self) -> str:
        return self.seen.decode(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if self.keyboard >= 0:
            os.close(self.keyboard)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*arguments: str) -> Terminal:
        opened.append(Terminal(arguments))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def test_training_goes_on_when_the_terminal_of_run_hangs_up(
    terminal: Callable[..., Terminal], tmp_path: Path, runs_dir: Path, data_dir: Path, figures: Counter[str]
) -> None:
    preset = tmp_path / "tiny.toml"
    preset.write_text(presets.dump(presets.resolve({**LONG, "epochs": 60})))
    ours = terminal("run", str(preset), "--name", "a", "--runs-dir", str(runs_dir), "--data-dir", str(data_dir))
    run = Run(runs_dir / "a")
    eventually(lambda: Job(run).heartbeat().get("phase") == "training", ours.text)
    ours.hang_up()
    assert ours.process.wait(PATIENCE) == -signal.SIGHUP
    eventually(lambda: state.of(run).word == "finished", lambda: (state.of(run), run.log.read_text()))
    assert checkpoints.newest_good(run)[0] is not None
    figures["terminals hung up"] += 1


def test_ctrl_c_in_the_terminal_is_a_clean_stop(
    terminal: Callable[..., Terminal], make_run: Callable[..., Run], data_dir: Path
) -> None:
    run = make_run(written=LONG)
    family = Family(run)
    ours = terminal("resume", str(run.path), "--data-dir", str(data_dir))
    try:
        eventually(lambda: Job(run).heartbeat().get("phase") == "training", ours.text)
        ours.type(b"\x03")
        assert ours.process.wait(PATIENCE) == 130, ours.text()
        assert state.of(run).word == "interrupted"
        good, wrong = checkpoints.newest_good(run)
        assert good is not None
        assert not wrong
        assert "finishing the step and saving" in ours.text()
        assert re.search(r"stopped (at|after) supervised, epoch \d+.*continue with `sslterm", ours.text(), re.DOTALL)
        assert not family.members()
    finally:
        family.end()


class TestWatch:
    """The same for whoever follows from another terminal; the trainer is the light one."""

    def test_a_hang_up_ends_the_follower_and_nothing_else(
        self, terminal: Callable[..., Terminal], family: Family, figures: Counter[str]
    ) -> None:
        family.start()
        eventually(family.trains, family.told)
        ours = terminal("watch", str(family.run.path))
        eventually(lambda: "light" in ours.text(), ours.text)
        ours.hang_up()
        assert ours.process.wait(PATIENCE) == -signal.SIGHUP
        assert family.word == "running"
        family.stop()
        assert family.settled() == "interrupted"
        figures["terminals hung up"] += 1

    def test_a_suspended_follower_holds_nobody_up(self, terminal: Callable[..., Terminal], family: Family) -> None:
        family.start("--steps", "500")
        eventually(family.trains, family.told)
        ours = terminal("watch", str(family.run.path))
        eventually(lambda: "light" in ours.text(), ours.text)
        follower = psutil.Process(ours.process.pid)
        follower.suspend()  # as Ctrl-Z does where a shell has more than one job
        eventually(lambda: follower.status() == psutil.STATUS_STOPPED)
        eventually(lambda: family.word == "finished", family.told)
        follower.resume()
        assert ours.process.wait(PATIENCE) == 0, ours.text()

    def test_ctrl_c_leaves_it_training(self, terminal: Callable[..., Terminal], family: Family) -> None:
        family.start()
        eventually(family.trains, family.told)
        ours = terminal("watch", str(family.run.path))
        eventually(lambda: "light" in ours.text(), ours.text)
        ours.type(b"\x03")
        assert ours.process.wait(PATIENCE) == 0
        assert "trains on" in ours.text()
        assert family.word == "running"
