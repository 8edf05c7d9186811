"""Answers as they are read: what makes no sense is left out, never a traceback; plain and augmented are one entry."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sslterm.runs import Run, files
from sslterm.runs.files import DamagedFile
from sslterm.tui.screens.evaluation import words
from sslterm.tui.screens.evaluation.answers import Answer, answer
from sslterm.tui.screens.evaluation.entries import grouped, over_epochs, place_of
from sslterm.tui.screens.evaluation.look import Answers, AnswersSeen
from sslterm.tui.widgets.reliability import Bin

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
SAID: dict[str, Any] = {
    "checkpoint": {"file": "probe-0007.pt", "sha256": "a", "stage": "probe", "epoch": 7},
    "protocol": "head",
    "tta": None,
    "split": "test",
    "n": 30,
    "classes": ["cat", "dog", "eel"],
    "metrics": {"top1": 0.5, "f1_macro": 0.4, "nll": 1.5, "ece": 0.1},
    "confusion": [[7, 3, 0], [1, 9, 0], [0, 1, 9]],
    "reliability": [
        {"confidence": 0.4, "accuracy": 0.5, "count": 10},
        {"confidence": 0.9, "accuracy": 0.6, "count": 20},
    ],
    "time": 1000.0,
}


def made(**other: Any) -> Answer:
    return answer({**SAID, **other}, Path("x.json"))


def of(file: str, epoch: int, **other: Any) -> Answer:
    return made(checkpoint={**SAID["checkpoint"], "file": file, "epoch": epoch}, **other)


FLIP = {"flip": True, "scales": []}


# ---------------------------------------------------------------- one answer


def test_a_recorded_answer_is_read_whole() -> None:
    for path in (RECORDED / "evaluations").glob("*.json"):
        one = answer(files.read_json(path), path)
        assert one.confusion is not None
        assert (one.confusion.shape, one.confusion.sum(), one.images) == ((10, 10), 359, 359)
        assert one.checkpoint == "supervised-0002"
        assert len(one.bins) == 15
        assert set(one.metrics) == {"top1", "top5", "precision_macro", "recall_macro", "f1_macro", "nll", "ece"}
        assert one.per_class.shape == (10, 3)
        assert one.support.sum() == 359


@pytest.mark.parametrize(
    "checkpoint", [None, {}, [], "x", {"file": ""}, {"file": None}, {"file": ["x"]}, {"file": "/"}]
)
def test_without_a_checkpoint_it_is_no_answer(checkpoint: Any) -> None:
    with pytest.raises(DamagedFile, match=r"x\.json: is no evaluation: it names no checkpoint"):
        made(checkpoint=checkpoint)


@pytest.mark.parametrize("key", [key for key in SAID if key != "checkpoint"])
@pytest.mark.parametrize(
    "value", [None, [], {}, "", "[red]x[/]", 7, -1, math.nan, math.inf, 10**400, True, [None], [[]], [{}], {"a": [1]}]
)
def test_whatever_else_is_wrong_is_left_out(key: str, value: Any) -> None:
    one = made(**{key: value})
    entry = grouped([one, made(tta=FLIP)])[0]
    assert len(one.per_class) == len(one.classes)
    assert one.confusion is None or one.confusion.shape == (len(one.classes),) * 2
    words.notes("run", entry, one)
    words.to_copy("run", entry)
    words.listed(entry, 0.0)
    words.class_scores(one)
    words.of_cell(one, 0, 1)
    words.of_class(one, 0)
    assert over_epochs([entry], entry)


def test_a_missing_key_is_no_harm() -> None:
    one = answer({"checkpoint": {"file": "epoch-0001.pt"}}, Path("x.json"))
    assert (one.protocol, one.split, one.how, one.classes, one.confusion, one.epoch) == (
        "?",
        "?",
        "plain",
        (),
        None,
        None,
    )
    assert words.notes("run", grouped([one])[0], one)


@pytest.mark.parametrize(
    "matrix",
    [
        [[1, 2], [3]], [[1.5, 2], [3, 4]], [[1, -1], [0, 1]], [["a", "b"], ["c", "d"]], [[1, 2, 3], [4, 5, 6]], [1, 2],
        [[1, 0], [0, 2**50]], [[1, 0], [0, 2**70]], [[True, False], [False, True]], [[[1]]], [[1]],
    ],
)  # fmt: skip
def test_a_matrix_that_is_no_square_of_counts_is_none(matrix: Any) -> None:
    assert made(confusion=matrix).confusion is None


def test_numbers_that_json_has_not_are_read_from_text() -> None:
    one = made(metrics={"top1": "nan", "nll": "inf", "ece": 0.5, "other": 1, "top5": "x", "f1_macro": None})
    assert math.isnan(one.metrics["top1"])
    assert one.metrics["nll"] == math.inf
    assert set(one.metrics) == {"top1", "nll", "ece"}


def test_what_single_classes_are_like_comes_out_of_the_matrix_if_nobody_says() -> None:
    one = made()
    assert one.per_class[0] == pytest.approx([7 / 8, 0.7, 14 / 18])
    assert one.support.tolist() == [10, 10, 10]
    said = [{"class": name, "precision": 0.1, "recall": 0.2, "f1": 0.3, "support": 4} for name in SAID["classes"]]
    assert made(per_class=said).per_class[0].tolist() == [0.1, 0.2, 0.3]
    assert made(per_class=said[:2]).per_class[0] == pytest.approx([7 / 8, 0.7, 14 / 18])
    assert np.isnan(made(per_class=said[:2], confusion=None).per_class).all()


def test_names_cannot_control_a_terminal() -> None:
    one = made(classes=["\x1b[2Jcat\x00", "a\nb", 7])
    assert one.classes == ("�[2Jcat�", "a b", "7")
    assert made(classes=None).classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("tta", "how"),
    [
        (None, "plain"), (FLIP, "flip"), ({"flip": True, "scales": [36, 40]}, "flip@36,40"), ("yes", "flip"),
        ({"scales": ["x"]}, "flip"), ([], "plain"),
    ],
)  # fmt: skip
def test_how_images_were_seen_is_a_word(tta: Any, how: str) -> None:
    assert made(tta=tta).how == how


# ---------------------------------------------------------------- entries


def test_plain_and_augmented_are_one_entry_and_the_newest_is_first() -> None:
    scaled = {"flip": True, "scales": [36]}
    entries = grouped(
        [
            of("b.pt", 2, time=50.0), of("a.pt", 1, tta=scaled, time=12.0), of("a.pt", 1, tta=FLIP, time=11.0),
            of("a.pt", 1, time=10.0), of("a.pt", 1, protocol="knn", time=60.0),
        ]
    )  # fmt: skip
    assert [entry.title for entry in entries] == ["a · knn · test", "b · head · test", "a · head · test"]
    assert [one.how for one in entries[2].answers] == ["plain", "flip", "flip@36"]
    assert (place_of(entries, "a.pt"), place_of(entries, "b"), place_of(entries, "c.pt")) == (0, 1, None)


def test_of_the_same_answer_twice_the_newer_counts() -> None:
    old, new = made(time=1.0, metrics={"top1": 0.1}), made(time=2.0, metrics={"top1": 0.2})
    (entry,) = grouped([new, old])
    assert entry.answers == (new,)


def test_answers_of_other_weights_or_devices_are_not_compared_and_their_names_tell() -> None:
    cpu, cuda = made(question={"device": "cpu"}), made(question={"device": "cuda"}, tta=FLIP)
    assert sorted(entry.title for entry in grouped([cpu, cuda])) == [
        "probe-0007 · head · test · cpu", "probe-0007 · head · test · cuda",
    ]  # fmt: skip


def test_the_worst_confusion_is_the_largest_share_beside_the_diagonal() -> None:
    assert grouped([made()])[0].worst == (0, 1)
    assert grouped([made(confusion=[[5, 0], [0, 5]], classes=["a", "b"])])[0].worst == (0, 0)
    assert grouped([made(confusion=None)])[0].worst == (0, 0)


def test_accuracy_over_checkpoints_is_of_one_stage_protocol_and_split() -> None:
    entries = grouped(
        [
            of("a.pt", 1, metrics={"top1": 0.1}), of("b.pt", 5, metrics={"top1": 0.5}),
            of("b.pt", 5, metrics={"top1": 0.6}, tta=FLIP), of("c.pt", 6, metrics={"top1": 0.9}, protocol="knn"),
            of("d.pt", 7, metrics={"top1": 0.9}, split="valid"), of("e.pt", 8, metrics={}),
        ]
    )  # fmt: skip
    head = entries[place_of(entries, "b") or 0]
    assert over_epochs(entries, head) == {"plain": ([1, 5], [0.1, 0.5]), "flip": ([5], [0.6])}


# ---------------------------------------------------------------- sentences


def test_a_cell_is_said_in_words() -> None:
    one = made(confusion=[[860, 140, 0], [0, 0, 0], [1, 0, 0]], n=1001)
    assert words.of_cell(one, 0, 1) == "140 of 1,000 images of cat were taken for dog (14 %)"
    assert words.of_cell(one, 0, 0) == "860 of 1,000 images of cat were recognised (86 %)"
    assert words.of_cell(one, 0, 2) == "none of 1,000 images of cat was taken for eel"
    assert words.of_cell(one, 1, 2) == "there is no image of dog in test"
    assert words.of_cell(one, 2, 0) == "1 of 1 images of eel was taken for cat (100 %)"
    assert words.of_class(one, 0) == "cat: precision .999, recall .860, F1 .924 · most confused with dog (14 %)"


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.001, "under 1 %"), (0.136, "14 %"), (0.999, "over 99 %"), (1, "100 %")]
)
def test_rare_is_not_never(share: float, said: str) -> None:
    assert words.per_cent(share) == said


def test_a_bin_is_said_in_words() -> None:
    bins = [Bin(0.25, 0.95, 1), Bin(0.8, 0.6, 1200)]
    assert words.of_bin(bins, 0).splitlines() == [
        "1 prediction with confidence .000 to .500", "95 % right at .250 on average: too modest by 70 points",
    ]  # fmt: skip
    assert "too sure by 20 points" in words.of_bin(bins, 1)
    assert words.of_bin([Bin(0, 0, 0)], 0) == "no prediction with confidence .000 to 1.00"
    assert words.of_bin(bins, 2) == ""


def test_figures_are_copied_as_text() -> None:
    text = words.to_copy("moco-a1", grouped([made(), made(tta=FLIP, metrics={"top1": 0.6, "nll": 1.4})])[0])
    assert text.startswith("moco-a1 · probe-0007 · head · test · 30 images\n")
    assert [line.split() for line in text.splitlines()[2:4]] == [
        ["plain", "flip", "diff"], ["top-1", ".5000", ".6000", "+.1000", "✓"],
    ]  # fmt: skip
    assert "eel" in text


# ---------------------------------------------------------------- looking


def test_only_files_that_changed_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    look = Answers(Run(tmp_path))
    whole = files.read_json

    def counted(path: Path) -> dict[str, Any]:
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(files, "read_json", counted)
    first = look()
    assert isinstance(first, AnswersSeen)
    assert (first.entries, first.wrong, first.gone) == ([], [], False)
    assert look() is None
    folder = tmp_path / "evaluations"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(SAID))
    (folder / "b.json").write_text("{damaged")
    (folder / ".half.json").write_text("{")
    seen = look()
    assert isinstance(seen, AnswersSeen)
    assert (seen.count, len(seen.wrong)) == (1, 1)
    assert look() is None
    (folder / "b.json").write_text(json.dumps({**SAID, "tta": FLIP}))
    seen = look()
    assert isinstance(seen, AnswersSeen)
    assert (seen.count, len(seen.entries), seen.wrong) == (2, 1, [])
    assert read == ["a.json", "b.json", "b.json"]


def test_a_run_that_is_gone_is_said_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    look = Answers(Run(run))
    assert look() is not None
    os.rmdir(run)
    seen = look()
    assert isinstance(seen, AnswersSeen)
    assert seen.gone
    assert look() is None
    run.mkdir()
    seen = look()
    assert isinstance(seen, AnswersSeen)
    assert not seen.gone
