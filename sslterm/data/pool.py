"""Decoding many files at once.

Small images are decoded by processes: most of their time goes into Python, which threads would only take from each
other. Few images do not repay starting processes, and are decoded by threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sslterm.data import decode
from sslterm.data.memory import keep_large_blocks

FEW = 3000
"""Up to so many images threads are quicker."""
PIECE_BYTES = 2**20
"""What one task returns, about."""


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decoded(root: Path, files: Sequence[str], channels: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """All images in order, uint8 (n, C, size, size) piece by piece. Raises DataError for the first broken one."""
    each = max(1, min(100, PIECE_BYTES // (channels * size * size)))
    pieces = [files[start : start + each] for start in range(0, len(files), each)]
    with _workers(len(files)) as pool:
        try:
            yield from pool.map(partial(_decode, root, channels, size), pieces)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _decode(root: Path, channels: int, size: int, files: Sequence[str]) -> NDArray[np.uint8]:
    return np.stack([decode.read(root / file, channels, size) for file in files])


def _workers(count: int) -> Executor:
    if count <= FEW or cores() == 1:
        return ThreadPoolExecutor(cores())
    # Spawned, for a fork would copy this process's threads in whatever state they are.
    return ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn"), started)


def started() -> None:
    """In a worker: Ctrl-C is the parent's to answer, and without the parent there is nothing left to do."""
    keep_large_blocks()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
