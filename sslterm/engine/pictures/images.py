"""Single images of a data set: their pixels, and what they are called."""

from __future__ import annotations

import torch
from torch import Tensor

from sslterm.data.dataset import Dataset


def pixels(dataset: Dataset, indices: Tensor) -> Tensor:
    """uint8 (n, C, S, S) on the CPU, of the images at int64 (n,)."""
    return next(iter(dataset.batches([indices], torch.device("cpu"))))


def class_of(dataset: Dataset, index: int) -> str | None:
    """The name of an image's class; None where it has no label."""
    label = int(dataset.labels[index])
    return dataset.classes[label] if label >= 0 else None


def called(dataset: Dataset, index: int) -> str:
    """`cat · image 4021`, by the number that `--of` takes."""
    name = class_of(dataset, index)
    return f"image {index}" if name is None else f"{name} · image {index}"
