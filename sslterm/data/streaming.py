"""Images that memory cannot hold: decoded by worker processes while training, in the order of the batches.

Each pixel is what the cache would hold, since both decode with `decode.read`.
Shapes: B images in a batch, C channels, S side in pixels.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sslterm.data import cache, decode, pool
from sslterm.data.cache import Bars
from sslterm.data.catalog import DataError
from sslterm.data.dataset import Dataset, moved
from sslterm.data.folders import Folder

AHEAD = 2
"""Batches that each worker is asked for before they are wanted."""
SAMPLE = 5000
"""Training images whose mean and standard deviation stand for all of them."""


@dataclass(frozen=True)
class StreamingDataset(Dataset):
    """Images read from their files whenever they are needed."""

    root: Path
    files: tuple[str, ...]
    workers: int
    """Processes that decode; 0: this one."""
    _idle: list[_Decoders] = field(default_factory=list, repr=False, compare=False)
    """Those that went through their last order to its end, and wait for another one."""

    def batches(self, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
        largest = max(map(len, order), default=0)
        decoders = self._idle.pop() if self._idle and self._idle[-1].room >= largest else self._decoders(largest)
        yield from decoders.through(order, device)
        # Only now: those that are left before the end of an order have images under way that nobody wants, and end.
        self._idle[:] = [decoders]

    def _decoders(self, largest: int) -> _Decoders:
        return _Decoders(self.root, self.files, (largest, self.channels, self.size, self.size), self.workers)


def slots(workers: int) -> int:
    """How many batches are held at once: all that are asked for ahead, and the one that is being looked at, which is
    written over only when the next one is asked for."""
    return workers * AHEAD + 1


class _Decoders:
    """Processes that decode batch after batch into memory that they share with this one.

    To start them takes longer than to decode a thousand images; so they stay from epoch to epoch. And the memory stays:
    to ask for it anew, and to hand it over, would cost as much as a third of the decoding.
    """

    def __init__(self, root: Path, files: tuple[str, ...], batch: tuple[int, ...], workers: int) -> None:
        workers = min(workers, pool.cores())
        self.room = batch[0]
        self._slots = torch.empty(slots(workers), *batch, dtype=torch.uint8).share_memory_()
        self._asked: list[list[int]] = []  # of each batch: a slot, and the images that belong in it
        self._loader: DataLoader[Any] = DataLoader(
            _Files(root, files, self._slots),  # type: ignore[arg-type]
            batch_sampler=self._asked,  # the loader stays, and begins each epoch at the list's beginning
            num_workers=workers,
            prefetch_factor=AHEAD if workers else None,
            persistent_workers=workers > 0,
            collate_fn=_as_they_are,
            multiprocessing_context=context() if workers else None,
            worker_init_fn=_started if workers else None,
            generator=torch.Generator(),  # its own, so that the run's random numbers stay where they are
        )

    def through(self, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
        """uint8 (B, C, S, S) on `device`, batch by batch. Raises DataError."""
        self._asked[:] = [[place % len(self._slots), *indices.tolist()] for place, indices in enumerate(order)]
        for indices, slot in zip(order, self._loader, strict=True):
            if isinstance(slot, DataError):
                raise slot
            yield moved(self._slots[slot, : len(indices)], device)


class _Files:
    """What a worker holds."""

    def __init__(self, root: Path, files: tuple[str, ...], slots: Tensor) -> None:
        self.root, self.files, self.slots = root, files, slots

    def __len__(self) -> int:
        return len(self.files)

    def __getitems__(self, asked: list[int]) -> int | DataError:
        """Which slot is filled. An error is handed over, not raised: torch would wrap it in a traceback."""
        slot, *indices = asked
        _, channels, size, _ = (images := self.slots[slot].numpy()).shape
        try:
            for place, index in enumerate(indices):
                decode.read(self.root / self.files[index], channels, size, out=images[place])
        except DataError as error:
            return error
        return slot


def _started(worker: int) -> None:
    """In a worker: it is there for its trainer, answers no Ctrl-C of its own, and ends when the trainer does."""
    pool.started()


def _as_they_are(batch: Any) -> Any:
    return batch


def context() -> multiprocessing.context.BaseContext:
    """Workers are not forked from this process, whose threads and GPU would not survive it, but from a small server
    that has imported what they need; it ends with us."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sslterm.data.streaming"])
    return context


def stream(folder: Folder, size: int, workers: int, data_dir: Path, progress: bool | Bars) -> StreamingDataset:
    """The images of a folder, decoded as they are needed. Raises DataError."""
    contents = folder.contents()
    facts = _facts(folder, size, data_dir, progress)
    return StreamingDataset(
        folder.name, contents.classes, torch.from_numpy(contents.labels), contents.first_test, contents.channels, size,
        tuple(facts["mean"]), tuple(facts["std"]), facts["fingerprint"], folder.root, folder.files, workers,
    )  # fmt: skip


def _facts(folder: Folder, size: int, data_dir: Path, progress: bool | Bars) -> dict[str, Any]:
    """mean and std of a sample, always the same one, and the fingerprint: kept in a small file beside the caches."""
    home = cache.writable_home(data_dir)
    path = home / f"{folder.name}-{size}-{folder.stamp[:12]}.json"
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept["format"] == cache.FORMAT:
            return kept
    except (OSError, ValueError, KeyError, TypeError):
        pass
    mean, std = cache.statistics(_sample(folder, size, progress))
    facts = {"format": cache.FORMAT, "mean": mean, "std": std, "sample": SAMPLE, "fingerprint": folder.fingerprint()}
    writing = path.with_suffix(f".{os.getpid()}.part")
    writing.write_text(json.dumps(facts))
    writing.replace(path)
    return facts


def _sample(folder: Folder, size: int, progress: bool | Bars) -> np.ndarray:
    """uint8 (n, C, S, S) of at most SAMPLE training images."""
    shuffled = torch.randperm(folder.first_test, generator=torch.Generator().manual_seed(0))
    chosen = shuffled[:SAMPLE].sort().values.tolist()
    files = [folder.files[i] for i in chosen]
    images = []
    with cache.bar(f"mean and spread of {folder.name}", len(files), progress) as shown:
        for piece in pool.decoded(folder.root, files, folder.channels, size):
            images.append(piece)
            shown.update(len(piece))
    return np.concatenate(images)
