"""Charts: how long a picture takes, beside the plain ways; how many bytes one update of four charts sends.

    python benchmarks/charts.py

A picture is everything from arrays to lines of text with looks, at 120x30, with nothing remembered from the one before.
References, in the same process and on the same points: a loop over points in Python that sets one dot each (no lines
between them), and numpy that computes the cell of every point and marks it. Medians of several rounds are printed.
Bytes: four charts at 120x40 in two rows, as Textual writes them, 150 updates of a run that goes on.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")  # the longest way to say a colour

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.drivers.headless_driver import HeadlessDriver

from sslterm.tui.widgets.chart import LineChart, Series
from sslterm.tui.widgets.chart.picture import draw
from sslterm.tui.widgets.chart.request import Request

WIDTH, HEIGHT = 120, 30
GOALS = {(1, 10_000): 2.0, (10, 10_000): 8.0, (1, 1_000_000): 25.0}
"""Milliseconds a picture may take, for so many series of so many points."""
BYTES = 8_000


def lines(count: int, points: int) -> list[Series]:
    """Losses that fall, with noise."""
    random = np.random.default_rng(0)
    x = np.arange(1.0, points + 1)
    fall = 6 * np.exp(-x / points * 6) + 2.4
    return [Series(f"run-{i}", x, fall + i * 0.2 + random.normal(size=points) * 0.2) for i in range(count)]


def median(do: Callable[[], object], rounds: int) -> float:
    """Milliseconds it takes."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        do()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def plainly(series: list[Series]) -> list[list[bool]]:
    """The reference in Python: one dot a point."""
    dots = [[False] * (WIDTH * 2) for _ in range(HEIGHT * 4)]
    for one in series:
        low, high, last = min(one.y), max(one.y), len(one) - 1
        for index, value in enumerate(one.y):
            row = int((high - value) / (high - low) * (HEIGHT * 4 - 1))
            dots[row][int(index / last * (WIDTH * 2 - 1))] = True
    return dots


def at_once(series: list[Series]) -> np.ndarray:
    """The reference in numpy: one dot a point, all points at once."""
    dots = np.zeros((HEIGHT * 4, WIDTH * 2), dtype=bool)
    for one in series:
        low, high = one.y.min(), one.y.max()
        rows = ((high - one.y) / (high - low) * (HEIGHT * 4 - 1)).astype(np.int64)
        columns = ((one.x - one.x[0]) / (one.x[-1] - one.x[0]) * (WIDTH * 2 - 1)).astype(np.int64)
        dots[rows, columns] = True
    return dots


def pictures() -> None:
    """Times of pictures, one line for each size."""
    print(f"{'a picture at 120x30':24}{'raw':>10}{'smoothed':>10}{'log':>10}{'goal':>8}{'numpy':>10}{'python':>12}")
    for (count, points), goal in GOALS.items():
        found = taken(lines(count, points), rounds=51 if points < 1_000_000 else 11)
        times = "".join(f"{value:7.2f} ms" for value in found[:3])
        print(
            f"{f'{count} x {points:,} points':24}{times}{goal:5.0f} ms{found[3]:7.2f} ms{found[4]:9.0f} ms", flush=True
        )


def taken(series: list[Series], rounds: int) -> list[float]:
    """Milliseconds: raw, smoothed, log; numpy, Python."""

    def asked(**more: Any) -> Callable[[], object]:
        return lambda: draw(Request(WIDTH, HEIGHT, series=series, **more))

    ours = [median(asked(**more), rounds) for more in ({}, {"factor": 0.95}, {"log": True})]
    return [*ours, median(lambda: at_once(series), rounds), median(lambda: plainly(series), 1)]


SENT: list[int] = []


class Counting(HeadlessDriver):
    """A terminal that counts what it is sent."""

    @property
    def is_headless(self) -> bool:
        return False  # or nothing would be sent

    def write(self, data: str) -> None:
        SENT.append(len(data.encode()))


class Four(App[None]):
    """Four charts of a run that goes on."""

    CSS = "Grid { grid-size: 2 2; }"

    def __init__(self, **given: Any) -> None:
        super().__init__(driver_class=Counting, **given)

    def compose(self) -> ComposeResult:
        yield Grid(*(LineChart(name, id=name.replace("/", "-")) for name in ("train/loss", "train/top1", "knn", "lr")))


async def updates(smoothing: float) -> list[int]:
    """Bytes of each update."""
    x = np.arange(1.0, 5001)
    noise = np.random.default_rng(0).normal(size=(2, len(x)))
    values = [
        6 * np.exp(-x / 800) + 2.4 + noise[0] * 0.1,
        0.8 - 0.7 * np.exp(-x / 900) + noise[1] * 0.01,
        0.8 - 0.5 * np.exp(-x / 1500),
        0.03 * (1 + np.cos(x / 5000 * np.pi)) / 2,
    ]
    app = Four()
    found = []
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        for chart in app.query(LineChart):
            chart.smoothing = smoothing
        for now in range(2000, 5000, 20):
            SENT.clear()
            for chart, y in zip(app.query(LineChart), values, strict=True):
                every = 1 if "train" in chart.title else 50
                chart.show([Series("moco-a1", x[:now:every], y[:now:every])], live=True)
            await pilot.pause()
            found.append(sum(SENT))
    return found


def main() -> None:
    pictures()
    for smoothing in (0.0, 0.95):
        found = asyncio.run(updates(smoothing))[1:]
        whole = sorted(found)
        print(
            f"bytes of an update of four charts, smoothing {smoothing}: median {statistics.median(found):,.0f},"
            f" 90 % at most {whole[int(len(whole) * 0.9)]:,}, all at most {whole[-1]:,} (goal {BYTES:,})",
            flush=True,
        )


if __name__ == "__main__":
    main()
