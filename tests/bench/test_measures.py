"""Each benchmark runs, small, and says what it promised to say; how fast is not asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm import presets
from sslterm.bench import forecast, knn, loader, startup, step, store, views
from sslterm.bench.report import Report

SMALL = """
title = "Small"
seed = 0
epochs = 3
batch_size = 32
method = { name = "simclr" }
[data]
name = "digits"
[encoder]
name = "conv4"
"""


@pytest.fixture(scope="module")
def small() -> presets.Preset:
    return presets.resolve(presets.read(SMALL, "small"), "small")


def ratios(report: Report) -> dict[str, float]:
    return {figure.name: held.value for figure in report.figures if (held := report.ratio(figure.name))}


def test_views_are_held_against_torchvision() -> None:
    found = ratios(views.measure(size=8, batch=16, rounds=2))
    assert {"sslterm, beside torchvision v1, PIL", "sslterm, beside torchvision v2, tensor"} <= set(found)
    assert all(value > 0 for value in found.values())


def test_a_whole_step_is_held_against_the_bare_model(small: presets.Preset, data_dir: Path) -> None:
    report = step.measure(small, "cpu", data_dir, rounds=2, steps=1)
    assert set(ratios(report)) == {step.WHOLE}
    assert "GFLOP/s" in report.figures[0].note
    assert "synchronisations per step" in report.notes[0]


def test_a_bare_step_is_held_against_what_torch_does_unasked(small: presets.Preset, data_dir: Path) -> None:
    report = step.measure(small, "cpu", data_dir, rounds=2, steps=1, also=["fp32"])
    assert report.pairs == {step.BARE: step.UNASKED, step.WHOLE: step.BARE}
    stage = step.unasked(small, step.pick_device("cpu"), data_dir, 0)
    assert stage.precision.name == "fp32"
    weights = [weight for weight in stage.method.parameters() if weight.ndim == 4]
    assert weights
    assert all(weight.is_contiguous() for weight in weights)


def test_a_compiled_step_says_what_compiling_took(
    small: presets.Preset, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslterm.engine.compiling.how", lambda _: {"backend": "aot_eager"})
    report = step.measure(small, "cpu", data_dir, rounds=2, steps=1, also=["compiled"])
    assert set(ratios(report)) == {step.COMPILED, step.WHOLE}
    (note,) = (figure.note for figure in report.figures if figure.name == step.COMPILED)
    assert note.startswith("compiled in ")


def test_a_bare_step_learns_from_the_batch_that_lies_ready(small: presets.Preset, data_dir: Path) -> None:
    stage = step.prepared(small, step.pick_device("cpu"), data_dir)
    stage.schedule.set(stage.optimizer, 1.0)
    bare = step.Bare(stage)
    losses = [float(bare.step()) for _ in range(8)]
    assert losses[-1] < losses[0]


def test_operations_are_those_of_the_layers(small: presets.Preset, data_dir: Path) -> None:
    bare = step.Bare(step.prepared(small, step.pick_device("cpu"), data_dir))
    once, twice = bare.operations(), bare.operations()
    assert once == twice > 0


def test_reading_metrics_is_held_against_plain_json() -> None:
    assert set(ratios(store.measure(count=300, metrics=2, rounds=2))) == {"first opening", "opened again"}


def test_streaming_is_held_against_the_decoders() -> None:
    found = ratios(loader.measure(images=24, side=16, batch=8, rounds=2, workers=1))
    assert set(found) == {"streamed batches", "batches from memory"}


def test_neighbours_are_held_against_the_products() -> None:
    assert set(ratios(knn.measure("cpu", bank=300, queries=40, features=8, rounds=2))) == {knn.KNN}


def test_starting_is_held_against_an_import() -> None:
    assert set(ratios(startup.measure(rounds=2, steps=False))) == {"sslterm --help", "sslterm ls"}


def test_a_forecast_counts_every_step_and_look(small: presets.Preset, data_dir: Path) -> None:
    report = forecast.measure(small, "cpu", data_dir)
    stage = step.prepared(small, step.pick_device("cpu"), data_dir)
    assert f"3 epochs of {stage.steps} steps" in report.figures[0].note
    assert "the whole preset takes about" in report.notes[-1]
