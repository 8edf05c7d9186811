"""Batches as training gets them, beside the decoders alone: what is lost between the files and the step."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import psutil
import torch
from PIL import Image
from torch import Tensor

from sslterm import presets
from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns
from sslterm.bench.views import photographs
from sslterm.data import decode, pool, streaming
from sslterm.data.dataset import Dataset
from sslterm.data.open import open_dataset
from sslterm.engine.device import prepare

ALONE, STREAMED, MEMORY = "decoders alone", "streamed batches", "batches from memory"


def measure(
    images: int = 2000, side: int = 128, batch: int = 64, rounds: int = 5, workers: int | None = None
) -> Report:
    """A folder of so many JPEG files, streamed; and the same images from the cache in memory.

    Each round has decoders of its own: where a process finds its memory makes it up to a half faster or slower for as
    long as it lives, and one pair of processes would be held against another's luck.
    """
    prepare(torch.device("cpu"))  # as before training
    workers = pool.cores() if workers is None else workers
    taken: dict[str, list[float]] = {ALONE: [], STREAMED: [], MEMORY: []}
    decoding = []
    with tempfile.TemporaryDirectory(prefix="sslterm-bench-") as folder:
        files = photographed(Path(folder) / "photographs", images, side)
        cached = _opened(Path(folder), side, cache=True, workers=workers)
        order = list(torch.randperm(cached.first_test, generator=torch.Generator().manual_seed(0)).split(batch))
        for _ in range(rounds):
            streamed = _opened(Path(folder), side, cache=False, workers=workers)
            with ProcessPoolExecutor(workers, streaming.context(), pool.started) as processes:
                rivals: dict[str, Callable[[], object]] = {
                    ALONE: partial(_decoded, processes, files, side),
                    STREAMED: partial(_taken, streamed, order),
                    MEMORY: partial(_taken, cached, order),
                }
                for name, (time,) in in_turns(rivals, 1).items():
                    taken[name].append(time)
            decoding.append(_share_of_decoding(partial(_taken, streamed, order)))
            del streamed, rivals  # and its processes
    report = Report(
        f"loader: {images:,} JPEG files of {side} pixels, batch {batch}, {workers} workers, {rounds} rounds"
    )
    for name, times in taken.items():
        note = f"{statistics.median(decoding):.0%} of the processors' time decodes" if name == STREAMED else ""
        figure = Figure(name, tuple(images / t for t in times), "images/s", note)
        report.add(figure, None if name == ALONE else ALONE)
    slots, of_a_batch = streaming.slots(workers), batch * 3 * side**2 / 2**20
    all_images = images / batch * of_a_batch
    held = f"streaming holds {slots} batches, {slots * of_a_batch:,.0f} MiB; all images would be {all_images:,.0f}"
    report.add(Figure("memory of this process", (psutil.Process().memory_info().rss / 2**20,), "MiB", held))
    return report


def _share_of_decoding(stream: Callable[[], object]) -> float:
    """How much of the processors' time, while images are streamed, is that of the processes that decode."""
    me = psutil.Process()

    def spent() -> tuple[float, float]:
        others = sum(sum(child.cpu_times()[:2]) for child in me.children(recursive=True))
        return sum(me.cpu_times()[:2]), others

    own, others = spent()
    stream()
    own_then, others_then = spent()
    both = own_then - own + others_then - others
    return (others_then - others) / both if both else math.nan  # the kernel counts in hundredths of a second


def photographed(root: Path, count: int, side: int) -> list[Path]:
    """JPEG files in two class folders."""
    files = []
    some = photographs(min(count, 64), side).permute(0, 2, 3, 1).contiguous().numpy()
    for number in range(count):
        path = root / ("even", "odd")[number % 2] / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(some[number % len(some)], number, axis=0)).save(path, quality=90)
        files.append(path)
    return files


def _opened(folder: Path, side: int, cache: bool, workers: int) -> Dataset:
    how: Literal["never", "always"] = "never" if cache else "always"
    data = presets.Data(name="image_folder", folder=str(folder / "photographs"), size=side, stream=how, workers=workers)
    return open_dataset(data, None, folder / "data", progress=False)


def _taken(dataset: Dataset, order: Sequence[Tensor]) -> None:
    for _ in dataset.batches(order, torch.device("cpu")):
        pass


def _decoded(processes: ProcessPoolExecutor, files: Sequence[Path], side: int) -> None:
    for _ in processes.map(_decode, files, [side] * len(files), chunksize=32):
        pass


def _decode(path: Path, side: int) -> int:
    return int(decode.read(path, 3, side)[0, 0, 0])
