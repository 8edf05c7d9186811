"""Columns say what the rows say, whatever became of their cache."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from sslterm.runs import columns
from sslterm.runs.columns import segment
from sslterm.runs.metrics import MetricsWriter, number, read

Found = dict[str, list[tuple[float, ...]]]


@pytest.fixture(autouse=True)
def _saved_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is small too, and often, so that small files do for tests."""
    monkeypatch.setattr(segment, "WORTH_SAVING", 1)
    monkeypatch.setattr(segment, "SAVE_EVERY", 3000)
    monkeypatch.setattr("sslterm.runs.tail.CHUNK", 1000)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one attempt: rows of steps, and of epochs with and without kNN."""
    (tmp_path / "run" / "metrics").mkdir(parents=True)
    write(tmp_path / "run", 1, range(100))
    return tmp_path / "run"


def row(step: int, value: float = 0.5) -> dict[str, Any]:
    made: dict[str, Any] = {"step": step, "stage": "pretrain", "epoch": step / 10, "time": 1e9 + step}
    if step % 10 == 9:
        made.update({"train/loss": value + step, "valid/top1": value})
        if step % 30 == 29:
            made["knn/top1"] = value - step
    else:
        made.update({"step/loss": value + step, "optimizer/lr": value})
    return made


def write(run: Path, attempt: int, steps: range, value: float = 0.5) -> None:
    with MetricsWriter(run / "metrics", attempt) as writer:
        for step in steps:
            writer.write(row(step, value))


def by_rows(run: Path) -> Found:
    """What the columns should be."""
    found: Found = {}
    for made in read(run / "metrics"):
        for name in sorted(made.keys() - {"step", "stage", "epoch", "time"}):
            value = number(made[name])
            if value is not None:
                place = (made["step"], made.get("epoch", math.nan), made.get("time", math.nan))
                found.setdefault(name, []).append((*place, value))
    return found


def said_by(found: columns.Columns) -> Found:
    said = {}
    for name in found.names():
        column = found.get(name)
        said[name] = list(zip(column.step, column.epoch, column.time, column.value, strict=True))
    return said


def by_columns(run: Path) -> Found:
    with columns.open(run) as found:
        return said_by(found)


def kept(run: Path) -> list[Path]:
    return sorted(path for path in (run / ".cache").rglob("*") if path.is_file() and path.name != "lock")


def parses(run: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many chunks opening parses."""
    calls, parse = [], segment.parse
    with monkeypatch.context() as patch:
        patch.setattr(segment, "parse", lambda lines: calls.append(1) or parse(lines))
        by_columns(run)
    return len(calls)


def test_say_what_the_rows_say(run: Path) -> None:
    assert by_columns(run) == by_rows(run)
    assert set(by_rows(run)) == {"train/loss", "valid/top1", "knn/top1", "step/loss", "optimizer/lr"}


def test_open_through_the_cache_parses_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parses(run, monkeypatch) > 5
    assert parses(run, monkeypatch) == 0
    assert by_columns(run) == by_rows(run)
    write(run, 1, range(100, 105))
    assert parses(run, monkeypatch) == 1
    assert by_columns(run) == by_rows(run)


def test_numpy_takes_a_column_without_a_copy(run: Path) -> None:
    value = columns.open(run).get("step/loss").value
    taken = numpy.asarray(value)
    assert taken.dtype == numpy.float64
    assert numpy.shares_memory(taken, numpy.frombuffer(value))
    assert not len(numpy.asarray(columns.open(run).get("no such metric").value))


def test_a_later_attempt_replaces_earlier_ones_from_its_first_step_on(run: Path) -> None:
    for attempt, steps in enumerate([range(50, 80), range(75, 120), range(60, 61), range(61, 200)], start=2):
        write(run, attempt, steps, value=attempt)
        for _ in range(2):
            assert by_columns(run) == by_rows(run)


