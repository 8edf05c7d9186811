"""Starting runs, one after the other, in a thread of its own: the rest starts although one leaves the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message

from sslterm.tui import commands
from sslterm.tui.commands import CommandEnded, Place
from sslterm.tui.screens.launch.orders import started


class StartGoesOn(Message):
    """So many of them are started."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total


class StartEnded(Message):
    """They are started, or one was refused; the rest was then not tried."""

    def __init__(self, preset: Path, runs: Sequence[Path], total: int, refusal: str) -> None:
        super().__init__()
        self.preset, self.runs, self.total, self.refusal = preset, list(runs), total, refusal

    @property
    def sentence(self) -> str:
        """For people."""
        names = ", ".join(run.name for run in self.runs[:3]) + (" …" if len(self.runs) > 3 else "")
        said = f"started {names}" if self.runs else ""
        if not self.refusal:
            return said
        which = f"run {len(self.runs) + 1} of {self.total} was not started: " if self.total > 1 else ""
        return "\n".join(filter(None, [said, which + self.refusal]))


def start(preset: Path, orders: Sequence[list[str]], place: Place, tell: Callable[[Message], object]) -> None:
    """Carry the orders out beside the screen; `tell` gets StartGoesOn, and StartEnded at last."""

    def work() -> None:
        runs: list[Path] = []
        refusal = ""
        for order in orders:
            tell(StartGoesOn(len(runs), len(orders)))
            ended = _carried_out(order, place)
            run = started(ended.out) if not ended.code else None
            if run is None:
                refusal = _why(ended)
                break
            runs.append(run)
        tell(StartEnded(preset, runs, len(orders), refusal))

    threading.Thread(target=work, daemon=True, name="start runs").start()


def _carried_out(order: list[str], place: Place) -> CommandEnded:
    said: list[CommandEnded] = []
    commands.start("start", order, place, lambda message: said.append(message), data=True).join()  # type: ignore[arg-type]
    return said[0]


def _why(ended: CommandEnded) -> str:
    """Its own sentences, without the notes before them."""
    lines = [line for line in ended.err.splitlines() if line.strip() and not line.startswith("note: ")]
    return "\n".join(lines[-12:]) or ended.sentence
