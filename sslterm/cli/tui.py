"""`sslterm tui`: the laboratory in a terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sslterm.cli.answers import FAILED, answering, end
from sslterm.cli.app import DATA, RUNS, DataDir, RunsDir, app


@app.command(rich_help_panel="Look", epilog="Example: sslterm tui --readonly")
def tui(
    readonly: Annotated[bool, typer.Option("--readonly", help="Only look: nothing can be started or stopped.")] = False,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
) -> None:
    """Everything in one screen: runs live, charts, launching, checkpoints, evaluation, comparison. q leaves, and
    training goes on; ? helps."""
    with answering():
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            end("sslterm tui needs a terminal; `sslterm ls` and `sslterm show` print", FAILED)
        from sslterm.tui import config
        from sslterm.tui.app import run

        likes = config.load(config.path())
        run(runs_dir, data_dir, likes, readonly, mouse=likes.mouse and not no_mouse)
