"""A clean stop: once training has begun, Ctrl-C or a termination asks the trainer to finish its step, save and end; a
second Ctrl-C ends at once, as does the first signal before there is anything to finish."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType


class Interrupted(Exception):
    """Training ended early because it was asked to; everything is saved."""

    exit_code = 130


class CleanStop:
    """While it is entered and `gentle`, `requested` tells whether somebody asked for an end."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = self.gentle = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> CleanStop:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in self.SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _ask(self, number: int, frame: FrameType | None) -> None:
        # A second termination hurries nobody: at a shutdown several senders have the same thought.
        if not self.gentle or (self.requested and number == signal.SIGINT):
            raise KeyboardInterrupt
        if self.requested:
            return
        self.requested = True
        # Straight to the terminal: whatever the interrupted code holds (a lock of the progress bar, say) is not needed.
        os.write(2, b"\nfinishing the step and saving; once more ends at once\n")
