"""Text for terminals."""

from __future__ import annotations

from typing import Any

import pytest

from sslterm import tables


@pytest.mark.parametrize("text", ["\x1b[2J\x1b[H", "a\rb", "bell\x07", "\u202eright to left", "tab\there", "\x9b31m"])
def test_nothing_printed_from_a_file_can_control_the_terminal(text: str) -> None:
    shown = tables.safe(text)
    assert not set(shown) & set("\x1b\r\x07\u202e\t\x9b")
    assert len(shown) == len(text)


def test_lines_and_letters_of_all_scripts_stay() -> None:
    assert tables.safe("kNN 0.81\ntop-1 · 画像 – é") == "kNN 0.81\ntop-1 · 画像 – é"


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    assert tables.table(["name", "images"], [["a", 5], ["long name", 12345]], right="images") == (
        "name       images\na               5\nlong name   12345"
    )


def answer(top1: float, tta: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "checkpoint": {"file": "probe-0004.pt", "stage": "probe", "epoch": 4},
        "protocol": "head",
        "tta": tta,
        "split": "test",
        "n": 4,
        "classes": ["cat", "dog"],
        "metrics": {"top1": top1, "f1_macro": 0.5, "nll": 0.7, "ece": 0.1},
        "per_class": [
            {"class": name, "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2} for name in ("cat", "dog")
        ],
        "confusion": [[1, 1], [1, 1]],
    }


def test_an_evaluation_sets_every_version_beside_the_plain_one() -> None:
    flip = {"flip": True, "scales": []}
    scaled = {"flip": True, "scales": [36, 40]}
    text = tables.evaluation([answer(0.5), answer(0.6, flip), answer(0.75, scaled)])
    lines = text.splitlines()
    assert lines[0] == "probe-0004.pt · test, 4 images · head"
    assert lines[2].split() == ["plain", "flip", "flip@36,40", "diff"]
    assert lines[3].split() == ["top-1", "0.5000", "0.6000", "0.7500", "+0.2500"]
    assert "dog (50%)" in next(line for line in lines if line.startswith("cat"))


def test_checkpoints_stand_one_a_line() -> None:
    text = tables.over_checkpoints([[answer(0.5)], [answer(0.6)]])
    assert text.splitlines()[0].split() == ["checkpoint", "stage", "epoch", "protocol", "top-1", "F1", "NLL", "ECE"]
    assert len(text.splitlines()) == 3
