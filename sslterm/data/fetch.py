"""Downloading the well-known data sets: torchvision knows their addresses, mirrors and checksums.

Archives that were placed by hand are unpacked the same way, without network.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from sslterm.data import catalog
from sslterm.data.cache import Bars, locked, writable_home

TORCHVISION = {
    "cifar10": "CIFAR10", "cifar100": "CIFAR100", "mnist": "MNIST", "fashion_mnist": "FashionMNIST", "stl10": "STL10",
}  # fmt: skip
PATIENCE = 30.0
"""Seconds a silent server is waited for."""


def fetch(name: str, data_dir: Path, progress: bool | Bars = True) -> None:
    """Downloads and unpacks a data set below `data_dir`, where it is not there yet; those made by code always are.

    Shows torchvision's bar on stderr. Raises DataError that says which file goes where.
    """
    if catalog.unpacked(name, data_dir) or name not in TORCHVISION:
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with locked(writable_home(data_dir) / f"{name}.lock"), _patient(), _telling(progress):
            if catalog.unpacked(name, data_dir):
                return  # another process fetched it while we waited
            from torchvision import datasets

            parts = {"split": "train"} if name == "stl10" else {"train": True}
            getattr(datasets, TORCHVISION[name])(str(data_dir), download=True, **parts)
    except (OSError, RuntimeError, EOFError, ValueError, tarfile.TarError, zlib.error, http.client.HTTPException) as e:
        raise catalog.missing(name, data_dir, _why(e)) from e


def _why(error: Exception) -> str:
    words = " ".join(str(getattr(error, "reason", None) or error).split())
    return (words[:117] + "..." if len(words) > 120 else words) or type(error).__name__


@contextlib.contextmanager
def _patient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _telling(progress: bool | Bars) -> Iterator[None]:
    """Standard output is for data; the bar goes to stderr, and only where someone looks."""
    quiet = not (progress is True and sys.stderr.isatty())
    stderr = io.StringIO() if quiet else sys.stderr
    with contextlib.redirect_stdout(stderr), contextlib.redirect_stderr(stderr):
        yield
