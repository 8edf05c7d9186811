"""What `sslterm ls` prints. Knows nothing of Typer, for it is to be there at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sslterm.cli.answers import say


def print_runs(filters: Sequence[str], runs_dir: Path, as_json: bool) -> None:
    """The runs that fit, the newest first. Raises FilterError."""
    from sslterm.runs import files, index
    from sslterm.runs.filters import Filter

    rows = index.matching(runs_dir, Filter(" ".join(filters)))
    if as_json:
        print(json.dumps(files.finite(rows), indent=1))
    elif rows:
        from sslterm import overview

        print(overview.runs(rows, _width()))
    elif filters:
        say("no run fits")
    else:
        say(f"{runs_dir}: there is no run yet; start one with `sslterm run quickstart`")


def _width() -> int | None:
    """How wide a line may be; None where nobody looks."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
