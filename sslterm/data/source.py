"""What a data set is made from: something that knows its labels and can write all its images as pixels.

Shapes: N images (train images first, then the data set's own test images), C channels, S side in pixels.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sslterm.data import decode, shapes
from sslterm.data.catalog import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Advance = Callable[[int], object]
"""Told how many more images are done."""
PIECE = 1000
"""Images between two moves of the progress bar."""


@dataclass(frozen=True)
class Contents:
    """All of a data set but its pixels."""

    classes: tuple[str, ...]
    """Empty when unlabelled."""
    labels: Labels
    """int64 (N,), -1 = no label."""
    first_test: int
    channels: int


class Source(Protocol):
    """Cheap to make and to stamp; `fingerprint`, `contents` and `fill` may take their time."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> str:
        """Which data set this is, whatever its state: caches of one origin replace each other."""

    @property
    def stamp(self) -> str:
        """Hex; another one whenever the source may have changed, and on another machine: what the cache goes by."""

    @property
    def size(self) -> int | None:
        """The images' own side in pixels, if they have one."""

    def fingerprint(self) -> str:
        """Hex; the same wherever and whenever the same images lie, other than `stamp`: what results go by."""

    def contents(self) -> Contents: ...

    def fill(self, images: Images, advance: Advance) -> None:
        """Writes all images into uint8 (N, C, S, S). Raises DataError."""


def digest(*facts: object) -> str:
    """64 hex digits of what they say."""
    return hashlib.sha256("\n".join(map(str, facts)).encode("utf-8", "surrogateescape")).hexdigest()


def states(root: Path, files: Iterable[str]) -> list[tuple[int, int]]:
    """Size in bytes and time of last change in ns of each file. Raises DataError."""

    def state(file: str) -> tuple[int, int]:
        status = os.stat(os.path.join(root, file))
        return status.st_size, status.st_mtime_ns

    with _readable():
        return [state(file) for file in files]


def file_digests(root: Path, files: Iterable[str]) -> list[str]:
    """What each file holds, in hex. Raises DataError."""

    def held(file: str) -> str:
        with (root / file).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    with _readable():
        return [held(file) for file in files]


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"{error.filename} cannot be read ({why}); replace or remove this file") from error


@dataclass(frozen=True)
class Drawn:
    """`shapes`, in any number and size; a fifth as many test images as training images."""

    count: int
    size: int
    name: str = "shapes"

    @property
    def origin(self) -> str:
        return f"shapes {self.count}"

    @property
    def stamp(self) -> str:
        return digest("shapes", shapes.VERSION, self.count, self.size)

    def fingerprint(self) -> str:
        return self.stamp

    @property
    def _parts(self) -> tuple[int, int]:
        return self.count, max(1, self.count // 5)

    def contents(self) -> Contents:
        labels = np.concatenate([shapes.labels(count) for count in self._parts])
        return Contents(shapes.CLASSES, labels, self.count, 3)

    def fill(self, images: Images, advance: Advance) -> None:
        done = 0
        for part, count in enumerate(self._parts):
            for start in range(0, count, PIECE):
                drawn = shapes.draw(min(PIECE, count - start), self.size, part, start)
                images[done : done + len(drawn)] = drawn
                done += len(drawn)
                advance(len(drawn))


@dataclass(frozen=True)
class Pixels:
    """What a reader of arrays returns."""

    contents: Contents
    parts: Sequence[Images]
    """Each uint8 (n, C, height, width); together the N images in order."""


@dataclass(frozen=True)
class Arrays:
    """A data set that comes as arrays of pixels; `read` is called once it is needed."""

    name: str
    origin: str
    stamp: str
    size: int
    read: Callable[[], Pixels]
    root: Path | None = None
    files: tuple[str, ...] = ()
    """What it is read from, below the root."""

    @cached_property
    def _pixels(self) -> Pixels:
        return self.read()

    def fingerprint(self) -> str:
        return digest(self.name, *file_digests(self.root, self.files)) if self.root else self.stamp

    def contents(self) -> Contents:
        return self._pixels.contents

    def fill(self, images: Images, advance: Advance) -> None:
        side, done = images.shape[-1], 0
        for part in self._pixels.parts:
            for start in range(0, len(part), PIECE):
                piece = part[start : start + PIECE]
                images[done : done + len(piece)] = decode.resized(piece, side)
                done += len(piece)
                advance(len(piece))
