"""`sslterm tui`: the laboratory in a terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from sslterm.cli.app import DATA, RUNS, DataDir, RunsDir, app
from sslterm.cli.screen import open_tui


@app.command(rich_help_panel="Look", epilog="Example: sslterm tui --readonly")
def tui(
    readonly: Annotated[bool, typer.Option("--readonly", help="Only look: nothing can be started or stopped.")] = False,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
) -> None:
    """Everything in one screen: runs live, charts, launching, checkpoints, evaluation, comparison. q leaves, and
    training goes on; ? helps."""
    open_tui(readonly, no_mouse, runs_dir, data_dir)
