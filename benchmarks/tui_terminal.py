"""A terminal that a program runs in and a benchmark looks at: a real pseudo-terminal, and as much of what xterm does as
Textual asks for. What is on the screen is known after every read, and when it came.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WIDTH, HEIGHT = 120, 40
ESCAPE = re.compile(r"\x1b(?:\[([?>=<]?)([0-9;:]*)([$ ]?[@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78cM])")
PARTIAL = re.compile(r"\x1b(?:\[[?>=<]?[0-9;:$ ]*|\][^\x07\x1b]*\x1b?|[()]?)?$")


class Screen:
    """Cells: a character and its background."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        self.modes: set[str] = {"25"}
        """The private modes that are on: 1049 the alternate screen, 1000 and others the mouse, 25 a cursor to see."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._ground = ""
        self._clear()

    def _clear(self) -> None:
        self.cells = [[" "] * self.width for _ in range(self.height)]
        self.grounds = [[""] * self.width for _ in range(self.height)]
        self._row = self._column = 0

    def feed(self, data: bytes) -> None:
        """What the program writes."""
        text = self._rest + self._decoder.decode(data)
        torn = PARTIAL.search(text)
        text, self._rest = (text[: torn.start()], text[torn.start() :]) if torn else (text, "")
        end = 0
        for found in ESCAPE.finditer(text):
            self._write(text[end : found.start()])
            end = found.end()
            if found[3]:
                self._control(found[1], found[2], found[3])
        self._write(text[end:])

    def _control(self, private: str, said: str, final: str) -> None:
        if final == "m" and not private:
            self._paint(said.split(";"))
        elif final == "H":
            row, _, column = said.partition(";")
            self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
        elif final == "C":
            self._column += int(said or 1)
        elif final == "J":
            self._clear()
        elif final in "hl" and private == "?":
            (self.modes.add if final == "h" else self.modes.discard)(said)

    def _paint(self, words: list[str]) -> None:
        """Only the background is kept."""
        rest = iter(words)
        for word in rest:
            if word in ("38", "48"):
                kind = next(rest)
                colour = [next(rest) for _ in range(3 if kind == "2" else 1)]
                self._ground = self._ground if word == "38" else ";".join(colour)
            elif word in ("", "0", "49"):
                self._ground = ""
            elif word.startswith(("4", "10")) and len(word) > 1:
                self._ground = word

    def _write(self, text: str) -> None:
        for character in text:
            if character == "\r":
                self._column = 0
            elif character == "\n":
                self._row, self._column = self._row + 1, 0
            elif character >= " ":
                if self._row < self.height and self._column < self.width:
                    self.cells[self._row][self._column] = character
                    self.grounds[self._row][self._column] = self._ground
                self._column += 1

    @property
    def lines(self) -> list[str]:
        """The text of each line."""
        return ["".join(row) for row in self.cells]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)


class Terminal:
    """A child in a terminal of its own."""

    def __init__(self, command: Sequence[str], folder: Path | None = None, **environment: str) -> None:
        self.screen = Screen()
        self.sent = 0
        """Bytes that the child has written."""
        self.last = 0.0
        """When it wrote last."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLORTERM")}
        said = {**plain, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
        self.began = time.perf_counter()
        self.child = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=said, cwd=folder, close_fds=True,
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.until(lambda _: self.child.poll() is not None, 5)
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self._master)

    def press(self, keys: str) -> float:
        """Type; gives back when."""
        now = time.perf_counter()
        os.write(self._master, keys.encode())
        return now

    def read(self, seconds: float) -> int:
        """What comes within so many seconds: the first piece of it, or nothing. Gives back its bytes."""
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return 0
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the child is gone
            time.sleep(min(seconds, 0.01))
            return 0
        self.last = time.perf_counter()
        self.sent += len(data)
        self.screen.feed(data)
        return len(data)

    def until(self, true: Callable[[Screen], object], seconds: float = 60) -> float | None:
        """When the screen first was as it should be; None if it never is."""
        end = time.perf_counter() + seconds
        if true(self.screen):
            return time.perf_counter()
        while (left := end - time.perf_counter()) > 0:
            if (self.read(min(left, 0.05)) or self.child.poll() is not None) and true(self.screen):
                return max(self.last, self.began)
        return None

    def rest(self, seconds: float) -> list[int]:
        """Read on for a while. Gives back the bytes of each burst: what came with less than 60 ms between."""
        bursts: list[int] = []
        end, last = time.perf_counter() + seconds, 0.0
        while (left := end - time.perf_counter()) > 0:
            if count := self.read(left):
                if bursts and self.last - last < 0.06:
                    bursts[-1] += count
                else:
                    bursts.append(count)
                last = self.last
        return bursts

    # ---------------------------------------------------------------- the process

    def cpu(self) -> float:
        """Seconds of a processor core that it has taken, all threads together."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, float]:
        """MB: `Rss` all of it, `Pss` its share of what is shared, `Private` its own, `Peak` the most there ever was."""
        found = {"Private": 0.0}
        for line in Path(f"/proc/{self.child.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, amount = line.split()[:2]
            if name in ("Rss:", "Pss:"):
                found[name[:-1]] = int(amount) / 1000
            elif name.startswith("Private"):
                found["Private"] += int(amount) / 1000
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.child.pid}/status").read_text())
        return {**found, "Peak": int(peak[1]) / 1000 if peak else 0.0}
