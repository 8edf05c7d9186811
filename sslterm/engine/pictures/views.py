"""Views: what the first stage of a preset makes of a few images, before any training.

The images are those that training begins with, and what changes them is the code that training uses.
Shapes: n images, C channels, S side in pixels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from sslterm import methods, presets
from sslterm.data.dataset import Dataset
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.engine import chance, parts
from sslterm.engine.pictures.images import called, pixels
from sslterm.engine.pictures.sheet import Row, Sheet, Tile
from sslterm.engine.stage import largest_view, train_views
from sslterm.engine.weights import Normalisation
from sslterm.runs import Run, RunError

AS_THEY_ARE = Normalisation((0.0,), (1.0,), of="nothing")
"""(x - 0) / 1: what was never normalised need not be brought back."""


def opened(preset: presets.Preset, data_dir: Path) -> Dataset:
    """The data of a preset. A few images repay no processes that decode them. Raises DataError."""
    return open_dataset(preset.data.model_copy(update={"workers": 0}), largest_view(preset), data_dir)


def divided(preset: presets.Preset, dataset: Dataset, run: Run | None = None) -> dict[str, Tensor]:
    """Which images are what: as the run keeps it, else as training would draw it. Raises DataError, RunError."""
    if run is not None:
        return parts.kept(run, dataset)
    return split(preset.data, dataset.labels, dataset.first_test, preset.seed)


def sheet(preset: presets.Preset, dataset: Dataset, parts: dict[str, Tensor], count: int) -> Sheet:
    """`count` images, each as it is and in every view of the method; in its one view twice, for one alone would not
    show what is random in it. Raises PresetError, ViewError, RunError."""
    stage = preset.stage[0]
    knobs, problems = methods.settings(stage.method, f"stage.{stage.name}.method")
    if knobs is None:
        raise presets.PresetError("preset", problems)
    views = train_views(preset, 0, dataset, AS_THEY_ARE)
    kinds = len(views)
    indices = _first_images(preset, dataset, parts)[:count]
    images = pixels(dataset, indices)
    draw = chance.generator(preset.seed, "views", 0, 0, 0)
    looks = [images, *(_shown(view(images, draw)) for view in (views * 2 if kinds == 1 else views))]
    words = ["as it is", *(["view", "again"] if kinds == 1 else [f"view {which + 1}" for which in range(kinds)])]
    rows = [
        Row(
            called(dataset, image),
            tuple(Tile(look[place], word, image) for look, word in zip(looks, words, strict=True)),
        )
        for place, image in enumerate(indices.tolist())
    ]
    what = "the view drawn twice" if kinds == 1 else f"{kinds} views of each"
    name = preset.title or stage.method["name"]
    return Sheet(f"{name} · stage {stage.name} · {len(rows)} images, {what}", tuple(rows))


def _first_images(preset: presets.Preset, dataset: Dataset, parts: dict[str, Tensor]) -> Tensor:
    """The int64 indices of what the first stage trains on, in the order of its first epoch. Raises RunError."""
    stage = preset.stage[0]
    indices = parts[stage.part]
    if methods.find(stage.method["name"]).uses_labels:
        indices = indices[dataset.labels[indices] >= 0]
    if not len(indices):
        raise RunError(f"stage.{stage.name}.part: {stage.part!r} holds no image of {dataset.name} that it could use")
    return chance.shuffled(indices, preset.seed, "order", 0, 0)


def _shown(views: Tensor) -> Tensor:
    """float (n, C, S, S) of 0..1 -> uint8."""
    return views.mul(255).round_().clamp_(0, 255).to(torch.uint8)
