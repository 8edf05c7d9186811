"""Metrics: what appending costs the trainer, and how long a chart of ten million points takes to open and to follow.

    python benchmarks/metrics.py                  # a million rows of ten metrics
    python benchmarks/metrics.py --rows 50000

Everything is measured in one process, on files that were just written (so read from memory, not from the disk), beside
the plain way: json.loads, line by line, of everything.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sslterm.runs import columns
from sslterm.runs.metrics import MetricsReader, MetricsWriter

STEP = 0.05
"""Seconds of a training step that appending is compared with."""


def rows(count: int, metrics: int) -> Iterator[dict[str, Any]]:
    """What a trainer writes: a row every step, and one more at the end of an epoch of a hundred."""
    names = [f"step/metric{i}" for i in range(metrics)]
    for step in range(1, count + 1):
        row = {"step": step, "stage": "pretrain", "epoch": step / 100, "time": 1.8e9 + step * STEP}
        yield {**row, **{name: random.random() for name in names}}
        if step % 100 == 0:
            yield {**row, "valid/top1": random.random(), "knn/top1": random.random()}


def seconds(do: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def median(do: Callable[[], object], rounds: int) -> float:
    """How long it takes: the median of several."""
    return statistics.median(seconds(do) for _ in range(rounds))


def plainly(path: Path) -> None:
    """The reference: every line by itself, values in lists of their own."""
    found: dict[str, list[tuple[int, float]]] = {}
    with path.open("rb") as file:
        for row in map(json.loads, file):
            for name, value in row.items():
                if isinstance(value, float):
                    found.setdefault(name, []).append((row["step"], value))


def chart(run: Path) -> int:
    """Open every column of a run; gives back the number of points."""
    with columns.open(run) as found:
        return sum(len(found.get(name)) for name in found.names())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.rows, given.metrics)


def measure(run: Path, count: int, metrics: int) -> None:
    """Everything, printed line by line."""
    (run / "metrics").mkdir()
    segment = run / "metrics" / "0001.jsonl"

    def say(what: str, took: float, more: str = "") -> None:
        print(f"{what:58}{took * 1000:12,.3f} ms  {more}".rstrip(), flush=True)

    with MetricsWriter(run / "metrics", 1) as writer:
        costs = []
        source = rows(count, metrics)
        while some := list(itertools.islice(source, 10_000)):
            costs.append(seconds(lambda some=some: [writer.write(row) for row in some]) / len(some))
        cost = statistics.median(costs)
        size = segment.stat().st_size
        print(f"{count:,} rows of {metrics} metrics, {size / 2**20:,.0f} MiB")
        say("append a row", cost, f"{cost / STEP:.4%} of a step of {STEP * 1000:.0f} ms")

        reference = seconds(lambda: plainly(segment))
        say("read all, plain json.loads (reference)", reference)
        say("first opening: parse all and fill the cache", seconds(lambda: chart(run)))
        kept = sum(path.stat().st_size for path in (run / ".cache").rglob("*.f64"))
        points = chart(run)
        opening = median(lambda: chart(run), 5)
        say(
            f"open all columns through the cache: {points:,} points",
            opening,
            f"{reference / opening:,.0f}x faster; {kept / 2**20:,.0f} MiB",
        )
        say("open one chart through the cache", median(lambda: columns.open(run).get("step/metric0"), 5))

        reader, found = MetricsReader(run / "metrics"), columns.open(run)
        while reader.poll(at_most=1 << 24).more:
            pass
        one = {"step": count + 1, "epoch": 1.0, "time": 1.0, **{f"step/metric{i}": 0.5 for i in range(metrics)}}

        def after_a_row(look: Callable[[], object]) -> float:
            writer.write(one)
            return seconds(look)

        say("poll rows, nothing new", median(reader.poll, 101))
        say("poll rows, one new", statistics.median(after_a_row(reader.poll) for _ in range(101)))
        say("refresh columns, nothing new", median(found.refresh, 101))
        say("refresh columns, one new row", statistics.median(after_a_row(found.refresh) for _ in range(101)))
        say(
            "refresh columns, one new row, and get a chart",
            after_a_row(lambda: (found.refresh(), found.get("step/metric0"))),
        )


if __name__ == "__main__":
    main()
