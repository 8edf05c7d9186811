"""What a run's head says, of any summary."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from textual.app import App, ComposeResult

from sslterm.runs.summary import BLANK
from sslterm.tui.looking.gpus import Gpu
from sslterm.tui.looking.usage import Usage
from sslterm.tui.widgets.progress_line import ProgressLine, bar
from sslterm.tui.widgets.run_head import RunHead, facts, fitting, place, progress, reason, remaining, size

RUNNING = {
    **BLANK, "name": "moco-a1", "path": "/runs/moco-a1", "state": "running", "reason": "trains",
    "advice": "sslterm watch /runs/moco-a1", "stage": "pretrain", "epoch": 118, "epochs": 200,
    "stages": [{"name": "pretrain", "method": "moco", "epochs": 200}, {"name": "probe", "method": "x", "epochs": 9}],
    "best": {"pretrain": {"metric": "knn/top1", "value": 0.8124, "file": "pretrain-0116.pt"}},
    "best_metric": "knn/top1", "best_value": 0.8124, "images_per_second": 36412.3, "left": 361.0,
    "left_of": "stage", "device": "cuda:0",
}  # fmt: skip
BEAT = {"stage": "pretrain", "step": 50, "steps": 100}
GPU = Gpu("0", "GPU-1", "H200", 87.0, 41.0, 139.0)


def test_a_running_run_says_how_far_and_how_well() -> None:
    assert place(RUNNING, BEAT) == "pretrain 1/2 · epoch 118/200"
    assert progress(RUNNING, BEAT) == pytest.approx(118.5 / 200)
    assert remaining(RUNNING) == "≥6m left"
    said = facts(RUNNING, Usage(3 << 30, 190, GPU))
    assert said == [
        "best kNN 0.812 @116", "36,412 images/s", "cuda:0", "H200 87 %", "41/139 GB", "memory 3.0 GB", "CPU 190 %",
    ]  # fmt: skip
    assert fitting(said, 40) == "best kNN 0.812 @116 · 36,412 images/s"
    assert reason(RUNNING) == ""


def test_what_is_over_says_why_and_what_to_do_next() -> None:
    over = {**RUNNING, "state": "failed", "reason": "the disk of /runs/moco-a1\nis full", "left": None}
    over["advice"] = "sslterm resume /runs/moco-a1"
    assert reason(over) == "the disk of moco-a1 is full · next: sslterm resume moco-a1"
    assert remaining(over) == ""
    assert progress(over, BEAT) == 118 / 200
    assert "36,412 images/s" not in facts(over, Usage())
    twice = {**over, "reason": "stopped; continue with sslterm resume /runs/moco-a1"}
    assert reason(twice) == "stopped; continue with sslterm resume moco-a1"


def test_what_starts_says_what_it_prepares() -> None:
    starting = {**RUNNING, "state": "starting"}
    assert place(starting, {"title": "cifar10"}) == "prepares cifar10"
    assert progress(starting, {"done": 10_000, "total": 40_000}) == 0.25
    assert progress(starting, {}) is None
    assert place({**BLANK, "state": "corrupt"}, {}) == ""


@pytest.mark.parametrize(("count", "said"), [(0, "0 MB"), (5 << 20, "5 MB"), (3 << 29, "1.5 GB")])
def test_memory_is_in_words(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(("share", "drawn"), [(0, "────"), (0.25, "━───"), (0.4, "━╸──"), (0.99, "━━━╸"), (1, "━━━━")])
def test_a_bar_moves_by_halves_of_a_cell(share: float, drawn: str) -> None:
    assert "".join(bar(share, 4)) == drawn


WILD = [
    RUNNING, {**BLANK, "state": "corrupt", "reason": "\x1b[2J[red]x"},
    {**RUNNING, "name": "🦊" * 2000, "note": "[b]\n" * 99},
    {**RUNNING, "epochs": 0, "left": math.inf}, {**RUNNING, "best_value": math.nan, "images_per_second": math.inf},
    {**RUNNING, "stages": [], "stage": "[/red]", "tags": ["[x]", "\x07"], "epochs": None},
]  # fmt: skip


@pytest.mark.parametrize("width", [200, 80, 60, 10, 1])
def test_any_summary_has_room_at_any_width(width: int) -> None:
    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield RunHead()

    def lines(app: App[Any]) -> list[str]:
        return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]

    async def go() -> None:
        async with Shown().run_test(size=(width, 6)) as pilot:
            head = pilot.app.query_one(RunHead)
            head.show_usage(Usage(1 << 30, 100, GPU))
            for row in WILD:
                if row.get("left") == math.inf:
                    row = {**row, "left": None}
                head.show(row, BEAT)
                await pilot.pause()
                shown = lines(pilot.app)
                assert "\x1b" not in "".join(shown)
                assert head.size.height <= 3
                if width >= 80 and row is RUNNING:
                    assert "● running" in shown[0]
                    assert "≥6m left" in shown[0]
                    assert pilot.app.query_one(ProgressLine).display

    asyncio.run(go())
