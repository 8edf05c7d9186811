"""Images in folders: `{train,test}/<class>/`, `<class>/`, or flat without classes.

- Class folders are the sub-folders that hold images at any depth; other files and hidden ones are passed over.
- Images beside class folders have no label (-1) and belong to training. A single class says nothing, so it is none.
- With `train/`, the test images are those of `test/`, else of `val/` or `valid/`; where there is a `test/` too, images
  of `val/` join the training images, because `data.valid` is drawn from those.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sslterm.data import decode, pool
from sslterm.data.catalog import DataError
from sslterm.data.source import Advance, Contents, Images, file_facts, fingerprint

SAMPLE = 1000
"""Files whose headers are looked at, to learn whether a folder is grey and of one size."""
UNLABELLED = ""


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
    def fingerprint(self) -> str:
        facts = zip(file_facts(self.root, self.files), self.labels, strict=True)
        return fingerprint("folder", decode.VERSION, self.channels, self.first_test, *self.classes, *facts)

    @cached_property
    def _headers(self) -> list[tuple[int, int, bool]]:
        """Of at most SAMPLE files, evenly spread."""
        chosen = np.linspace(0, len(self.files) - 1, min(SAMPLE, len(self.files))).astype(int)
        with ThreadPoolExecutor(pool.cores()) as threads:
            return list(threads.map(lambda i: decode.header(self.root / self.files[i]), chosen))

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
    """What lies in a folder. Raises DataError: not there, no image in it, test images of a class never trained."""
    key = "data.folder" if name == "image_folder" else "data.name"
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; name one that holds images", key)
    try:
        train, test = _parts(root)
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


def _parts(root: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Training and test files by class."""
    if not (root / "train").is_dir():
        return _by_class(root, ""), {}
    train = _by_class(root, "train")
    held_out = [part for part in ("test", "val", "valid") if (root / part).is_dir()]
    for part in held_out[1:]:
        for label, files in _by_class(root, part).items():
            train[label] = sorted(train.get(label, []) + files)
    return train, _by_class(root, held_out[0]) if held_out else {}


def _by_class(root: Path, part: str) -> dict[str, list[str]]:
    """Files of each class folder in `root/part`, and under UNLABELLED those beside the class folders."""
    found: dict[str, list[str]] = {}
    with os.scandir(root / part) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = os.path.join(part, entry.name)
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                files = _images_below(root, path)
                if files:
                    found[entry.name] = files
            elif _is_image(entry.name):
                found.setdefault(UNLABELLED, []).append(path)
    return found


def _images_below(root: Path, path: str) -> list[str]:
    files = []
    for folder, inner, names in os.walk(root / path, followlinks=True):
        inner[:] = [name for name in inner if not name.startswith(".")]
        below = os.path.relpath(folder, root)
        files += [os.path.join(below, name) for name in names if _is_image(name)]
    return sorted(files)


def _is_image(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in decode.ENDINGS
