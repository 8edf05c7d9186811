"""A data set that is a folder of image files; `layout` says what its folders mean."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sslterm.data import decode, pool
from sslterm.data.catalog import DataError
from sslterm.data.layout import UNLABELLED, training_and_test
from sslterm.data.source import Advance, Contents, Images, digest, file_digests, states

SAMPLE = 1000
"""Files whose headers are looked at, to learn whether a folder is grey and of one size."""
READ = 5000
"""Files whose bytes are part of the fingerprint; of all others it knows the size only, and so costs no second."""


@dataclass(frozen=True)
class Folder:
    """Images in files. The folder is read when it is made, the images are not."""

    name: str
    root: Path
    files: tuple[str, ...]
    """Paths below the root, train first, sorted within it by class."""
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    first_test: int
    known_channels: int | None = None
    known_size: int | None = None

    @property
    def origin(self) -> str:
        return str(self.root.resolve())

    @cached_property
    def stamp(self) -> str:
        facts = zip(self.files, self.labels, self._states, strict=True)
        return digest("folder", decode.VERSION, self.channels, self.first_test, *self.classes, *facts)

    def fingerprint(self) -> str:
        sizes = [size for size, _ in self._states]
        chosen = [self.files[i] for i in self._spread(READ)]
        facts = zip(self.files, self.labels, sizes, strict=True)
        return digest("folder", self.first_test, *self.classes, *facts, *file_digests(self.root, chosen))

    @cached_property
    def _states(self) -> list[tuple[int, int]]:
        return states(self.root, self.files)

    def _spread(self, count: int) -> list[int]:
        """At most so many places of files, evenly spread."""
        places: list[int] = np.linspace(0, len(self.files) - 1, min(count, len(self.files))).astype(int).tolist()
        return places

    @cached_property
    def _headers(self) -> list[tuple[int, int, bool]]:
        """Of a sample of the files."""
        with ThreadPoolExecutor(pool.cores()) as threads:
            return list(threads.map(lambda i: decode.header(self.root / self.files[i]), self._spread(SAMPLE)))

    @cached_property
    def channels(self) -> int:
        """1 where every image looked at is grey, else 3."""
        return self.known_channels or (1 if all(grey for _, _, grey in self._headers) else 3)

    @cached_property
    def size(self) -> int | None:
        """The shorter side, where all images looked at share it."""
        sides = {min(width, height) for width, height, _ in self._headers} if not self.known_size else {self.known_size}
        return sides.pop() if len(sides) == 1 else None

    def contents(self) -> Contents:
        return Contents(self.classes, np.array(self.labels, np.int64), self.first_test, self.channels)

    def fill(self, images: Images, advance: Advance) -> None:
        done = 0
        for piece in pool.decoded(self.root, self.files, self.channels, images.shape[-1]):
            images[done : done + len(piece)] = piece
            done += len(piece)
            advance(len(piece))


def open_folder(name: str, root: Path, channels: int | None = None, size: int | None = None) -> Folder:
    """What lies in a folder.

    Raises DataError: it is not there, has no image or test images of a class never trained, or its layout is doubtful.
    """
    key = "data.folder" if name == "image_folder" else "data.name"
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; name one that holds images", key)
    try:
        train, test = training_and_test(root, key)
    except OSError as error:
        raise DataError(f"{error.filename or root} cannot be read: {error.strerror or error}", key) from error
    if not any(train.values()):
        kinds = ", ".join(sorted(ending[1:] for ending in decode.ENDINGS))
        raise DataError(f"{root} holds no image to train on (known endings: {kinds})", key)

    classes = sorted(train.keys() - {UNLABELLED})
    if len(classes) < 2 and not (test.keys() - {UNLABELLED, *classes}):
        classes = []
    strange = sorted(test.keys() - {UNLABELLED, *classes}) if classes else []
    if strange:
        raise DataError(f"{root} has test images of {', '.join(strange)}, but no training images of it", key)
    if classes:
        test.pop(UNLABELLED, None)  # of no use: a test asks for the label
    number = {name: place for place, name in enumerate(classes)}
    rows = [(file, number.get(label, -1)) for part in (train, test) for label in sorted(part) for file in part[label]]
    files, labels = zip(*rows, strict=True)
    first_test = sum(map(len, train.values()))
    return Folder(name, root, files, labels, tuple(classes), first_test, channels, size)
