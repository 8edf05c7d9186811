"""A data set decoded once, as files that later runs map into memory: DATA/.sslterm/NAME-SIZE-STAMP/.

A cache is built in a folder of its own and renamed when it is whole; a lock lets one process build while others wait
for its result. A cache that is torn, or whose source has changed, is built anew.
Shapes: N images, C channels, S side in pixels.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sslterm.data.catalog import DataError
from sslterm.data.source import Images, Labels, Source

Bars = Callable[[str, int], Callable[[int], object]]
"""Told of a pass over so many images; what it gives back is told how many more are done."""

FORMAT = 2
"""What `meta.json` looks like: raise it when it changes."""


@dataclass(frozen=True)
class Cached:
    """What is read back. The arrays are mapped copy-on-write: writing to them never reaches the file."""

    images: Images
    """uint8 (N, C, S, S)."""
    labels: Labels
    """int64 (N,)."""
    meta: dict[str, Any]
    """classes, first_test, mean, std, fingerprint and which source they are from."""


def open_cache(source: Source, size: int, data_dir: Path, progress: bool | Bars) -> Cached:
    """The cache of a source at a size, built if it is not there. Raises DataError: broken image, no space."""
    entry = f"{source.name}-{size}-{source.stamp[:12]}"
    for home in homes(data_dir):
        found = _read(home / entry, source, size)
        if found:
            return found
    home = writable_home(data_dir)
    with locked(home / f"{source.name}-{size}.lock"):
        found = _read(home / entry, source, size)  # another process may have built it while we waited
        if found:
            return found
        _build(home / entry, source, size, progress)
        _remove_older(home, entry, source, size)
    found = _read(home / entry, source, size)
    assert found, f"{home / entry} was just written"
    return found


# ---------------------------------------------------------------- where


def homes(data_dir: Path) -> tuple[Path, Path]:
    """Beside the data, or where data directories are read-only in the user's own cache."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return data_dir / ".sslterm", own / "sslterm"


def writable_home(data_dir: Path) -> Path:
    """The first home that can be written to, made if need be. Raises DataError."""
    for home in homes(data_dir):
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(home, os.W_OK | os.X_OK):
            return home
    raise DataError(f"neither {homes(data_dir)[0]} nor {homes(data_dir)[1]} can be written; decoded images go there")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock ends with the process, however it ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- reading


def _read(folder: Path, source: Source, size: int) -> Cached | None:
    """The cache, or None where it is missing, torn, or of another source."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
        if (meta["format"], meta["stamp"], meta["size"]) != (FORMAT, source.stamp, size):
            return None
        images = np.load(folder / "images.npy", mmap_mode="c")
        labels = np.load(folder / "labels.npy", mmap_mode="c")
        shape = (meta["count"], len(meta["mean"]), size, size)
        whole = images.shape == shape and images.dtype == np.uint8 and labels.shape == shape[:1]
        return Cached(images, labels, meta) if whole else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


# ---------------------------------------------------------------- building


def _build(folder: Path, source: Source, size: int, progress: bool | Bars) -> None:
    """Writes the cache and puts it in place at once. The caller holds the lock."""
    contents = source.contents()
    shape = (len(contents.labels), contents.channels, size, size)
    need = int(np.prod(shape)) + contents.labels.nbytes
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        with _room(need, folder.parent):
            images = _reserved(building / "images.npy", shape, need)
            with bar(f"{source.name} {size}x{size}", shape[0], progress) as shown:
                source.fill(images, shown.update)
            images.flush()
            np.save(building / "labels.npy", contents.labels)
            mean, std = statistics(images[: contents.first_test])
            meta = {
                "format": FORMAT, "name": source.name, "origin": source.origin, "stamp": source.stamp,
                "fingerprint": source.fingerprint(), "size": size, "count": shape[0],
                "first_test": contents.first_test, "classes": contents.classes, "mean": mean, "std": std,
            }  # fmt: skip
            (building / "meta.json").write_text(json.dumps(meta))
        shutil.rmtree(folder, ignore_errors=True)  # a torn one
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _reserved(path: Path, shape: tuple[int, ...], need: int) -> np.memmap:
    """An array on disk whose space is taken beforehand: a full disk met while writing to a mapped file is a crash."""
    if need > shutil.disk_usage(path.parent).free:
        raise OSError(errno.ENOSPC, "no space left")
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return images


@contextlib.contextmanager
def _room(need: int, home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"the decoded images need {need / 1e6:,.0f} MB in {home}, and {shutil.disk_usage(home).free / 1e6:,.0f} MB "
            "are free; free some, choose a smaller data.size, or another --data-dir"
        ) from error


def _remove_older(home: Path, entry: str, source: Source, size: int) -> None:
    """Caches of the same source as it was before. A run that still maps one keeps it until it ends."""
    for folder in home.glob(f"{source.name}-{size}-*"):
        if folder.name.endswith(".part"):
            shutil.rmtree(folder, ignore_errors=True)  # of a process that died: we hold the lock
            continue
        try:
            origin = json.loads((folder / "meta.json").read_text())["origin"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if folder.name != entry and origin == source.origin:
            shutil.rmtree(folder, ignore_errors=True)


class _Told:
    """In the place of a bar: whoever asked is told how much more is done."""

    def __init__(self, update: Callable[[int], object]) -> None:
        self.update = update

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *_: object) -> None:
        return


def bar(title: str, total: int, progress: bool | Bars) -> Any:
    """A progress bar on stderr, where someone looks; or whatever `progress` makes of it."""
    if not isinstance(progress, bool):
        return _Told(progress(title, total))
    from tqdm import tqdm

    quiet = not (progress and sys.stderr.isatty())
    return tqdm(total=total, desc=title, unit=" images", disable=quiet, leave=False)


def statistics(images: Images) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, 0..1, of uint8 (N, C, S, S): exact, by counting levels."""
    counts = np.zeros((images.shape[1], 256), np.int64)
    for start in range(0, len(images), 1000):
        for channel, count in enumerate(counts):
            count += np.bincount(images[start : start + 1000, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    std = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(axis=1))
    # Images of one colour have no spread, and views divide by it.
    return mean.tolist(), np.maximum(std, 1 / 255).tolist()
