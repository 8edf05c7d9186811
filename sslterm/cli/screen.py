"""Opening the TUI, without Typer: the first screen is there before Typer would be."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from sslterm.cli.answers import FAILED, answering, end


def open_tui(readonly: bool, no_mouse: bool, runs_dir: Path, data_dir: Path) -> None:
    """Everything in one screen."""
    with answering():
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            end("sslterm tui needs a terminal; `sslterm ls` and `sslterm show` print", FAILED)
        gc.disable()  # nothing that is loaded at the start is garbage; `run` sees to it from then on
        _numpy_alone()
        from sslterm.tui import config
        from sslterm.tui.app import run

        likes = config.load(config.path())
        raise SystemExit(run(runs_dir, data_dir, likes, readonly, mouse=likes.mouse and not no_mouse))


def _numpy_alone() -> None:
    """Without threads of its own, which cost memory and have nothing to do here. Commands that are started from the
    TUI are not told."""
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import numpy  # noqa: F401

    del os.environ["OPENBLAS_NUM_THREADS"]
    if before is not None:
        os.environ["OPENBLAS_NUM_THREADS"] = before