def test_a_metric_that_was_replaced_everywhere_is_gone(run: Path) -> None:
    write(run, 2, range(5))
    assert columns.open(run).names() == ["optimizer/lr", "step/loss"]
    assert len(columns.open(run).get("train/loss")) == 0


def test_a_refresh_takes_in_what_is_new_and_leaves_views_alone(run: Path) -> None:
    found = columns.open(run)
    first = found.get("step/loss")
    before = list(first.value)
    assert not found.refresh()
    for attempt, begin in [(1, 100), (1, 130), (2, 90), (2, 150)]:
        write(run, attempt, range(begin, begin + 20), value=attempt)
        assert found.refresh()
        assert said_by(found) == by_rows(run)
    assert list(first.value) == before
    found.close()
    assert by_columns(run) == by_rows(run)


def test_numbers_that_are_none_are_kept(run: Path) -> None:
    with MetricsWriter(run / "metrics", 1) as writer:
        for value in (math.nan, math.inf, -math.inf, 1.0, 2):
            writer.write({"step": 100, "odd": value})
    for _ in range(2):
        value = columns.open(run).get("odd").value.tolist()
        assert math.isnan(value[0])
        assert value[1:] == [math.inf, -math.inf, 1.0, 2.0]


def test_odd_rows_are_understood_as_rows_are(run: Path) -> None:
    odd = [
        {"step": 100, "a": 1}, {"step": 101, "a": "text"}, {"step": 102, "a": 2}, {"step": 103, "a": None, "b": 1},
        {"step": 104, "a": 10**400}, {"step": 105, "a": True, "é\n/../\udc80": 4}, {"step": 106}, {"step": 107, "": 1},
        {"step": 108, "stage": 3, "epoch": "x", "time": None, "a": 1}, {"step": 109, "a": [1]}, {"step": 110, "b": 2},
    ]  # fmt: skip
    with (run / "metrics" / "0001.jsonl").open("a") as file:
        file.writelines(json.dumps(made) + "\n" for made in odd)
    for _ in range(2):
        found = columns.open(run)
        assert found.names() == sorted({*by_rows(run)})
        assert found.get("a").step.tolist() == [100, 102, 105, 108]
        assert found.get("b").value.tolist() == [1, 2]
        assert [math.isnan(value) for value in found.get("a").epoch] == [True] * 4


def test_any_mixture_of_metrics_is_told_apart(run: Path) -> None:
    chance, names = random.Random(0), [f"m{i}" for i in range(8)]
    found = columns.open(run)
    for begin in range(100, 1000, 100):
        with MetricsWriter(run / "metrics", 1) as writer:
            for step in range(begin, begin + 100):
                some = chance.sample(names, chance.randrange(len(names)))
                place = {"step": step, "epoch": 1.0, "time": 1.0}
                writer.write({**place, **{name: chance.random() for name in some}})
        found.refresh()
        found.get("m1")
    assert said_by(found) == by_rows(run)
    assert by_columns(run) == by_rows(run)


def test_steps_that_go_back_are_resolved_as_rows_are(run: Path) -> None:
    write(run, 1, range(40, 60), 7.0)
    write(run, 2, range(50, 60), 8.0)
    for _ in range(2):
        assert by_columns(run) == by_rows(run)


