"""Commands that start one after another, each when the one before has ended; they outlive the screen that asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.message import Message

from sslterm.tui import commands
from sslterm.tui.commands import Place


@dataclass(frozen=True)
class Order:
    """One command."""

    title: str
    arguments: Sequence[str]
    data: bool = False
    """Whether it needs to know where data are."""


class Turns:
    """A row of commands; `tell` gets a CommandEnded of each."""

    def __init__(self, place: Place, tell: Callable[[Message], object]) -> None:
        self._place, self._tell = place, tell
        self._waiting: deque[Order] = deque()
        self._lock = threading.Lock()
        self.at_work: Order | None = None
        """What was started last and has not ended."""

    @property
    def waiting(self) -> int:
        """How many are to come."""
        return len(self._waiting)

    def add(self, orders: Sequence[Order]) -> None:
        """Put these at the end of the row."""
        with self._lock:
            self._waiting.extend(orders)
            if self.at_work is None:
                self._next()

    def _next(self) -> None:
        self.at_work = self._waiting.popleft() if self._waiting else None
        if self.at_work is not None:
            order = self.at_work
            commands.start(order.title, order.arguments, self._place, self._ended, order.data)

    def _ended(self, message: Message) -> None:
        """In the thread of the command that ended."""
        with self._lock:
            self._next()
        self._tell(message)
