"""Every shipped preset loads and trains two steps of each stage, on images drawn instead of downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm import presets
from sslterm.engine.progress import Progress
from sslterm.engine.train import train
from sslterm.runs import metrics
from sslterm.runs.create import create

BATCH, SIDE = 16, 16


def shrunk(preset: presets.Preset) -> presets.Preset:
    """The same experiment on few small images. What the preset is about (method, views, optimizer) stays, but that few
    images make few clusters."""
    data = presets.Data(
        name="shapes", images=120, size=SIDE, valid=2 * BATCH, train=4 * BATCH, labeled=2 * BATCH, test=BATCH
    )
    stages = []
    for stage in preset.stage:
        views = stage.views.model_copy(update={"size": SIDE})
        method = {**stage.method, "clusters": BATCH} if "clusters" in stage.method else stage.method
        stages.append(
            stage.model_copy(
                update={"epochs": 1, "batch_size": BATCH, "views": views, "precision": "fp32", "method": method}
            )
        )
    encoder = preset.encoder.model_copy(update={"weights": None})
    return preset.model_copy(update={"data": data, "encoder": encoder, "stage": tuple(stages)})


@pytest.mark.parametrize("name", sorted(presets.shipped()))
def test_a_shipped_preset_trains_two_steps(name: str, runs_dir: Path, data_dir: Path) -> None:
    path = presets.shipped()[name]
    preset = shrunk(presets.load(path))
    run = create(runs_dir, preset, source=path, name=name)
    train(run, device="cpu", data_dir=data_dir, progress=Progress())
    assert run.status()["state"] == "finished"
    stages = {row["stage"] for row in metrics.read(run.metrics) if "train/loss" in row}
    assert stages == {stage.name for stage in preset.stage}
    assert metrics.read(run.metrics)[-1]["step"] >= 2 * len(preset.stage)
