"""A trainer writes metrics while others read them: each row arrives once, whole and in order, whoever is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import columns
from sslterm.runs.metrics import MetricsReader, read, segments

ROWS = 1_000_000
KILLS = 12
WRITER = """
import sys, time
from pathlib import Path
from sslterm.runs.metrics import MetricsWriter

attempt, first, count, pace = map(int, sys.argv[2:])
with MetricsWriter(Path(sys.argv[1]), attempt) as writer:
    for step in range(first, first + count):
        writer.write({"step": step, "attempt": attempt, "loss": step / 2})
        if pace and step % pace == 0:
            time.sleep(0.001)
    assert writer.trouble is None, writer.trouble
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run" / "metrics"
    made.mkdir(parents=True)
    return made


def start(folder: Path, attempt: int, first: int, count: int, pace: int = 0) -> subprocess.Popen[bytes]:
    """A writer of its own; `pace` rows, then a millisecond's rest, so that a busy machine has not thousands to read."""
    numbers = map(str, (attempt, first, count, pace))
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), *numbers])


def polled(reader: MetricsReader, writer: subprocess.Popen[bytes]) -> Iterator[list[dict[str, Any]]]:
    """What the reader finds until the writer ended, and what it left."""
    ended = False
    while not ended:
        ended = writer.poll() is not None  # asked first: what it wrote last is found below
        news = reader.poll()
        assert news.replaces is None
        if news.rows:
            yield news.rows
        else:
            time.sleep(0.001)


def test_a_reader_beside_a_writer_gets_a_million_rows_once_and_in_order(folder: Path, figures: dict[str, int]) -> None:
    expected, polls = 0, 0
    with start(folder, 1, 0, ROWS) as writer:
        for rows in polled(MetricsReader(folder), writer):
            steps = range(expected, expected + len(rows))
            assert rows == [{"step": step, "attempt": 1, "loss": step / 2} for step in steps]
            expected, polls = steps.stop, polls + 1
    assert (expected, writer.returncode) == (ROWS, 0)
    assert polls > 100  # it read beside the writer, not after it

    loss = columns.open(folder.parent).get("loss")
    assert loss.step.tolist() == list(range(ROWS))
    assert loss.value.tolist() == [step / 2 for step in range(ROWS)]
    figures["rows read beside a writer"] = figures.get("rows read beside a writer", 0) + ROWS


def test_attempts_that_were_killed_leave_rows_that_are_resolved(folder: Path, figures: dict[str, int]) -> None:
    reader, charts, chance = MetricsReader(folder), columns.open(folder.parent), random.Random(0)
    seen: list[dict[str, Any]] = []
    first = 0
    for attempt in range(1, KILLS + 1):
        with start(folder, attempt, first, ROWS, pace=20) as writer:
            due = None
            while due is None or time.monotonic() < due:
                news = reader.poll()
                if news.replaces is not None:
                    seen = [row for row in seen if row["step"] < news.replaces]
                seen += news.rows
                charts.refresh()
                assert charts.get("loss").step.tolist() == list(range(len(charts.get("loss"))))
                if news.rows and due is None:
                    due = time.monotonic() + chance.uniform(0, 0.1)
            writer.send_signal(signal.SIGKILL)
        seen += reader.poll().rows
        assert seen == read(folder) == expected(folder)
        first = chance.randrange(len(seen) // 2, len(seen) + 1)
    charts.refresh()
    assert charts.get("attempt").value.tolist() == [row["attempt"] for row in seen]
    assert columns.open(folder.parent).get("attempt").value.tolist() == [row["attempt"] for row in seen]
    figures["writers of metrics killed"] = figures.get("writers of metrics killed", 0) + KILLS


def expected(folder: Path) -> list[dict[str, Any]]:
    """Step by step, what the last attempt that came so far, or began before, says; from the lines themselves."""
    rows: list[dict[str, Any]] = []
    for attempt, path in enumerate(segments(folder), start=1):
        steps = [int(line.split(b",")[0].split(b":")[1]) for line in path.read_bytes().split(b"\n")[:-1]]
        rows[steps[0] :] = [{"step": step, "attempt": attempt, "loss": step / 2} for step in steps]
    return rows
