"""A stage before its first step, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sslterm import presets
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.engine.device import Precision
from sslterm.engine.stage import StageInTraining, Subject
from sslterm.engine.weights import Normalisation


def in_training(written: dict[str, Any], data_dir: Path, index: int = 0) -> StageInTraining:
    """A stage of a preset, in fp32 on the CPU."""
    preset = presets.resolve(written)
    dataset = open_dataset(preset.data, None, data_dir)
    divided = split(preset.data, dataset.labels, dataset.first_test, 0)
    normal = Normalisation(dataset.mean, dataset.std, "shapes")
    subject = Subject(dataset, divided, normal, torch.device("cpu"))
    return StageInTraining(preset, index, subject, Precision("fp32", "test"))
