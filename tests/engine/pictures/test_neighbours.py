"""Neighbours: the nearest by cosine, as a loop over all images finds them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pictured import alike, preset, tiles

from sslterm.data.open import open_dataset
from sslterm.engine import parts
from sslterm.engine.checkpoint import encoder_state, load
from sslterm.engine.pictures import neighbours
from sslterm.errors import UsageError
from sslterm.models.encoders import build_encoder
from sslterm.runs import Run, RunError


def test_they_are_the_nearest_by_cosine(run: Run, data_dir: Path) -> None:
    dataset = open_dataset(preset().data, None, data_dir)
    divided = parts.kept(run, dataset)
    image = int(divided["test"][3])
    answer = alike(run, data_dir, image, image)
    (row,) = answer["rows"]
    first, *near = row["tiles"]
    assert (first["image"], first["right"]) == (image, None)
    network = _encoder(run)
    query = network(_input(run, dataset, image))
    cosines = {
        int(other): float(F.cosine_similarity(network(_input(run, dataset, int(other))), query))
        for other in divided["train"]
    }
    best = sorted(cosines, key=cosines.__getitem__, reverse=True)[:4]
    assert [tile["image"] for tile in near] == best
    for tile in near:
        label = int(dataset.labels[tile["image"]])
        assert tile["caption"] == f"{label} {cosines[tile['image']]:.3f}"
        assert tile["right"] == (label == int(dataset.labels[image]))
    assert answer["title"] == f"probe-0001.pt · nearest by cosine among all {len(divided['train']):,} train images"


def test_no_image_is_its_own_neighbour(run: Run, data_dir: Path) -> None:
    dataset = open_dataset(preset().data, None, data_dir)
    image = int(parts.kept(run, dataset)["train"][0])
    assert image not in [tile["image"] for tile in alike(run, data_dir, image)["rows"][0]["tiles"][1:]]


def test_a_large_bank_is_drawn_from_and_says_so(run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BANK", 50)
    answer = alike(run, data_dir, count=50)
    assert "among 50 of 1,338 train images, drawn by seed" in answer["title"]
    assert len(answer["rows"]) == 8
    assert {len(row["tiles"]) for row in answer["rows"]} == {50}  # each with 49, for one could be itself


def test_any_checkpoint_can_be_asked_one_at_a_path_too(run: Run, data_dir: Path, tmp_path: Path) -> None:
    outside = Path(shutil.copy(run.checkpoints / "pretrain-0001.pt", tmp_path / "copy.pt"))
    best, inside, elsewhere = (
        [(tile["image"], tile["caption"]) for tile in tiles(alike(run, data_dir, 5, wanted=wanted))]
        for wanted in ("best", "pretrain-1", str(outside))
    )
    assert best != inside == elsewhere


def test_what_cannot_be_is_a_sentence(run: Run, data_dir: Path) -> None:
    with pytest.raises(UsageError, match="--of 1797: digits has images 0 to 1796"):
        alike(run, data_dir, 1797)
    with pytest.raises(RunError, match="not finite numbers; choose an earlier checkpoint"):
        neighbours.nearest(torch.full((3, 2), torch.nan), torch.arange(3), torch.ones(1, 2), torch.tensor([7]), 2)


def _encoder(run: Run) -> torch.nn.Module:
    network = build_encoder(run.preset().encoder, 1)
    network.load_state_dict(encoder_state(load(run.checkpoints / "probe-0001.pt")))
    return network.eval().requires_grad_(False)


def _input(run: Run, dataset: Any, image: int) -> torch.Tensor:
    look = next(iter(dataset.batches([torch.tensor([image])], torch.device("cpu"))))
    return (look / 255 - dataset.mean[0]) / dataset.std[0]
