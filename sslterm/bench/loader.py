"""Batches as training gets them, beside the decoders alone: what is lost between the files and the step."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
from sslterm.data import decode, pool
from sslterm.data.dataset import Dataset
from sslterm.data.open import open_dataset
from sslterm.engine.device import prepare


def measure(
    images: int = 2000, side: int = 128, batch: int = 64, rounds: int = 5, workers: int | None = None
) -> Report:
    """A folder of so many JPEG files, streamed; and the same images from the cache in memory."""
    prepare(torch.device("cpu"))  # as before training
    workers = pool.cores() if workers is None else workers
    with tempfile.TemporaryDirectory(prefix="sslterm-bench-") as folder:
        files = photographed(Path(folder) / "photographs", images, side)
        streamed = _opened(Path(folder), side, cache=False, workers=workers)
        cached = _opened(Path(folder), side, cache=True, workers=workers)
        order = list(torch.randperm(streamed.first_test, generator=torch.Generator().manual_seed(0)).split(batch))
        with ProcessPoolExecutor(workers, get_context("spawn")) as processes:  # started before the clock runs
            rivals: dict[str, Callable[[], object]] = {
                "decoders alone": lambda: _decoded(processes, files, side),
                "streamed batches": lambda: _taken(streamed, order),
                "batches from memory": lambda: _taken(cached, order),
            }
            taken = in_turns(rivals, rounds)
    report = Report(
        f"loader: {images:,} JPEG files of {side} pixels, batch {batch}, {workers} workers, {rounds} rounds"
    )
    for name, times in taken.items():
        beside = None if name == "decoders alone" else "decoders alone"
        report.add(Figure(name, tuple(images / t for t in times), "images/s"), beside)
    report.add(Figure("memory of this process", (psutil.Process().memory_info().rss / 2**20,), "MiB"))
    return report


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
