"""Every method gets the same images and the same budget, and what it learned is asked of real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sslterm import methods, presets
from sslterm.bench import methods as bench_methods
from sslterm.bench.methods import Bench, Budget, experiment, measure, names, text
from sslterm.engine.check import check
from sslterm.engine.train import train
from sslterm.errors import UserError
from sslterm.runs.create import create

SMALL = Budget("shapes", images=640, epochs=1, fine_tune_epochs=1)


@pytest.mark.parametrize("name", names())
def test_each_gets_the_same_images_and_ends_with_the_same_fine_tuning(name: str) -> None:
    preset = presets.resolve(experiment(name, SMALL))
    check(preset, name)
    assert (preset.data.name, preset.data.train, preset.seed) == ("shapes", 640, 0)
    assert preset.stage[-1] == presets.resolve(experiment("simclr", SMALL)).stage[-1]
    assert preset.stage[-2].method["name"] == name
    assert [stage.epochs for stage in preset.stage[:-1]] == [1] * (len(preset.stage) - 1)


def test_all_methods_that_learn_without_labels_are_there() -> None:
    assert {"simclr", "rotation", "moco", "swav"} <= set(names()) <= set(methods.names()) - {"supervised", "tokenizer"}


@pytest.fixture
def bench(runs_dir: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Trains in this very process."""
    made = Bench(runs_dir, data_dir, "cpu", print)

    def command(_: Bench, word: str, path: str, *more: str) -> None:
        assert word == "run"
        preset = presets.load(Path(path))
        train(create(runs_dir, preset, source=Path(path), name=more[1]), device="cpu", data_dir=data_dir)

    monkeypatch.setattr(Bench, "_command", command)
    return made


def test_what_each_learned_and_took_stands_in_a_row(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    untrained, simclr = measure(["simclr"], SMALL, bench)
    assert (untrained.method, untrained.seconds, simclr.method, simclr.encoder) == ("untrained", 0.0, "simclr", "conv4")
    assert all(0 < top1 < 1 for row in (untrained, simclr) for top1 in (row.knn, row.linear, row.fine_tune))
    assert simclr.seconds * simclr.images_per_second == pytest.approx(512)
    assert simclr.memory > 100

    monkeypatch.setattr(Bench, "_command", lambda *_: pytest.fail("trained again"))
    assert list(measure(["simclr"], SMALL, bench)) == [untrained, simclr]
    lines = text([untrained, simclr], SMALL).splitlines()
    assert lines[1].split() == ["method", "encoder", "kNN", "linear", "fine-tune", "seconds", "images/s", "memory"]
    assert lines[3].split()[:3] == ["simclr", "conv4", f"{simclr.knn:.3f}"]
    json.dumps(bench_methods.as_json([simclr], SMALL))
    with pytest.raises(UserError, match="was made with another budget"):
        list(measure(["simclr"], Budget("shapes", 700, 1, 1), bench))