class TestTheCache:
    def test_may_be_deleted_at_any_time(self, run: Path) -> None:
        found = columns.open(run)
        shutil.rmtree(run / ".cache")
        assert said_by(found) == by_rows(run)
        write(run, 1, range(100, 200))
        found.refresh()
        found.close()
        assert said_by(found) == by_rows(run) == by_columns(run)

    def test_is_made_anew_where_a_file_was_cut(self, run: Path) -> None:
        by_columns(run)
        expected, whole = by_rows(run), {path: path.read_bytes() for path in kept(run)}
        assert len(whole) > 10
        for path, content in whole.items():
            for cut in sorted({0, 1, len(content) // 2, len(content) - 1}):
                path.write_bytes(content[:cut])
                assert by_columns(run) == expected, (path, cut)
                path.write_bytes(content)

    def test_is_made_anew_where_a_byte_is_another(self, run: Path) -> None:
        by_columns(run)
        expected, chance = by_rows(run), random.Random(0)
        for path in kept(run) * 5:
            content = bytearray(path.read_bytes())
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
            assert by_columns(run) == expected, path

    def test_a_damaged_file_that_is_found_late_does_no_harm(self, run: Path) -> None:
        by_columns(run)
        found = columns.open(run)
        for path in kept(run):
            if path.suffix == ".f64":
                path.write_bytes(b"\0" * path.stat().st_size)
        write(run, 1, range(100, 130))
        found.refresh()
        assert said_by(found) == by_rows(run)
        found.close()
        assert by_columns(run) == by_rows(run)

    @pytest.mark.parametrize("change", ["replaced", "written anew", "truncated", "deleted"])
    def test_is_not_used_for_another_file(self, run: Path, change: str) -> None:
        by_columns(run)
        found, path = columns.open(run), run / "metrics" / "0001.jsonl"
        other = path.read_bytes().replace(b"0.5", b"0.7")
        if change == "replaced":
            (run / "other").write_bytes(other)
            (run / "other").replace(path)
        elif change == "written anew":
            path.write_bytes(other)
        elif change == "truncated":
            os.truncate(path, 1000)
        else:
            path.unlink()
        assert by_columns(run) == by_rows(run)
        if change != "written anew":  # same file, same length: a reader that is there already cannot know
            assert found.refresh()
            assert said_by(found) == by_rows(run)

    def test_is_done_without_where_it_cannot_be_written(self, run: Path) -> None:
        (run / ".cache").write_text("in the way")
        assert by_columns(run) == by_rows(run)
        assert columns.open(run, run / "no" / "such" / "folder").names() == sorted(by_rows(run))
        assert not (run / "no").exists()

    def test_does_not_bring_back_a_run_that_was_deleted(self, run: Path) -> None:
        found = columns.open(run)
        write(run, 1, range(100, 200))
        found.refresh()
        shutil.rmtree(run)
        found.refresh()
        found.close()
        assert found.names() == []
        assert not run.exists()

    def test_two_readers_at_once_both_say_what_is(self, run: Path) -> None:
        shutil.rmtree(run / ".cache", ignore_errors=True)
        first, second = columns.open(run), columns.open(run)
        for begin in range(100, 400, 50):
            write(run, 1, range(begin, begin + 50))
            for found in (first, second) if begin % 100 else (second, first):
                found.refresh()
                found.close()
            assert by_columns(run) == by_rows(run)
        assert said_by(first) == said_by(second) == by_rows(run)

    def test_a_run_of_a_newer_version_keeps_its_cache(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(segment, "SCHEMA", 2)
        by_columns(run)
        monkeypatch.setattr(segment, "SCHEMA", 1)
        assert by_columns(run) == by_rows(run)

    @pytest.mark.parametrize("point", ["series:1", "series:7", "series:12", "series:30", "written:1", "renamed:2"])
    def test_a_kill_while_it_is_saved_leaves_none_that_is_wrong(self, run: Path, point: str) -> None:
        write(run, 1, range(100, 300))
        script = (
            "import sys, pathlib\nfrom sslterm.runs import columns, tail\nfrom sslterm.runs.columns import segment\n"
            "segment.WORTH_SAVING, segment.SAVE_EVERY, tail.CHUNK = 1, 3000, 1000\n"
            "columns.open(pathlib.Path(sys.argv[1]))"
        )
        environment = {**os.environ, "SSLTERM_CRASH_AT": f"columns.{point}"}
        assert subprocess.run([sys.executable, "-c", script, str(run)], env=environment).returncode == -9
        for _ in range(2):
            assert by_columns(run) == by_rows(run)
