"""Real training in processes that come cheap (forked from a server that has loaded torch), and what came out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from forked import CONTEXT

from sslterm.engine.checkpoint import open_checkpoint
from sslterm.engine.train import train
from sslterm.runs import Run, checkpoints, crash, metrics


def trained(path: Path, data_dir: Path, crash_at: str) -> None:
    """What a trainer process does."""
    torch.set_num_threads(1)
    crash.arm(crash_at)
    train(Run(path), device="cpu", data_dir=data_dir)


def in_a_process(run: Run, data_dir: Path, crash_at: str = "") -> int | None:
    """Train, perhaps until a crash point; gives back the exit code."""
    process = CONTEXT.Process(target=trained, args=(run.path, data_dir, crash_at))
    process.start()
    process.join(120)
    return process.exitcode


def the_end(run: Run) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The last checkpoint's state, and the metrics but for the clock's."""
    state = open_checkpoint(run, checkpoints.listed(run)[-1])
    rows = metrics.read(run.metrics)
    for row in rows:
        row.pop("time")
        row.pop("images_per_second", None)
        row.pop("memory_mib", None)
    return state, rows


def same(a: Any, b: Any) -> bool:
    """Bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
