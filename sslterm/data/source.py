"""What a data set is made from: something that knows its labels and can write all its images as pixels.

Shapes: N images (train images first, then the data set's own test images), C channels, S side in pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sslterm.data import decode, shapes

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
    """Cheap to make and to fingerprint; `contents` and `fill` may take their time."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> str:
        """Which data set this is, whatever its state: caches of one origin replace each other."""

    @property
    def fingerprint(self) -> str:
        """Hex; another one whenever the source may have changed."""

    @property
    def size(self) -> int | None:
        """The images' own side in pixels, if they have one."""

    def contents(self) -> Contents: ...

    def fill(self, images: Images, advance: Advance) -> None:
        """Writes all images into uint8 (N, C, S, S). Raises DataError."""


def fingerprint(*facts: object) -> str:
    """64 hex digits of what they say."""
    return hashlib.sha256("\n".join(map(str, facts)).encode("utf-8", "surrogateescape")).hexdigest()


def file_facts(root: Path, files: Iterable[str]) -> list[str]:
    """Path, size and time of last change of each file: what a fingerprint is made from."""
    facts = []
    for file in files:
        status = (root / file).stat()
        facts.append(f"{file} {status.st_size} {status.st_mtime_ns}")
    return facts


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
    def fingerprint(self) -> str:
        return fingerprint("shapes", shapes.VERSION, self.count, self.size)

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
    fingerprint: str
    size: int
    read: Callable[[], Pixels]

    @cached_property
    def _pixels(self) -> Pixels:
        return self.read()

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
