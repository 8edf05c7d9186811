"""A person at a real terminal: launches the quickstart, leaves, comes back, watches it finish, evaluates its best
checkpoint with flip, compares it with another run, and leaves again. What the quickstart promises is looked at, too."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pytest
from terminal import TMUX, Terminal

from sslterm.runs import Run, checkpoints, evaluations, list_runs, state
from sslterm.runs.job import Job

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
WHOLE = 500
"""Seconds that the quickstart may take on a core of a busy machine."""


@pytest.mark.slow
@pytest.mark.skipif(TMUX is None, reason="needs tmux")
def test_a_quickstart_from_its_launch_to_a_comparison(tmp_path: Path, data_dir: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(RECORDED, runs / "recorded")
    with Terminal(tmp_path, 120, 40) as terminal:
        open_tui(terminal, data_dir)
        run = launch(terminal, runs)

        leave(terminal)
        assert Job(run).supervised(), "leaving the viewer ended the training"
        before = steps(run)
        while steps(run) == before:
            time.sleep(0.1)

        open_tui(terminal, data_dir)
        terminal.press("g", "Enter")
        terminal.waits(r"quickstart\s+✓ finished", WHOLE)
        assert checkpoints.pointer(run, "best")["pretrain"]["value"] >= 0.85  # by kNN; untrained: 0.34 at most

        terminal.press("t", "6")
        terminal.waits(r"top-1\s+\.\d{4}\s+\.\d{4}\s+[+-]\.\d{4}", 120)
        plain, flip = sorted(evaluations.listed(run), key=lambda answer: answer["tta"] is not None)
        assert plain["metrics"]["top1"] >= 0.75
        assert flip["tta"]["flip"]

        terminal.press("Escape", "Escape")
        terminal.waits("2 runs")
        terminal.press("*", "c")
        terminal.waits(lambda text: "recorded" in text and "quickstart" in text and "vs ◆" in text)
        leave(terminal)
    assert state.of(run).word == "finished"


def open_tui(terminal: Terminal, data_dir: Path) -> None:
    terminal.type(f"{sys.executable} -m sslterm tui --data-dir {data_dir}")
    terminal.press("Enter")
    terminal.waits(r"\d runs?\b")


def launch(terminal: Terminal, runs: Path) -> Run:
    """The quickstart, from the list; gives back its run once it trains."""
    terminal.press("n")
    terminal.waits("Quickstart: SimCLR on drawn shapes")
    terminal.waits("can run", 90)
    terminal.press("C-r")
    terminal.waits(r"● running", 120)
    (run,) = [run for run in list_runs(runs) if run.name != "recorded"]
    return run


def leave(terminal: Terminal) -> None:
    """To the shell, which is as it was before."""
    terminal.press("q")
    terminal.waits(r"training goes on; `sslterm ls` shows it\s+[$#]")


def steps(run: Run) -> int:
    """How far it is, by what the trainer last said."""
    beat = json.loads((run.path / "jobs" / "train" / "heartbeat.json").read_text())
    return int(beat.get("epoch", 0)) * 10_000 + int(beat.get("step", 0))
