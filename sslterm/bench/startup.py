"""How long one waits: for the program to answer, and for the first training step; beside an empty Python."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns
from sslterm.errors import UserError
from sslterm.runs import columns, list_runs

PYTHON = [sys.executable]
PROGRAM = [*PYTHON, "-m", "sslterm"]


class NoStep(UserError):
    """Training took no step."""


def measure(rounds: int = 5, steps: bool = True) -> Report:
    """Whole processes, from their start to their end; and from `sslterm run quickstart` to its first row of metrics."""
    with tempfile.TemporaryDirectory(prefix="sslterm-bench-") as folder:
        where = Path(folder)
        rivals: dict[str, Callable[[], object]] = {
            "python, doing nothing": lambda: _run([*PYTHON, "-c", "pass"]),
            "python, import typer": lambda: _run([*PYTHON, "-c", "import typer"]),
            "sslterm --help": lambda: _run([*PROGRAM, "--help"]),
            "sslterm ls": lambda: _run([*PROGRAM, "ls", "--runs-dir", folder]),
        }
        if steps:
            rivals["python, import torch"] = lambda: _run([*PYTHON, "-c", "import torch"])
        taken = in_turns(rivals, rounds)
        report = Report(f"startup: whole processes, {rounds} rounds")
        for name, times in taken.items():
            beside = "python, import typer" if name.startswith("sslterm") else None
            report.add(Figure(name, tuple(t * 1e3 for t in times), "ms"), beside)
        if steps:
            _first_step(where, "warm-up")  # shapes are drawn once, and kept
            firsts = tuple(_first_step(where, f"start-{number}") for number in range(3))
            report.add(Figure("first training step of the quickstart", firsts, "s", "from the command on"))
    return report


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _first_step(folder: Path, name: str) -> float:
    """Seconds from the command to the first row of metrics. Raises NoStep."""
    runs, place = folder / "runs", ["--runs-dir", str(folder / "runs")]
    began = time.monotonic()
    trainer = subprocess.Popen(
        [*PROGRAM, "run", "quickstart", "--name", name, "--set", "monitor.log_every=1", *place,
         "--data-dir", str(folder / "data")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while time.monotonic() - began < 120 and trainer.poll() is None:
            for run in list_runs(runs):
                if run.name == name and _rows(run.path):
                    return time.monotonic() - began
            time.sleep(0.01)
        raise NoStep(f"{runs / name}: took no step within two minutes; try: sslterm run quickstart")
    finally:
        _run([*PROGRAM, "stop", name, "--now", *place])
        trainer.wait()


def _rows(run: Path) -> int:
    with columns.open(run) as found:
        return len(found.names())
