"""Mistakes: images that an evaluation took for something else, the most confident first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from sslterm.data.dataset import Dataset
from sslterm.data.open import open_dataset
from sslterm.engine import predictions
from sslterm.engine.pictures.evaluation import Asked
from sslterm.engine.pictures.images import pixels
from sslterm.engine.pictures.sheet import Row, Sheet, Tile
from sslterm.engine.predictions import Predictions
from sslterm.engine.stage import largest_view
from sslterm.errors import UsageError
from sslterm.presets import nearest
from sslterm.runs import Run, RunError, RunNotFound
from sslterm.runs.summary import table

IN_A_ROW = 6


class UnknownClass(UsageError):
    """A class that the data do not have."""


def sheet(run: Run, evaluation: dict[str, Any], path: Path, asked: Asked, data_dir: Path) -> Sheet:
    """Of the predictions at `path`, those that were asked for. Raises RunNotFound where there is none, RunError where
    the images are no longer those that were evaluated, UnknownClass, DataError, DamagedPredictions."""
    preset = run.preset()
    data = preset.data.model_copy(update={"workers": 0})  # a few images repay no processes that decode them
    dataset = open_dataset(data, largest_view(preset), data_dir)
    if table(evaluation, "question").get("data") != dataset.fingerprint:
        raise RunError(
            f"{run.path}: the images of {dataset.name} are not those that were evaluated; bring them back as they were"
        )
    said = predictions.read(path)
    rows = _ranked(said, dataset, asked)
    where = f"{evaluation['checkpoint']['file']} · {asked.split} · {evaluation['protocol']}"
    where += " with flip" if asked.tta else ""
    if not len(rows):
        raise RunNotFound(f"{run.path}: {where}: no {_which(asked)} to show")
    shown = rows[: asked.count]
    looks = pixels(dataset, said.index[shown])
    tiles = [_tile(said, row, look, dataset.classes) for row, look in zip(shown.tolist(), looks, strict=True)]
    title = f"{where} · {_which(asked)}: the {len(tiles)} most confident of {len(rows):,}"
    starts = range(0, len(tiles), IN_A_ROW)
    return Sheet(title, tuple(_row(tiles[start : start + IN_A_ROW], start) for start in starts))


def _ranked(said: Predictions, dataset: Dataset, asked: Asked) -> Tensor:
    """The int64 rows of the predictions that were asked for, the most confident first, of equals the first image."""
    told_right = asked.truth is not None and asked.truth == asked.guess
    wanted = (said.guess == said.truth) if told_right else (said.guess != said.truth)
    for option, name, column in (("--truth", asked.truth, said.truth), ("--guess", asked.guess, said.guess)):
        if name is not None:
            wanted &= column == _number(option, name, dataset.classes)
    rows = wanted.nonzero()[:, 0]
    return rows[said.confidence[rows].argsort(descending=True, stable=True)]


def _number(option: str, name: str, classes: tuple[str, ...]) -> int:
    if name not in classes:
        raise UnknownClass(f"{option} {name}: no such class{nearest(name, classes)}")
    return classes.index(name)


def _which(asked: Asked) -> str:
    """What the images have in common: `cat taken for dog`."""
    if asked.truth is None and asked.guess is None:
        return "mistakes"
    if asked.truth == asked.guess:
        return f"{asked.truth} told right"
    return f"{asked.truth or 'others'} taken for {asked.guess or 'others'}"


def _tile(said: Predictions, row: int, look: Tensor, classes: tuple[str, ...]) -> Tile:
    truth, guess = int(said.truth[row]), int(said.guess[row])
    taken = "" if truth == guess else f" taken for {classes[guess]}"
    words = f"{classes[truth]}{taken} {float(said.confidence[row]):.1%}"
    return Tile(look, words, int(said.index[row]), truth == guess)


def _row(tiles: list[Tile], start: int) -> Row:
    return Row(f"{start + 1} to {start + len(tiles)}", tuple(tiles))
