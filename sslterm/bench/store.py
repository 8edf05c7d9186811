"""What metrics cost: appended by the trainer, read by whoever watches; beside plain JSON, line by line."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns, seconds
from sslterm.runs import columns
from sslterm.runs.metrics import MetricsReader, MetricsWriter

STEP = 0.05
"""Seconds between two rows, as far as the clock in them goes."""
WRITTEN_AT_ONCE = 10_000


def measure(count: int = 100_000, metrics: int = 10, rounds: int = 5) -> Report:
    """`count` rows of so many metrics, written and read back in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="sslterm-bench-") as folder:
        return _measured(Path(folder), count, metrics, rounds)


def _measured(run: Path, count: int, metrics: int, rounds: int) -> Report:
    (run / "metrics").mkdir()
    segment = run / "metrics" / "0001.jsonl"
    with MetricsWriter(run / "metrics", 1) as writer:
        appended = _append(writer, count, metrics)
        points = chart(run)
        size = segment.stat().st_size / 2**20
        report = Report(f"store: {count:,} rows of {metrics} metrics, {points:,} points, {size:,.0f} MiB")
        report.add(Figure("append a row", tuple(cost * 1e6 for cost in appended), "us", "flushed each time"))

        def afresh() -> None:
            for kept in (run / ".cache").rglob("*"):
                if kept.is_file():
                    kept.unlink()
            chart(run)

        rivals: dict[str, Callable[[], object]] = {
            "read all, plain json": lambda: plainly(segment),
            "first opening": afresh,
            "opened again": lambda: chart(run),
        }
        for name, times in in_turns(rivals, rounds).items():
            beside = None if name == "read all, plain json" else "read all, plain json"
            report.add(Figure(name, tuple(t * 1e3 for t in times), "ms"), beside)
        for name, cost in _following(run, writer, count, metrics).items():
            report.add(Figure(name, tuple(t * 1e3 for t in cost), "ms"))
    return report


def rows(count: int, metrics: int, start: int = 0) -> Iterator[dict[str, Any]]:
    """What a trainer writes: a row every step, and one more at the end of an epoch of a hundred."""
    names = [f"step/metric{i}" for i in range(metrics)]
    for step in range(start + 1, start + count + 1):
        row = {"step": step, "stage": "pretrain", "epoch": step / 100, "time": 1.8e9 + step * STEP}
        yield {**row, **{name: random.random() for name in names}}
        if step % 100 == 0:
            yield {**row, "valid/top1": random.random(), "knn/top1": random.random()}


def chart(run: Path) -> int:
    """Open every column of a run; gives back the number of points."""
    with columns.open(run) as found:
        return sum(len(found.get(name)) for name in found.names())


def plainly(path: Path) -> None:
    """The reference: every line by itself, values in lists of their own."""
    found: dict[str, list[tuple[int, float]]] = {}
    with path.open("rb") as file:
        for row in map(json.loads, file):
            for name, value in row.items():
                if isinstance(value, float):
                    found.setdefault(name, []).append((row["step"], value))


def _append(writer: MetricsWriter, count: int, metrics: int) -> list[float]:
    costs = []
    source = rows(count, metrics)
    while some := list(itertools.islice(source, WRITTEN_AT_ONCE)):
        costs.append(seconds(partial(_write_all, writer, some)) / len(some))
    return costs


def _write_all(writer: MetricsWriter, some: list[dict[str, Any]]) -> None:
    for row in some:
        writer.write(row)


def _following(run: Path, writer: MetricsWriter, count: int, metrics: int) -> dict[str, list[float]]:
    """What a look at a live run costs, with nothing new and with a row."""
    reader, found = MetricsReader(run / "metrics"), columns.open(run)
    while reader.poll(at_most=1 << 24).more:
        pass
    taken: dict[str, list[float]] = {"look, nothing new": [], "look, one row": []}
    for row in itertools.islice(rows(101, metrics, count), 101):
        taken["look, nothing new"].append(seconds(found.refresh))
        writer.write(row)
        taken["look, one row"].append(seconds(found.refresh))
    return taken
