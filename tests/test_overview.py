"""Runs as text."""

from __future__ import annotations

from typing import Any

from sslterm import overview
from sslterm.runs.summary import BLANK


def row(name: str = "a", **more: Any) -> dict[str, Any]:
    known = {
        "state": "running", "method": "simclr", "data": "cifar10", "stage": "pretrain", "epoch": 3, "epochs": 200,
        "best_metric": "knn/top1", "best_value": 0.5, "metrics": {"train/loss": 2.0}, "images_per_second": 1234.0,
        "left": 4000.0, "device": "cuda:0", "tags": ["x"], "note": "the note",
    }  # fmt: skip
    return {**BLANK, "name": name, **known, **more}


def test_a_line_says_all_that_a_run_is() -> None:
    head, line = overview.runs([row()]).splitlines()
    assert " ".join(head.split()) == "state name method data stage epoch best last images/s left device note"
    said = "● running a simclr cifar10 pretrain 3/200 kNN 0.500 loss 2.000 1,234 67m cuda:0 #x the note"
    assert " ".join(line.split()) == said


def test_speed_and_time_left_are_of_runs_that_train() -> None:
    text = overview.runs([row(state="finished")])
    assert "1,234" not in text
    assert "67m" not in text


def test_what_tells_least_goes_first_where_a_line_has_no_room() -> None:
    rows = [row(), row("another-name-that-is-rather-long", state="finished")]
    for width in (200, 100, 80, 60, 40, 20):
        lines = overview.runs(rows, width).splitlines()
        assert max(map(len, lines)) <= width
        assert lines[1].startswith("● running")
    assert "another-name-that-is-rather-long" in overview.runs(rows, 60)


def test_nothing_of_a_run_can_control_the_terminal() -> None:
    text = overview.runs([row("\x1b[31m", note="\x07", data="\x1b]0;x\x07", method="\r")])
    assert not set(text) & set("\x1b\x07\r")


def test_a_run_of_which_nothing_is_known_has_a_line() -> None:
    text = overview.runs([{**BLANK, "name": "x", "reason": "run.json: not JSON"}])
    assert text.splitlines()[1].split() == ["!", "corrupt", "x"]
    assert "corrupt" in overview.run(
        {**BLANK, "name": "x", "info": {}, "environment": [], "checkpoints": [], "evaluations": []}
    )
