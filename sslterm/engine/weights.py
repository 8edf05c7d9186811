"""Encoders that begin from weights of our own, and whose normalisation applies to a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from sslterm import presets
from sslterm.data.dataset import Dataset
from sslterm.engine.checkpoint import encoder_state, load, open_checkpoint
from sslterm.runs import RunError, RunNotFound, checkpoints, find

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation that torchvision's ImageNet weights were made with."""


@dataclass(frozen=True)
class Normalisation:
    """(x - mean) / std, for x in 0..1; one number a channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    of: str


def origin(weights: str | None, runs_dir: Path) -> dict[str, Any] | None:
    """The checkpoint that `encoder.weights` names: a file, or the best one of a run. None for `imagenet` or nothing.

    Raises RunError, RunNotFound with a sentence.
    """
    if weights is None or weights == "imagenet":
        return None
    if weights.endswith(".pt"):
        return load(Path(weights))
    try:
        run = find(weights, runs_dir)
        return open_checkpoint(run, checkpoints.chosen(run, "best")[-1])
    except RunNotFound as error:
        raise RunNotFound(f"encoder.weights: {error}") from None


def adopt(encoder: nn.Module, state: dict[str, Any], settings: presets.Encoder) -> None:
    """Load a checkpoint's encoder into one of the same kind. Raises RunError where they do not fit."""
    theirs = state["encoder"]
    if (theirs["name"], theirs["stem"]) != (settings.name, settings.stem):
        raise RunError(
            f"encoder.weights: the checkpoint holds {theirs['name']} with the {theirs['stem']} stem,"
            f" the preset asks for {settings.name} with the {settings.stem} stem; make them the same"
        )
    try:
        encoder.load_state_dict(encoder_state(state))
    except RuntimeError as error:
        raise RunError(f"encoder.weights: do not fit the encoder ({str(error).splitlines()[-1].strip()})") from None


def normalisation(preset: presets.Preset, dataset: Dataset, came_from: dict[str, Any] | None) -> Normalisation:
    """The data set's own, or that of the weights the encoder begins with, as `data.normalise` says."""
    if preset.data.normalise == "weights" and preset.encoder.weights == "imagenet":
        return Normalisation(*IMAGENET, of="imagenet")
    if preset.data.normalise == "weights" and came_from:
        theirs = came_from["normalisation"]
        return Normalisation(tuple(theirs["mean"]), tuple(theirs["std"]), theirs["of"])
    return Normalisation(dataset.mean, dataset.std, of=dataset.name)
