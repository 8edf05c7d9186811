"""Metrics survive torn lines and full disks, and a later attempt replaces what it repeats."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import metrics
from sslterm.runs.metrics import MetricsReader, MetricsWriter, column, number, read


def write(folder: Path, attempt: int, steps: list[int], value: float) -> None:
    with MetricsWriter(folder, attempt) as writer:
        for step in steps:
            writer.write({"step": step, "train/loss": value})


def steps(rows: list[dict[str, Any]]) -> list[int]:
    return [row["step"] for row in rows]


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


@contextmanager
def disk_of(size: int) -> Iterator[Callable[[int], None]]:
    """No file may grow beyond `size`, as on a full disk; calling what is given sets another size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    limit(size)
    try:
        yield limit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_rows_read_back_in_order(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 3], 0.5)
    assert column(read(tmp_path), "train/loss") == [(1, 0.5), (2, 0.5), (3, 0.5)]


def test_a_later_attempt_replaces_the_steps_it_repeats(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 3, 4], 0.5)
    write(tmp_path, 2, [3, 4, 5], 0.25)
    assert column(read(tmp_path), "train/loss") == [(1, 0.5), (2, 0.5), (3, 0.25), (4, 0.25), (5, 0.25)]


def test_attempts_are_in_order_of_their_numbers(tmp_path: Path) -> None:
    write(tmp_path, 9999, [1, 2], 0.5)
    write(tmp_path, 10000, [2], 0.25)
    assert column(read(tmp_path), "train/loss") == [(1, 0.5), (2, 0.25)]


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2], 0.5)
    path = tmp_path / "0001.jsonl"
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert steps(read(tmp_path)) == [1, 2][: whole[:cut].count(b"\n")]


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    lines = [b"garbage", b"[1]", b'{"step": "x"}', b"\xff\xfe", b'{"step": 1e400}', b'{"step": true}', b"", b"[" * 9999]
    lines += [b'{"step": 1' + b"0" * 400 + b"}", b'{"step": 3, "a": [1', b'{"step": 7, "a": 1}', b"1, 2"]
    (tmp_path / "0001.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert read(tmp_path) == [{"step": 7, "a": 1}]


def test_no_damage_to_a_segment_raises(tmp_path: Path) -> None:
    write(tmp_path, 1, list(range(20)), 0.5)
    path, chance = tmp_path / "0001.jsonl", random.Random(0)
    whole = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        column(read(tmp_path), "train/loss")


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "0001.jsonl").mkdir()
    os.mkfifo(tmp_path / "0002.jsonl")
    (tmp_path / "0003.jsonl").symlink_to("nowhere")
    write(tmp_path, 4, [1], 0.5)
    assert steps(read(tmp_path)) == [1]
    assert read(tmp_path / "missing") == []


def test_a_loss_that_is_no_number_is_valid_json(tmp_path: Path) -> None:
    write(tmp_path, 1, [1], math.nan)
    line = (tmp_path / "0001.jsonl").read_text()
    assert json.loads(line, parse_constant=lambda word: word)["train/loss"] == "nan"
    assert math.isnan(column(read(tmp_path), "train/loss")[0][1])


def test_a_value_that_is_no_number_is_in_no_column(tmp_path: Path) -> None:
    values = ["-inf", "infinity", "pretrain", None, [1], {}, 10**400, True, 2]
    assert [number(value) for value in values] == [-math.inf, None, None, None, None, None, None, 1.0, 2.0]


class TestAppending:
    def test_begins_a_line_of_its_own_after_a_torn_one(self, tmp_path: Path) -> None:
        (tmp_path / "0001.jsonl").write_bytes(b'{"step":1}\n{"step":')
        write(tmp_path, 1, [2], 0.5)
        assert steps(read(tmp_path)) == [1, 2]

    def test_a_disk_that_is_full_at_any_byte_loses_no_row(self, tmp_path: Path) -> None:
        write(tmp_path, 1, list(range(5)), 0.5)
        whole = (tmp_path / "0001.jsonl").read_bytes()
        for size in range(len(whole)):
            folder = tmp_path / str(size)
            folder.mkdir()
            with disk_of(size) as limit, MetricsWriter(folder, 1) as writer:
                for step in range(4):
                    writer.write({"step": step, "train/loss": 0.5})
                assert (writer.trouble is None) == (size >= whole.index(b'{"step":4'))
                assert steps(read(folder)) == list(range(min(4, whole[:size].count(b"\n"))))
                limit(len(whole))
                writer.write({"step": 4, "train/loss": 0.5})
                assert writer.trouble is None
            assert (folder / "0001.jsonl").read_bytes() == whole

    def test_trouble_is_a_sentence_with_the_file_and_the_reason(self, tmp_path: Path) -> None:
        with disk_of(5), MetricsWriter(tmp_path, 1) as writer:
            writer.write({"step": 1})
            writer.write({"step": 2})
            said = "(File too large); rows waiting in memory for room on the disk: 2"
            assert writer.trouble == f"{tmp_path}/0001.jsonl: metrics cannot be written {said}"
        with disk_of(5):
            writer = MetricsWriter(tmp_path, 2)
            writer.write({"step": 1})
            writer.close()
        assert (writer.trouble or "").endswith("metrics cannot be written (File too large); rows lost: 1")

    def test_closing_tries_once_more(self, tmp_path: Path) -> None:
        with disk_of(3) as limit:
            writer = MetricsWriter(tmp_path, 1)
            writer.write({"step": 1})
            limit(1000)
            writer.close()
        assert writer.trouble is None
        assert steps(read(tmp_path)) == [1]

    def test_the_oldest_rows_are_given_up_when_too_many_wait(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metrics, "MOST_WAITING", 3)
        with disk_of(20) as limit, MetricsWriter(tmp_path, 1) as writer:
            for step in range(10):
                writer.write({"step": step, "a": 1})
            assert writer.dropped == 5
            limit(1000)
        assert steps(read(tmp_path)) == [0, 1, 7, 8, 9]  # the second was on the disk in part

    def test_bears_a_device_without_room(self, tmp_path: Path) -> None:
        (tmp_path / "0001.jsonl").symlink_to("/dev/full")
        with MetricsWriter(tmp_path, 1) as writer:
            writer.write({"step": 1})
            assert "No space left on device" in (writer.trouble or "")


