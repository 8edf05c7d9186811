"""A file that only grows: gives out its whole lines once, from a byte offset on."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 18
"""Bytes at a time: few enough that a screen in another thread gets its turn between two."""


class Tail:
    """Remembers up to which byte the lines of a file were taken. Never raises: what cannot be read is empty."""

    def __init__(self, path: Path, offset: int = 0, inode: int | None = None) -> None:
        self.path = path
        self.offset = offset
        self.inode = inode
        self._size = 0
        self._looked = -1
        self.looks_the_same()

    @classmethod
    def from_end(cls, path: Path) -> Tail:
        """Passes over what is there already."""
        tail = cls(path)
        tail.offset = tail._size
        return tail

    def looks_the_same(self) -> bool:
        """Look at the file. False where it is gone, another one, or shorter than what was taken."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        if not stat.S_ISREG(found.st_mode):
            return True  # nothing of ours, and a pipe would keep us waiting
        same = self.inode in (None, found.st_ino) and found.st_size >= self.offset
        self.inode, self._size = found.st_ino, found.st_size
        return same

    @property
    def grew(self) -> bool:
        """Whether there was more, at the last look, than was taken or found to be a torn line."""
        return self._size > max(self.offset, self._looked)

    def take(self) -> bytes:
        """The next whole lines, a chunk at a time; empty where there are none yet."""
        if not self.grew:
            return b""
        lines = self._whole_lines()
        self.offset += len(lines)
        if not lines:
            self._looked = self._size
        return lines

    def lines(self) -> Iterator[str]:
        """The lines that were not given out yet, as text; one that is not finished waits."""
        self.looks_the_same()
        while taken := self.take():
            for line in taken.split(b"\n")[:-1]:
                yield line.decode(errors="replace").rstrip("\r")

    def _whole_lines(self) -> bytes:
        """From the offset to the last line end that a chunk reaches; a line longer than it is read to its end."""
        try:
            with open(self.path, "rb", buffering=0) as file:
                file.seek(self.offset)
                found = b""
                while fresh := file.read(max(CHUNK, len(found))):
                    found += fresh
                    if end := found.rfind(b"\n") + 1:
                        return found[:end]
        except OSError:
            self._looked = self._size
        return b""
