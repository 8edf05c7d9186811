"""Reads a log that grows, in a thread: first its end, however long it is, then what is added, in bounded pieces."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from textual.message import Message

from sslterm.runs.tail import Tail
from sslterm.tables import safe

KEPT = 20_000
"""Lines that are read of what is there, and that a screen keeps."""
MOST = 16 << 20
"""Bytes that those lines may take; of a log with longer ones fewer lines are read."""
AT_ONCE = 2_000
"""Lines that one message brings."""
LONGEST = 2_000
"""Characters of a line that are shown."""
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""What programs write to colour a terminal; in a log it is noise."""


class LogRead(Message):
    """More lines of a log; `afresh`: what was shown before is of another file, or of long ago."""

    def __init__(self, path: Path, lines: list[str], afresh: bool) -> None:
        super().__init__()
        self.path, self.lines, self.afresh = path, lines, afresh


class LogReader:
    """What a watch over a log looks at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail: Tail | None = None
        self._waiting: list[str] = []
        self._afresh = True

    def __call__(self) -> Message | None:
        self._read()
        if not self._waiting and not self._afresh:
            return None
        most = KEPT if self._afresh else AT_ONCE  # what is there comes at once: nobody wants to see it pass by
        lines, self._waiting = self._waiting[:most], self._waiting[most:]
        afresh, self._afresh = self._afresh, False
        return LogRead(self.path, lines, afresh)

    def _read(self) -> None:
        if self._waiting:
            return
        tail = self._tail
        if tail is None or not tail.looks_the_same() or _size(self.path) - tail.offset > MOST:
            self._begin()
            return
        while len(self._waiting) < AT_ONCE and (taken := tail.take()):
            self._waiting += shown(taken)

    def _begin(self) -> None:
        """From the last lines on; the file may be another one than before."""
        before, self._tail = self._tail, None
        try:
            start, size = beginning(self.path)
        except OSError:
            self._afresh = self._afresh or before is not None  # it is gone: so is what it said
            return
        self._tail, self._afresh = Tail(self.path, start), True
        while self._tail.offset < size and (taken := self._tail.take()):
            self._waiting += shown(taken)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def beginning(path: Path, lines: int = KEPT, most: int = MOST) -> tuple[int, int]:
    """From which byte on a file holds its last so many lines, or so many bytes; and how long it is. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError("is no file")
        at, ends = found.st_size, 0
        while at > 0 and found.st_size - at < most:
            length = min(1 << 16, at)
            file.seek(at - length)
            piece = file.read(length)
            here = piece.count(b"\n")
            if ends + here > lines:
                return at - length + _nth_last(piece, lines + 1 - ends), found.st_size
            ends, at = ends + here, at - length
        return at, found.st_size


def _nth_last(piece: bytes, count: int) -> int:
    """Behind the so many-th line end, from the back."""
    at = len(piece)
    for _ in range(count):
        at = piece.rfind(b"\n", 0, at)
    return at + 1


def shown(taken: bytes) -> Iterable[str]:
    """Whole lines, as they may be shown: of what a program wrote over itself, what it wrote last."""
    for line in taken.split(b"\n")[:-1]:
        text = line[: 4 * LONGEST].decode(errors="replace").rstrip("\r").rpartition("\r")[2]
        if not text.isprintable():
            text = safe(COLOURS.sub("", text.expandtabs(4)))
        yield text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def logs_of(run: Path) -> list[Path]:
    """The logs of a run, that of training first, then the newest."""
    try:
        found = [path for path in (run / "logs").glob("*.log") if path.is_file()]
        found.sort(key=lambda path: (path.name != "train.log", -path.stat().st_mtime))
    except OSError:
        return []
    return found
