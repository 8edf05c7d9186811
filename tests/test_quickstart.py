"""What the quickstart promises: shapes cannot be told apart by an untrained encoder, and can after it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from sslterm import presets
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.data.views import PlainView
from sslterm.engine.features import extract
from sslterm.engine.knn import knn_top1
from sslterm.engine.progress import Progress
from sslterm.engine.train import train
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.runs import checkpoints
from sslterm.runs.create import create

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["resnet18", "tinyvgg-a", "tinyvgg-bn", "conv4"])
@pytest.mark.slow
def test_an_untrained_encoder_knows_little_of_shapes(name: str, data_dir: Path) -> None:
    torch.manual_seed(0)
    settings = presets.Encoder.model_validate({"name": name})
    encoder = build_encoder(settings, input_channels(settings, 3))
    data = presets.Data(name="shapes", images=1000)
    dataset = open_dataset(data, None, data_dir)
    parts = split(data, dataset.labels, dataset.first_test, 0)
    view = PlainView(presets.Views(), dataset.mean, dataset.std, 3, dataset.size)
    bank, queries = (extract(encoder, dataset, parts[part], view, CPU) for part in ("train", "test"))
    labels = dataset.labels
    assert knn_top1(bank, labels[parts["train"]], queries, labels[parts["test"]], 10) <= 0.40


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is not None, reason="tests/tui/test_end_to_end.py asserts it, in a terminal")
def test_after_the_quickstart_it_knows_them(runs_dir: Path, data_dir: Path) -> None:
    path = presets.find("quickstart")
    preset = presets.load(path)
    pretraining = preset.model_copy(update={"stage": preset.stage[:1]})
    run = create(runs_dir, pretraining, source=path)
    train(run, device="cpu", data_dir=data_dir, progress=Progress())
    assert checkpoints.listed(run)[-1].metrics["knn/top1"] >= 0.85
