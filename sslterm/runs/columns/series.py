"""Float64 values that only grow, of which the first part may lie in a file. The file is read when somebody looks.

It is read and checked rather than mapped: a mapped file that somebody cuts short kills the process that looks at it.
"""

from __future__ import annotations

import zlib
from array import array
from pathlib import Path

from sslterm.runs.files import DamagedFile

WIDTH = 8
"""Bytes of a value."""


class Series:
    """Values that grow at the end. A view that was taken stays as it is while they do."""

    def __init__(self, file: str, kept: int = 0, checksum: int = 0) -> None:
        self.file = file
        self.checksum = checksum
        self.count = kept
        self._kept = kept
        self._fresh = array("d")
        """What the file does not hold, as long as nobody looked."""
        self._room: memoryview[float] | None = None
        """All of it, with room to grow, once somebody looked."""

    def extend(self, values: array[float]) -> None:
        """Add values at the end."""
        if self._room is None:
            self._fresh.extend(values)
        else:
            if self.count + len(values) > len(self._room):
                self._room = _larger(self._room[: self.count], (self.count + len(values)) * 5 // 4)
            self._room[self.count : self.count + len(values)] = memoryview(values)
        self.count += len(values)

    def view(self, folder: Path) -> memoryview[float]:
        """All values, as float64. Raises DamagedFile where the file is not what was kept."""
        if self._room is None:
            room = _larger(memoryview(array("d")), self.count)
            if self._kept:
                self._read(folder / self.file, room.cast("B")[: self._kept * WIDTH])
            room[self._kept :] = memoryview(self._fresh)
            self._room, self._fresh = room, array("d")
        return self._room[: self.count].toreadonly()

    def copy(self, file: str, folder: Path) -> Series:
        """The same values, to be kept in a file of their own."""
        other = Series(file)
        other.extend(array("d", self.view(folder)))
        return other

    def write(self, folder: Path) -> int:
        """Append to the file what it does not hold; gives back the checksum. Not kept before `keep` says so."""
        fresh = memoryview(self._fresh) if self._room is None else self._room[self._kept : self.count]
        if fresh:
            with (folder / self.file).open("r+b" if self._kept else "wb", buffering=0) as file:
                file.seek(self._kept * WIDTH)
                left = fresh.cast("B")
                while left:
                    left = left[file.write(left) :]
        return zlib.crc32(fresh, self.checksum)

    def keep(self, checksum: int) -> None:
        """The file holds everything from now on."""
        self._kept, self.checksum = self.count, checksum
        self._fresh = array("d")

    def _read(self, path: Path, into: memoryview) -> None:
        try:
            with path.open("rb", buffering=0) as file:
                left = into
                while left and (read := file.readinto(left)):
                    left = left[read:]
        except OSError as error:
            raise DamagedFile(f"{path}: cannot be read ({error.strerror})") from None
        if left or zlib.crc32(into) != self.checksum:
            raise DamagedFile(f"{path}: is not what was kept")


def _larger(values: memoryview[float], size: int) -> memoryview[float]:
    room = memoryview(bytearray(size * WIDTH)).cast("d")
    room[: len(values)] = values
    return room
