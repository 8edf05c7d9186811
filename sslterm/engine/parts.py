"""Which images of the data set are train, valid, test, labeled and unlabeled: drawn once, then kept in the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslterm.data.dataset import Dataset
from sslterm.runs import Run, RunError, files

NAMES = ("train", "valid", "test", "labeled", "unlabeled")


class DamagedSplits(RunError):
    """Splits that cannot be read."""


def keep(run: Run, parts: dict[str, Tensor], dataset: Dataset) -> None:
    """Write the int64 indices of each part to the run, and of which images they are. Raises OSError."""
    arrays: dict[str, Any] = {name: indices.numpy() for name, indices in parts.items()}
    arrays["fingerprint"] = np.array(dataset.fingerprint)
    files.write_whole(run.splits, lambda file: np.savez(file, **arrays))


def kept(run: Run, dataset: Dataset) -> dict[str, Tensor]:
    """The indices that a run keeps.

    Raises DamagedSplits where they cannot be read, RunError where the images are no longer the same: then an index
    means another image, and what was kept for testing could be trained on.
    """
    try:
        with run.splits.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            parts, drawn_for = {name: torch.from_numpy(arrays[name]) for name in NAMES}, str(arrays["fingerprint"])
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a cut file
        reason = str(error).split("\n")[0] or type(error).__name__
        raise DamagedSplits(
            f"{run.splits}: cannot be read ({reason}), so nobody knows which images were for what"
        ) from None
    if drawn_for != dataset.fingerprint:
        raise RunError(
            f"{run.path}: the images of {dataset.name} are not those that its splits were drawn for; bring them back as"
            " they were, or start a new run"
        )
    return parts
