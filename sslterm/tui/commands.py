"""What the TUI changes, it changes by starting an `sslterm` command; nothing here waits on the screen's thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message


@dataclass(frozen=True)
class Place:
    """Where commands are told to look."""

    runs_dir: Path
    data_dir: Path


class CommandEnded(Message):
    """A command came to its end."""

    def __init__(self, title: str, arguments: Sequence[str], code: int, out: str, err: str) -> None:
        super().__init__()
        self.title, self.arguments, self.code, self.out, self.err = title, list(arguments), code, out, err

    @property
    def sentence(self) -> str:
        """What to tell a person: its last words, or that it is done."""
        said = [line for line in (self.err if self.code else self.err or self.out).splitlines() if line.strip()]
        return "\n".join(said[-3:]) or f"{self.title}: {'done' if not self.code else f'exit code {self.code}'}"


def start(
    title: str,
    arguments: Sequence[str],
    place: Place,
    tell: Callable[[Message], object],
    data: bool = False,
    plain: bool = False,
) -> threading.Thread:
    """Start `sslterm ARGUMENTS` beside the screen; `tell` gets a CommandEnded. Quitting the TUI does not end it.

    The command is told where runs are unless it is `plain`, and where `data` are if it needs them.
    """
    options = [] if plain else ["--runs-dir", str(place.runs_dir)]
    options += ["--data-dir", str(place.data_dir)] if data else []

    def work() -> None:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "sslterm", *arguments, *options],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            tell(CommandEnded(title, arguments, done.returncode, done.stdout, done.stderr))
        except OSError as error:
            tell(CommandEnded(title, arguments, 1, "", str(error)))

    thread = threading.Thread(target=work, daemon=True, name=f"command {title}")
    thread.start()
    return thread
