"""From `[data]` to a data set that can be trained on: found or fetched, then cached or streamed."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

from sslterm.data import arrays, catalog, folders
from sslterm.data.cache import Bars, open_cache
from sslterm.data.catalog import DataError
from sslterm.data.dataset import Dataset, MemoryDataset
from sslterm.data.fetch import fetch
from sslterm.data.folders import Folder
from sslterm.data.source import Drawn, Source
from sslterm.data.streaming import stream
from sslterm.presets import Data


def open_dataset(settings: Data, view_size: int | None, data_dir: Path, progress: bool | Bars = True) -> Dataset:
    """The data set that `[data]` names: downloaded, decoded and cached where that has not been done.

    `view_size`: side of the views in pixels, at which the images of a folder are kept unless `data.size` says
    otherwise. `progress`: show bars on stderr, if that is a terminal; or what to tell instead. Raises DataError.
    """
    source = find(settings, data_dir, progress)
    size = settings.size or _natural_size(source, view_size)
    if isinstance(source, Folder) and _streams(settings, source, size):
        return stream(source, size, settings.workers, data_dir, progress)
    cached = open_cache(source, size, data_dir, progress)
    meta = cached.meta
    return MemoryDataset(
        settings.name, tuple(meta["classes"]), torch.from_numpy(cached.labels), meta["first_test"],
        len(meta["mean"]), size, tuple(meta["mean"]), tuple(meta["std"]), meta["fingerprint"],
        torch.from_numpy(cached.images),
    )  # fmt: skip


def find(settings: Data, data_dir: Path, progress: bool | Bars) -> Source:
    """Where the images come from; well-known data sets are downloaded first. Raises DataError."""
    known = catalog.known(settings.name)
    if settings.name == "shapes":
        return Drawn(settings.images or 10_000, settings.size or 32)
    if settings.name == "digits":
        return arrays.digits()
    if settings.name == "image_folder":
        if not settings.folder:
            raise DataError('is missing; say which folder holds the images, as in folder = "photos"', "data.folder")
        return folders.open_folder("image_folder", data_dir / Path(settings.folder).expanduser())
    if catalog.has_class_folders(settings.name, data_dir):
        return folders.open_folder(settings.name, data_dir / settings.name, known.channels, known.size)
    fetch(settings.name, data_dir, progress)
    return arrays.of_files(settings.name, data_dir)


def _natural_size(source: Source, view_size: int | None) -> int:
    if isinstance(source, Folder) and source.name == "image_folder" and view_size:
        return view_size
    if source.size is None:
        raise DataError("the images of this folder differ in size; say at which side they are kept", "data.size")
    return source.size


def _streams(settings: Data, folder: Folder, size: int) -> bool:
    """Whether images are decoded while training: when told to, or when they would fill half of the free memory."""
    if settings.stream != "auto":
        return settings.stream == "always"
    return len(folder.files) * folder.channels * size**2 > psutil.virtual_memory().available // 2
