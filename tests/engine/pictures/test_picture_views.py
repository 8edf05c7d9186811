"""Views: the images that training begins with, as the code of training changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictured import pixels, preset, seen, tiles
from PIL import Image

from sslterm import presets
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.data.views import TrainView
from sslterm.engine import chance
from sslterm.engine.device import Precision
from sslterm.engine.pictures import asking
from sslterm.engine.stage import StageInTraining, Subject
from sslterm.engine.step import epoch_order
from sslterm.engine.weights import Normalisation
from sslterm.runs import Run, RunError


def drawn_parts(dataset: Any) -> dict[str, torch.Tensor]:
    return split(preset().data, dataset.labels, dataset.first_test, preset().seed)


def test_they_begin_with_the_images_that_training_begins_with(tmp_path: Path, data_dir: Path) -> None:
    answer = asking.views_of_preset(preset(), tmp_path, 5, data_dir)
    assert answer["kind"] == "views"
    assert answer["title"] == "simclr · stage pretrain · 5 images, 2 views of each"
    dataset = open_dataset(preset().data, None, data_dir)
    divided = drawn_parts(dataset)
    subject = Subject(dataset, divided, Normalisation(dataset.mean, dataset.std, ""), torch.device("cpu"))
    stage = StageInTraining(preset(), 0, subject, Precision("fp32", ""))
    first = stage.indices[epoch_order(stage)[0][:5]]
    assert [row["tiles"][0]["image"] for row in answer["rows"]] == first.tolist()
    assert [tile["caption"] for tile in answer["rows"][0]["tiles"]] == ["as it is", "view 1", "view 2"]


def test_they_are_what_the_code_of_training_makes_of_them(tmp_path: Path, data_dir: Path) -> None:
    answer = asking.views_of_preset(preset(), tmp_path, 6, data_dir)
    dataset = open_dataset(preset().data, None, data_dir)
    order = torch.tensor([row["tiles"][0]["image"] for row in answer["rows"]])
    images = next(iter(dataset.batches([order], torch.device("cpu"))))
    recipe = preset().stage[0].views
    views = [TrainView(recipe.recipe(which), dataset.mean, dataset.std, 1, 8) for which in (0, 1)]
    draw = chance.generator(0, "views", 0, 0, 0)
    for which, view in enumerate(views):
        back = view(images, draw) * dataset.std[0] + dataset.mean[0]
        for row, look in zip(answer["rows"], back, strict=True):
            shown = seen(answer, row["tiles"][1 + which])[::4, ::4, 0] / 255
            np.testing.assert_allclose(shown, look[0].numpy(), atol=1 / 255)
    assert (seen(answer, answer["rows"][0]["tiles"][0]) == pixels(data_dir, int(order[0]))).all()


def test_the_same_preset_gives_the_same_sheet_another_seed_another(tmp_path: Path, data_dir: Path) -> None:
    first, again, other = (
        Path(asking.views_of_preset(preset(seed=seed), tmp_path / folder, 4, data_dir)["sheet"]).read_bytes()
        for seed, folder in ((0, "a"), (0, "b"), (1, "c"))
    )
    assert first == again != other


def test_a_method_of_one_view_shows_it_twice_and_only_what_it_may_see(tmp_path: Path, data_dir: Path) -> None:
    alone = presets.resolve(
        {"data": {"name": "digits", "labeled": 20}, "part": "labeled", "method": {"name": "supervised"},
         "encoder": {"name": "conv4"}, "views": {"crop": "padded", "padding": 2}}
    )  # fmt: skip
    answer = asking.views_of_preset(alone, tmp_path, 50, data_dir)
    assert [tile["caption"] for tile in answer["rows"][0]["tiles"]] == ["as it is", "view", "again"]
    assert len(answer["rows"]) == 20
    assert any((seen(answer, row["tiles"][1]) != seen(answer, row["tiles"][2])).any() for row in answer["rows"])


def test_a_run_shows_its_own_images_before_and_after_training(run: Run, data_dir: Path) -> None:
    after = asking.views_of_run(run, 3, data_dir)
    run.splits.unlink()
    before = asking.views_of_run(run, 3, data_dir)
    assert after["rows"] == before["rows"]
    assert Path(before["sheet"]).parent == run.path / "pictures"


def test_the_images_need_no_names(tmp_path: Path, data_dir: Path) -> None:
    folder = data_dir / "plain"
    folder.mkdir(exist_ok=True)
    for number in range(40):
        Image.fromarray(np.full((300, 300, 3), number * 6, np.uint8)).save(folder / f"{number}.png")
    unnamed = presets.resolve(
        {"data": {"name": "image_folder", "folder": "plain", "size": 300}, "encoder": {"name": "resnet18"},
         "method": {"name": "byol"}}
    )  # fmt: skip
    answer = asking.views_of_preset(unnamed, tmp_path, 2, data_dir)
    assert answer["rows"][0]["caption"].startswith("image ")
    assert {tile["width"] for tile in tiles(answer)} == {224}


def test_what_cannot_be_is_a_sentence(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(presets.PresetError, match="queeu: no such setting; did you mean queue"):
        asking.views_of_preset(
            presets.resolve({"method": {"name": "moco", "queeu": 3}, "data": {"name": "digits"}}),
            tmp_path, 4, data_dir,
        )  # fmt: skip
    nobody = {"data": {"name": "digits", "labeled": 0}, "part": "labeled", "method": {"name": "simclr"}}
    with pytest.raises(RunError, match="'labeled' holds no image of digits"):
        asking.views_of_preset(presets.resolve(nobody), tmp_path, 4, data_dir)
