"""Metrics survive torn lines, and a later attempt replaces what it repeats."""

from __future__ import annotations

import json
import math
from pathlib import Path

from sslterm.runs.metrics import MetricsWriter, column, read


def write(folder: Path, attempt: int, steps: list[int], value: float) -> None:
    with MetricsWriter(folder, attempt) as writer:
        for step in steps:
            writer.write({"step": step, "train/loss": value})


def test_rows_read_back_in_order(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 3], 0.5)
    assert column(read(tmp_path), "train/loss") == [(1, 0.5), (2, 0.5), (3, 0.5)]


def test_a_later_attempt_replaces_the_steps_it_repeats(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 3, 4], 0.5)
    write(tmp_path, 2, [3, 4, 5], 0.25)
    assert column(read(tmp_path), "train/loss") == [(1, 0.5), (2, 0.5), (3, 0.25), (4, 0.25), (5, 0.25)]


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2], 0.5)
    path = tmp_path / "0001.jsonl"
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        assert complete <= len(read(tmp_path)) <= complete + 1


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "0001.jsonl").write_bytes(b'garbage\n[1]\n{"step": "x"}\n\xff\xfe\n{"step": 7, "a": 1}\n')
    assert read(tmp_path) == [{"step": 7, "a": 1}]


def test_a_loss_that_is_no_number_is_valid_json(tmp_path: Path) -> None:
    write(tmp_path, 1, [1], math.nan)
    line = (tmp_path / "0001.jsonl").read_text()
    assert json.loads(line, parse_constant=lambda word: word)["train/loss"] == "nan"
    assert math.isnan(column(read(tmp_path), "train/loss")[0][1])
