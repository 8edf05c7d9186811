"""However the TUI ends, the terminal is as it was: tried in a pseudo-terminal, with a process of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MODES_OFF = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?2004l", b"\x1b[?25h")
"""The other screen, the mouse, pasting in brackets, a hidden cursor."""
OPEN = (
    "from pathlib import Path; from sslterm.cli.screen import open_tui; open_tui(False, False, Path('{runs}'), Path())"
)
BREAKS = "from sslterm.tui.screens.runs import RunsScreen as R; R.do_group = lambda self: {what}; "


class Terminal:
    """A terminal, and what runs in it."""

    def __init__(self, code: str) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        environment = {**os.environ, "TERM": "xterm-256color"}
        self.child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self.said = b""

    def read(self) -> None:
        """Whatever comes within a moment."""
        if select.select([self.master], [], [], 0.05)[0]:
            self.said += os.read(self.master, 1 << 16)

    def wait_for(self, text: bytes) -> None:
        """Until it is written."""
        self._until(lambda: text in self.said)

    def wait_for_end(self) -> int:
        """Until the process is gone, and everything that it wrote was read."""
        self._until(lambda: self.child.poll() is not None)
        while select.select([self.master], [], [], 0)[0]:
            self.said += os.read(self.master, 1 << 16)
        assert self.child.returncode is not None
        return self.child.returncode

    def _until(self, true) -> None:  # type: ignore[no-untyped-def]
        end = time.monotonic() + 30
        while not true():
            assert time.monotonic() < end, self.said[-2000:]
            self.read()


@contextmanager
def opened(tmp_path: Path, before: str = "") -> Iterator[Terminal]:
    terminal = Terminal(before + OPEN.format(runs=tmp_path / "runs"))
    try:
        terminal.wait_for(b"no run yet")
        yield terminal
    finally:
        terminal.child.kill()
        terminal.child.wait()
        os.close(terminal.master)
        os.close(terminal.slave)


def is_as_it_was(terminal: Terminal) -> bool:
    on = terminal.said.index(b"\x1b[?1049h")
    return all(terminal.said.rfind(mode) > on for mode in MODES_OFF) and (
        termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with opened(tmp_path) as terminal:
        os.kill(terminal.child.pid, number)
        assert terminal.wait_for_end() == 128 + number
        assert is_as_it_was(terminal)


def test_a_mistake_of_ours_is_told_on_a_terminal_that_is_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path, BREAKS.format(what="1 / 0")) as terminal:
        os.write(terminal.master, b"f")
        assert terminal.wait_for_end() == 1
        assert is_as_it_was(terminal)
        assert terminal.said.rindex(b"ZeroDivisionError") > terminal.said.rindex(b"\x1b[?1049l")


def test_an_app_that_hangs_is_left_by_force(tmp_path: Path) -> None:
    hangs = BREAKS.format(what="print('hangs') or [None for _ in iter(int, 1)]")
    hurry = "from sslterm.tui.terminal import leaving; leaving.PATIENCE = 0.2; "
    with opened(tmp_path, hurry + hangs) as terminal:
        os.write(terminal.master, b"f")
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            terminal.read()
        os.kill(terminal.child.pid, signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
        assert is_as_it_was(terminal)


def test_a_terminal_that_goes_away_takes_the_viewer_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as terminal:
        os.close(terminal.master)
        os.close(terminal.slave)
        terminal.master, terminal.slave = os.pipe()
        os.kill(terminal.child.pid, signal.SIGHUP)
        assert terminal.child.wait(20) != 0


def test_leaving_by_key_says_that_training_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path) as terminal:
        os.write(terminal.master, b"q")
        assert terminal.wait_for_end() == 0
        assert is_as_it_was(terminal)
        assert b"training goes on" in terminal.said