class TestPolling:
    def test_gives_each_row_once(self, tmp_path: Path) -> None:
        reader, writer = MetricsReader(tmp_path), MetricsWriter(tmp_path, 1)
        assert reader.poll() == metrics.News()
        with writer:
            for step in range(10):
                writer.write({"step": step})
                assert reader.poll() == metrics.News([{"step": step}])
                assert reader.poll() == metrics.News()

    def test_a_torn_last_line_waits_until_it_is_whole(self, tmp_path: Path) -> None:
        path, reader = tmp_path / "0001.jsonl", MetricsReader(tmp_path)
        for byte in b'{"step": 1, "a": 2}':
            append(path, bytes([byte]))
            assert reader.poll().rows == []
        append(path, b'\n{"st')
        assert reader.poll().rows == [{"step": 1, "a": 2}]
        append(path, b'\n{"step": 2}\n')
        assert reader.poll().rows == [{"step": 2}]

    def test_a_line_longer_than_a_chunk_is_one_line(self, tmp_path: Path) -> None:
        long = {"step": 1, "text": "x" * 1_000_000}
        (tmp_path / "0001.jsonl").write_text(json.dumps(long) + '\n{"step": 2}\n')
        assert MetricsReader(tmp_path).poll().rows == [long, {"step": 2}]

    def test_a_later_attempt_says_what_it_replaces(self, tmp_path: Path) -> None:
        reader = MetricsReader(tmp_path)
        write(tmp_path, 1, [1, 2, 3, 4], 0.5)
        assert reader.poll().replaces is None
        write(tmp_path, 2, [], 0.5)
        assert reader.poll() == metrics.News()
        write(tmp_path, 2, [3, 4], 0.25)
        news = reader.poll()
        assert (steps(news.rows), news.replaces) == ([3, 4], 3)
        write(tmp_path, 3, [5], 0.25)
        news = reader.poll()
        assert (steps(news.rows), news.replaces) == ([5], None)

    def test_several_attempts_at_once_say_the_earliest_step_that_is_replaced(self, tmp_path: Path) -> None:
        reader = MetricsReader(tmp_path)
        write(tmp_path, 1, [1, 2, 3, 4], 0.5)
        reader.poll()
        write(tmp_path, 2, [2, 3, 4, 5], 0.25)
        write(tmp_path, 3, [4, 5], 0.125)
        news = reader.poll()
        assert (steps(news.rows), news.replaces) == ([2, 3, 4, 5], 2)
        assert news.rows[2]["train/loss"] == 0.125

    @pytest.mark.parametrize("change", ["truncated", "replaced", "deleted", "earlier grew", "earlier appeared"])
    def test_a_file_that_is_not_what_it_was_is_read_again(self, tmp_path: Path, change: str) -> None:
        write(tmp_path, 2, [1, 2, 3], 0.5)
        write(tmp_path, 3, [3, 4], 0.5)
        reader, path = MetricsReader(tmp_path), tmp_path / "0002.jsonl"
        reader.poll()
        if change == "truncated":
            os.truncate(path, path.stat().st_size // 2)
        elif change == "replaced":
            (tmp_path / "other").write_bytes(path.read_bytes() + b'{"step": 9}\n')
            (tmp_path / "other").replace(path)
        elif change == "deleted":
            path.unlink()
        elif change == "earlier grew":
            append(path, b'{"step": 2, "b": 1}\n')
        else:
            write(tmp_path, 1, [0], 0.5)
        news = reader.poll()
        assert news.replaces == -math.inf
        assert news.rows == read(tmp_path)
        assert reader.poll() == metrics.News()

    def test_little_by_little_gives_the_same(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sslterm.runs.tail.CHUNK", 100)
        for attempt, begin in enumerate([0, 30, 20, 90], start=1):
            write(tmp_path, attempt, list(range(begin, begin + 50)), attempt)
        reader, rows, polls, more = MetricsReader(tmp_path), [], 0, True
        while more:
            news = reader.poll(at_most=200)
            if news.replaces is not None:
                rows = [row for row in rows if row["step"] < news.replaces]
            rows += news.rows
            more, polls = news.more, polls + 1
        assert rows == read(tmp_path)
        assert polls > 20

    def test_takes_under_five_milliseconds_beside_a_large_file(self, tmp_path: Path) -> None:
        line = json.dumps({"step": 1, "text": "x" * 300}).encode() + b"\n"
        append(tmp_path / "0001.jsonl", line * 100_000)
        reader, took = MetricsReader(tmp_path), []
        reader.poll()
        for step in range(2, 30):
            append(tmp_path / "0001.jsonl", b'{"step": %d}\n' % step)
            start = time.perf_counter()
            assert steps(reader.poll().rows) == [step]
            took.append(time.perf_counter() - start)
        assert min(took) < 0.005
