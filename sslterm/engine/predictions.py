"""What was predicted of each image of an evaluation: a small file beside its answer.

Shapes: N images, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from sslterm.runs import RunError


class DamagedPredictions(RunError):
    """A file of predictions that cannot be read."""


@dataclass(frozen=True)
class Predictions:
    """One row an image."""

    index: Tensor
    """int64 (N,): which images of the data set these are."""
    truth: Tensor
    """int64 (N,): their classes."""
    guess: Tensor
    """int64 (N,): what they were taken for; of equals the first class, as accuracy counts."""
    confidence: Tensor
    """float32 (N,): the guess's probability."""


KINDS = {"index": np.int32, "truth": np.int32, "guess": np.int32, "confidence": np.float32}


def of(probabilities: Tensor, labels: Tensor, indices: Tensor) -> Predictions:
    """float (N, K) whose rows sum to 1, int64 (N,) and int64 (N,)."""
    probabilities = probabilities.detach().cpu()
    guess = probabilities.argmax(dim=1)
    confidence = probabilities.gather(1, guess[:, None])[:, 0].float()
    return Predictions(indices.cpu(), labels.cpu(), guess, confidence)


def writer(predictions: Predictions) -> Callable[[BinaryIO], object]:
    """What writes them to a file: 10,000 images take some 60 kB."""
    arrays = {name: getattr(predictions, name).numpy().astype(kind) for name, kind in KINDS.items()}
    return lambda file: np.savez_compressed(file, **arrays)


def read(path: Path) -> Predictions:
    """Those in a file. Raises DamagedPredictions."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            columns = {name: torch.from_numpy(arrays[name]) for name in KINDS}
        lengths = {tuple(column.shape) for column in columns.values()}
        if len(lengths) != 1 or columns["index"].ndim != 1:
            raise ValueError("its columns do not belong together")
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a cut file
        reason = str(error).split("\n")[0] or type(error).__name__
        raise DamagedPredictions(f"{path}: cannot be read ({reason})") from None
    return Predictions(*(columns[name] if name == "confidence" else columns[name].long() for name in KINDS))
