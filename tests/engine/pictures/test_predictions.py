"""Predictions of single images: they add up to the answer, and no answer points at nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictured import evaluated, preset

from sslterm.data.open import open_dataset
from sslterm.engine import parts, predictions
from sslterm.engine.pictures import asking
from sslterm.engine.pictures.evaluation import Asked
from sslterm.runs import Run, RunNotFound, evaluations, files


def test_they_add_up_to_the_answer(trained: Run, data_dir: Path) -> None:
    answer = evaluated(trained, data_dir)[0]
    path = evaluations.predictions(trained, answer)
    assert path
    said = predictions.read(path)
    dataset = open_dataset(preset().data, None, data_dir)
    assert said.index.tolist() == parts.kept(trained, dataset)["test"].tolist()
    assert (said.truth == dataset.labels[said.index]).all()
    matrix = torch.zeros(10, 10, dtype=torch.int64)
    matrix.index_put_((said.truth, said.guess), torch.tensor(1), accumulate=True)
    assert matrix.tolist() == answer["confusion"]
    right = float((said.truth == said.guess).double().mean())
    assert right == pytest.approx(answer["metrics"]["top1"])
    bins = sum(one["confidence"] * one["count"] for one in answer["reliability"])
    assert float(said.confidence.double().sum()) == pytest.approx(bins, rel=1e-5)


def test_no_answer_points_at_nothing(run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.write_json

    def full(path: Path, value: Any, lasting: bool = True) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(files, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        evaluated(run, data_dir, protocol="knn")
    assert [answer["protocol"] for answer in evaluations.listed(run)] == ["head"]
    monkeypatch.setattr(files, "write_json", whole)
    assert evaluations.predictions(run, evaluated(run, data_dir, protocol="knn")[0])


@pytest.mark.parametrize("damage", ["cut", "gone", "older"])
def test_an_answer_without_them_is_worked_out_again(run: Run, data_dir: Path, damage: str) -> None:
    first = evaluated(run, data_dir)[0]
    (path,) = run.evaluations.glob("*.npz")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "gone":
        path.unlink()
    else:
        (kept,) = run.evaluations.glob("*.json")
        files.write_json(kept, {key: value for key, value in first.items() if key != "predictions"})
    with pytest.raises(RunNotFound, match=r"tells of no single image .* sslterm eval .*/a --checkpoint probe-0001.pt$"):
        asking.mistakes(run, Asked(), data_dir)
    again = evaluated(run, data_dir)[0]
    assert again["metrics"] == first["metrics"]
    assert again["time"] != first["time"]
    assert asking.mistakes(run, Asked(count=3), data_dir)["kind"] == "mistakes"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nonsense", None])
def test_a_foreign_file_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.npz"
    if content is None:
        np.savez(path, index=np.array([{"a": 1}], dtype=object))
    else:
        path.write_bytes(content)
    with pytest.raises(predictions.DamagedPredictions, match=r"a\.npz: cannot be read"):
        predictions.read(path)
