"""Which images of the data set are train, valid, test, labeled and unlabeled: drawn once, then kept in the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslterm.runs import Run, RunError, files

NAMES = ("train", "valid", "test", "labeled", "unlabeled")


def keep(run: Run, parts: dict[str, Tensor]) -> None:
    """Write the int64 indices of each part to the run. Raises OSError."""
    arrays: dict[str, Any] = {name: indices.numpy() for name, indices in parts.items()}
    files.write_whole(run.splits, lambda file: np.savez(file, **arrays))


def kept(run: Run) -> dict[str, Tensor]:
    """The indices that a run keeps. Raises RunError where they cannot be read."""
    try:
        with run.splits.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in NAMES}
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a cut file
        reason = str(error).split("\n")[0] or type(error).__name__
        raise RunError(f"{run.splits}: cannot be read ({reason}), so nobody knows which images were for what") from None
