"""Evaluation: right answers, kept, and seen as training saw its images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sslterm import presets
from sslterm.data.open import open_dataset
from sslterm.engine import parts
from sslterm.engine.checkpoint import DamagedCheckpoint, open_checkpoint
from sslterm.engine.evaluate import Question, evaluate
from sslterm.engine.progress import Progress
from sslterm.engine.stage import build_method, facts_of
from sslterm.engine.train import train
from sslterm.engine.weights import Normalisation
from sslterm.runs import Run, RunError, RunNotFound, checkpoints, evaluations
from sslterm.runs.create import create


def quiet(title: str, total: int) -> Callable[[int], object]:
    return lambda done: None


def ask(run: Run, data_dir: Path, wanted: str = "best", **question: Any) -> list[list[dict[str, Any]]]:
    asked = Question(**question)
    return list(evaluate(run, wanted, asked, device="cpu", data_dir=data_dir, say=lambda text: None, progress=quiet))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Run:
    """Pretrained two epochs, probed four."""
    folder = tmp_path_factory.mktemp("runs")
    source = folder / "small.toml"
    source.write_text(
        """
        batch_size = 64
        precision = "fp32"
        data = { name = "digits", valid = 100 }
        encoder = { name = "conv4" }
        monitor = { every = 0 }
        views = { crop = "padded", padding = 1 }
        [[stage]]
        name = "pretrain"
        epochs = 2
        method = { name = "simclr" }
        optimizer = { name = "adam", lr = 1e-3 }
        [[stage]]
        name = "probe"
        epochs = 4
        method = { name = "supervised" }
        optimizer = { name = "adam", lr = 5e-3 }
        """
    )
    made = create(folder, presets.load(source), source=source, name="a")
    train(made, device="cpu", data_dir=data_dir, progress=Progress())
    return made


def test_the_head_is_asked_where_there_is_one_else_a_linear_probe(run: Run, data_dir: Path) -> None:
    assert ask(run, data_dir)[0][0]["protocol"] == "head"
    assert ask(run, data_dir, "pretrain-2")[0][0]["protocol"] == "linear"


def test_top1_is_what_a_loop_over_the_images_counts(run: Run, data_dir: Path) -> None:
    answer = ask(run, data_dir)[0][0]
    state = open_checkpoint(run, checkpoints.chosen(run, "best")[0])
    dataset = open_dataset(run.preset().data, None, data_dir)
    method = build_method(run.preset(), 1, facts_of(run.preset(), 1, dataset, 9, Normalisation.of_checkpoint(state)))
    method.load_state_dict(state["method"])
    method.eval()
    mean, std = (torch.tensor(state["normalisation"][key]).view(-1, 1, 1) for key in ("mean", "std"))
    test = parts.kept(run, dataset)["test"]
    right = 0
    for index in test:
        image = next(iter(dataset.batches([index[None]], torch.device("cpu"))))[0]
        with torch.no_grad():
            logits = method.classify(((image / 255 - mean) / std)[None])
        assert logits is not None
        right += int(logits.argmax() == dataset.labels[index])
    assert answer["n"] == len(test) == 359
    assert answer["metrics"]["top1"] == pytest.approx(right / len(test))


def test_flip_is_the_mean_of_both_softmaxes(run: Run, data_dir: Path) -> None:
    plain, flipped = ask(run, data_dir, tta=True)[0]
    assert plain["tta"] is None
    assert flipped["tta"] == {"flip": True, "scales": []}
    state = open_checkpoint(run, checkpoints.chosen(run, "best")[0])
    dataset = open_dataset(run.preset().data, None, data_dir)
    method = build_method(run.preset(), 1, facts_of(run.preset(), 1, dataset, 9, Normalisation.of_checkpoint(state)))
    method.load_state_dict(state["method"])
    mean, std = (torch.tensor(state["normalisation"][key]).view(-1, 1, 1) for key in ("mean", "std"))
    test = parts.kept(run, dataset)["test"]
    images = (next(iter(dataset.batches([test], torch.device("cpu")))) / 255 - mean) / std
    method.eval()
    with torch.no_grad():
        both = [method.classify(version) for version in (images, images.flip(-1))]
    probabilities = sum(logits.softmax(1) for logits in both if logits is not None) / 2
    assert isinstance(probabilities, torch.Tensor)
    expected = (probabilities.argmax(1) == dataset.labels[test]).float().mean().item()
    assert flipped["metrics"]["top1"] == pytest.approx(expected)


def test_scales_are_part_of_the_question(run: Run, data_dir: Path) -> None:
    _, scaled = ask(run, data_dir, scales=(8, 10))[0]
    assert scaled["tta"] == {"flip": True, "scales": [8, 10]}
    assert scaled["metrics"] != ask(run, data_dir)[0][0]["metrics"]


@pytest.mark.parametrize("protocol", ["head", "knn", "linear"])
def test_an_answer_has_every_key_and_learned_something(run: Run, data_dir: Path, protocol: str) -> None:
    answer = ask(run, data_dir, protocol=protocol)[0][0]
    assert {
        "run",
        "checkpoint",
        "protocol",
        "tta",
        "split",
        "n",
        "classes",
        "metrics",
        "per_class",
        "confusion",
    } <= set(answer)
    assert set(answer["checkpoint"]) == {"file", "sha256", "stage", "epoch"}
    assert {"top1", "top5", "precision_macro", "recall_macro", "f1_macro", "nll", "ece"} == set(answer["metrics"])
    assert answer["metrics"]["top1"] > 0.6  # ten classes: a guess is right in 0.1
    assert sum(map(sum, answer["confusion"])) == answer["n"]


def test_the_same_question_is_not_worked_out_twice(run: Run, data_dir: Path) -> None:
    first = ask(run, data_dir, protocol="knn", split="valid")[0][0]
    assert ask(run, data_dir, protocol="knn", split="valid")[0][0]["time"] == first["time"]
    assert first["n"] == 100
    kept = [a for a in evaluations.listed(run) if a["split"] == "valid" and a["protocol"] == "knn"]
    assert len(kept) == 1


def test_a_damaged_answer_is_worked_out_again(run: Run, data_dir: Path) -> None:
    first = ask(run, data_dir, "pretrain-2", protocol="knn")[0][0]
    for path in run.evaluations.glob("pretrain-0002-knn-*.json"):
        path.write_text("{")
    again = ask(run, data_dir, "pretrain-2", protocol="knn")[0][0]
    assert again["metrics"] == first["metrics"]
    assert again["time"] != first["time"]


def test_all_checkpoints_are_asked_in_order(run: Run, data_dir: Path) -> None:
    answers = ask(run, data_dir, "all", protocol="knn")
    assert [a[0]["checkpoint"]["file"] for a in answers] == [c.file for c in checkpoints.listed(run)]


def test_a_checkpoint_given_by_path_may_lie_anywhere(run: Run, data_dir: Path, tmp_path: Path) -> None:
    inside = run.checkpoints / "probe-0004.pt"
    outside = tmp_path / "copy.pt"
    outside.write_bytes(inside.read_bytes())
    answers = [ask(run, data_dir, str(path), protocol="knn")[0][0]["metrics"] for path in (inside, outside)]
    assert answers[0] == answers[1]


def test_a_head_that_is_not_there_is_a_sentence(run: Run, data_dir: Path) -> None:
    with pytest.raises(RunError, match=r"pretrain-0002\.pt \(simclr\) has no classifier; use --protocol linear or knn"):
        ask(run, data_dir, "pretrain-2", protocol="head")


def test_an_unknown_checkpoint_is_not_found(run: Run, data_dir: Path) -> None:
    with pytest.raises(RunNotFound, match="no checkpoint '99'"):
        ask(run, data_dir, "99")


def test_a_cut_checkpoint_is_a_sentence(run: Run, data_dir: Path, tmp_path: Path) -> None:
    path = run.checkpoints / "probe-0004.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    try:
        with pytest.raises(DamagedCheckpoint, match=r"damaged: 1,000 of"):
            ask(run, data_dir, "probe-4", protocol="linear")
    finally:
        path.write_bytes(whole)


def test_a_run_without_valid_images_still_has_a_linear_answer(tmp_path: Path, data_dir: Path) -> None:
    source = tmp_path / "small.toml"
    source.write_text(
        """
        epochs = 1
        data = { name = "digits", valid = 0 }
        encoder = { name = "conv4" }
        method = { name = "rotation" }
        """
    )
    made = create(tmp_path, presets.load(source), source=source, name="b")
    train(made, device="cpu", data_dir=data_dir, progress=Progress())
    answer = ask(made, data_dir)[0][0]
    assert answer["protocol"] == "linear"
    assert answer["metrics"]["top1"] > 0.5
    with pytest.raises(RunError, match="has no labelled valid images"):
        ask(made, data_dir, split="valid")
