"""Encoders that begin from weights of our own, and whose normalisation applies to a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sslterm import presets
from sslterm.data.dataset import Dataset
from sslterm.engine.checkpoint import DamagedCheckpoint, encoder_state, load
from sslterm.runs import RunError, RunNotFound, checkpoints, find

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation that torchvision's ImageNet weights were made with."""

EXPORTED, EXPORT_VERSION = "sslterm encoder", 1
"""What an encoder in a file of its own calls itself, and how it is made up: see `export`."""


@dataclass(frozen=True)
class Normalisation:
    """(x - mean) / std, for x in 0..1; one number a channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    of: str

    @classmethod
    def of_checkpoint(cls, state: dict[str, Any]) -> Normalisation:
        """The one that training used."""
        said = state["normalisation"]
        return cls(tuple(said["mean"]), tuple(said["std"]), said["of"])


def settled(preset: presets.Preset, runs_dir: Path) -> presets.Preset:
    """The same preset with `encoder.weights` as the checkpoint's own path: "last" or "best" may soon mean another one.

    Raises RunError, RunNotFound with a sentence.
    """
    weights = preset.encoder.weights
    if weights is None or weights == "imagenet":
        return preset
    encoder = preset.encoder.model_copy(update={"weights": str(_file(weights, runs_dir).resolve())})
    return preset.model_copy(update={"encoder": encoder})


def origin(weights: str | None, runs_dir: Path) -> dict[str, Any] | None:
    """The checkpoint that `encoder.weights` names: a file, or the best one of a run; or what `sslterm export` wrote, in
    the form of one. None for `imagenet` or nothing.

    Raises RunError, RunNotFound with a sentence.
    """
    if weights is None or weights == "imagenet":
        return None
    path = _file(weights, runs_dir)
    return exported(path) or load(path)


def _file(weights: str, runs_dir: Path) -> Path:
    try:
        if weights.endswith(".pt"):
            if not Path(weights).is_file():
                raise RunNotFound(f"{weights}: no such checkpoint")
            return Path(weights)
        run = find(weights, runs_dir)
        best = checkpoints.chosen(run, "best")[0]
    except RunNotFound as error:
        raise RunNotFound(f"encoder.weights: {error}") from None
    problem = checkpoints.damage(run, best)
    if problem:
        raise DamagedCheckpoint(f"encoder.weights: {problem}")
    return run.checkpoints / best.file


def exported(path: Path) -> dict[str, Any] | None:
    """What `sslterm export` wrote, in the form of a checkpoint, for encoders to begin with; None of any other file."""
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises a dozen kinds for a cut or foreign file; who reads it as a checkpoint names them
        return None
    if not isinstance(kept, dict) or (kept.get("kind"), kept.get("version")) != (EXPORTED, EXPORT_VERSION):
        return None
    method = {f"encoder.{name}": weight for name, weight in kept["state_dict"].items()}
    return {"method": method, "encoder": kept["encoder"], "normalisation": kept["normalisation"]}


def adopt(encoder: nn.Module, state: dict[str, Any], settings: presets.Encoder) -> None:
    """Load a checkpoint's encoder into one of the same kind. Raises RunError where they do not fit."""
    theirs = presets.Encoder.model_validate(state["encoder"])
    if theirs.network != settings.network:
        raise RunError(
            f"encoder.weights: the checkpoint holds {theirs.network}, the preset asks for {settings.network}; make them"
            " the same"
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
        return Normalisation.of_checkpoint(came_from)
    return Normalisation(dataset.mean, dataset.std, of=dataset.name)
