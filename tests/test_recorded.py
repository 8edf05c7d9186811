"""A run that an earlier version of this program wrote must stay readable, and resumable, for every later one.

tests/recorded/schema-1 was written by `sslterm run` and `sslterm eval` of version 0.1.0. It is never changed; a new
schema gets a directory of its own beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sslterm.engine.evaluate import Question, evaluate
from sslterm.engine.train import train
from sslterm.runs import Run, checkpoints, columns, evaluations, metrics, state
from sslterm.runs.filters import Filter
from sslterm.runs.summary import summary

RECORDED = sorted((Path(__file__).parent / "recorded").iterdir())


@pytest.fixture(params=RECORDED, ids=lambda path: path.name)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(request.param, tmp_path / "recorded")))


def test_it_is_read_whole(run: Run) -> None:
    assert state.of(run).word == "finished"
    row = summary(run)
    said = {
        key: row[key] for key in ("method", "data", "encoder", "stage", "epoch", "epochs", "note", "tags", "preset")
    }
    assert said == {
        "method": "supervised", "data": "digits", "encoder": "conv4", "stage": "supervised", "epoch": 2, "epochs": 2,
        "note": "kept so that later versions must read it", "tags": ["schema-1"], "preset": "tiny",
    }  # fmt: skip
    assert row["best_metric"] == "valid/top1"
    assert row["best_value"] == pytest.approx(0.95)
    assert [(c.file, checkpoints.damage(run, c)) for c in checkpoints.listed(run)] == [("supervised-0002.pt", None)]
    assert len(metrics.column(metrics.read(run.metrics), "train/loss")) == 2
    with columns.open(run.path) as found:
        assert len(found.get("valid/top1")) == 2
    assert [answer["metrics"]["top1"] > 0.8 for answer in evaluations.listed(run)] == [True, True]
    assert Filter("tag:schema-1 cfg.optimizer.lr=0.05 metric.valid>0.9").fits(row)


def bars(title: str, total: int) -> Callable[[int], object]:
    return lambda more: None


def test_it_is_evaluated_to_the_same_answer_and_resumed(run: Run, data_dir: Path) -> None:
    before = next(answer for answer in evaluations.listed(run) if answer["tta"] is None)
    shutil.rmtree(run.evaluations)
    run.evaluations.mkdir()
    (asked,) = evaluate(run, "last", Question(), device="cpu", data_dir=data_dir, say=print, progress=bars)
    assert asked[0]["metrics"]["top1"] == pytest.approx(before["metrics"]["top1"], abs=0.003)
    train(run, device="cpu", data_dir=data_dir, more_epochs=1)
    assert checkpoints.listed(run)[-1].file == "supervised-0003.pt"
    assert [row["step"] for row in metrics.read(run.metrics)] == sorted(
        row["step"] for row in metrics.read(run.metrics)
    )
