"""Every command, one file a family. Each imports its world only when it runs, so that `sslterm --help` is there at
once.

Typer takes longer to read a command line than `sslterm ls` takes to look at a thousand runs. So that command, which
people type most, is read here where it is plain, and Typer is only told of the one command that is wanted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """The program."""
    words = sys.argv[1:]
    given = _plain_tui(words[1:]) if words[:1] == ["tui"] else None
    if given is not None:
        from sslterm.cli.screen import open_tui

        open_tui(*given)
    plain = _plain_list(words[1:]) if words[:1] == ["ls"] else None
    if plain is not None:
        from sslterm.cli.answers import answering
        from sslterm.cli.ls import print_runs

        with answering():
            print_runs(*plain)
        return
    from sslterm.cli.commands import app

    wanted = [known for known in app.registered_commands if words and _name(known) == words[0]]
    families = [known for known in app.registered_groups if words and known.name == words[0]]
    if wanted or families:
        app.registered_commands, app.registered_groups = wanted, families
    app()


def _name(command: object) -> str:
    """What a command is called: by its decorator, or by its function."""
    callback = getattr(command, "callback", None)
    return getattr(command, "name", None) or getattr(callback, "__name__", "").replace("_", "-")


def _plain_list(words: list[str]) -> tuple[list[str], Path, bool] | None:
    """The arguments of a plain `sslterm ls`: words, `--json`, `--runs-dir D`. None leaves it to Typer."""
    filters, as_json, runs_dir = [], False, os.environ.get("SSLTERM_RUNS") or "runs"
    rest = iter(words)
    for word in rest:
        if word == "--json":
            as_json = True
        elif word == "--runs-dir":
            following = next(rest, None)
            if following is None:
                return None
            runs_dir = following
        elif word.startswith("--") or word == "-h":
            return None
        else:
            filters.append(word)
    return filters, Path(runs_dir), as_json


def _plain_tui(words: list[str]) -> tuple[bool, bool, Path, Path] | None:
    """The arguments of a plain `sslterm tui`: `--readonly`, `--no-mouse`, `--runs-dir D`, `--data-dir D`. None leaves
    it to Typer."""
    folders = {
        "--runs-dir": os.environ.get("SSLTERM_RUNS") or "runs",
        "--data-dir": os.environ.get("SSLTERM_DATA") or "data",
    }
    said = set()
    rest = iter(words)
    for word in rest:
        if word in folders:
            following = next(rest, None)
            if following is None:
                return None
            folders[word] = following
        elif word in ("--readonly", "--no-mouse"):
            said.add(word)
        else:
            return None
    return "--readonly" in said, "--no-mouse" in said, Path(folders["--runs-dir"]), Path(folders["--data-dir"])
