"""A small run on digits, and how its pictures are asked for and looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from sslterm import presets
from sslterm.data.open import open_dataset
from sslterm.engine.evaluate import Question, evaluate
from sslterm.engine.pictures import asking
from sslterm.runs import Run, pictures
from sslterm.runs.create import create

SMALL: dict[str, Any] = {
    "batch_size": 64,
    "precision": "fp32",
    "data": {"name": "digits", "valid": 100},
    "encoder": {"name": "conv4"},
    "monitor": {"every": 0},
    "views": {"crop": "padded", "padding": 1, "flip": 0.5},
    "stage": [
        {"name": "pretrain", "epochs": 1, "method": {"name": "simclr"}},
        {"name": "probe", "epochs": 1, "method": {"name": "supervised"}, "optimizer": {"name": "adam", "lr": 5e-3}},
    ],
}


def preset(**changes: Any) -> presets.Preset:
    return presets.resolve({**SMALL, **changes})


def made(folder: Path, preset: presets.Preset, name: str = "a") -> Run:
    source = folder / "source.toml"
    source.write_text("")
    return create(folder / "runs", preset, source=source, name=name)


def bars(title: str, total: int) -> Callable[[int], object]:
    return lambda more: None


def evaluated(run: Run, data_dir: Path, wanted: str = "best", **question: Any) -> list[dict[str, Any]]:
    return next(evaluate(run, wanted, Question(**question), device="cpu", data_dir=data_dir, say=print, progress=bars))


def alike(run: Run, data_dir: Path, *of: int, wanted: str = "best", count: int = 4, **more: Any) -> pictures.Answer:
    where = {"device": "cpu", "data_dir": data_dir, "say": print, "progress": bars}
    return asking.neighbours(run, wanted, of, count, **where, **more)


def tiles(answer: pictures.Answer) -> list[dict[str, Any]]:
    return [tile for row in answer["rows"] for tile in row["tiles"]]


def seen(answer: pictures.Answer, tile: dict[str, Any]) -> np.ndarray:
    """What lies at the place of a tile."""
    with Image.open(answer["sheet"]) as sheet:
        left, top = tile["x"], tile["y"]
        return np.asarray(sheet.crop((left, top, left + tile["width"], top + tile["height"])))


def pixels(data_dir: Path, image: int) -> np.ndarray:
    """A digit as a tile shows it: four times as large, in three channels."""
    dataset = open_dataset(preset().data, None, data_dir)
    look = next(iter(dataset.batches([torch.tensor([image])], torch.device("cpu"))))[0, 0].numpy()
    return np.repeat(np.kron(look, np.ones((4, 4), np.uint8))[:, :, None], 3, axis=2)
