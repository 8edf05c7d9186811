"""Leaving when told to by a signal: the terminal is given back as it was, even by an app that hangs.

`kill` (SIGTERM) and a terminal that goes away (SIGHUP) would end the process at once otherwise, and leave the shell
with another screen, without a cursor, and with a mouse that types. Nobody can help it against `kill -9`; `reset` mends
the shell then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import FrameType
from typing import Any

from textual.app import App

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE = 2.0
"""Seconds that the app has to leave by itself."""
LAST = 1.0
"""Seconds that giving the terminal back by force may take: it may be a terminal that takes nothing any more."""


def on_signals(app: App[Any]) -> None:
    """Leave on a signal from now on; training goes on. For the main thread."""

    def leave(number: int, _frame: FrameType | None) -> None:
        said = f"ended by {signal.Signals(number).name}; training goes on; `sslterm ls` shows it"
        signal.signal(signal.SIGALRM, lambda *_: _by_force(app, number))
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # not yet, or not any more: there is nothing to give back
            raise SystemExit(128 + number) from None
        loop.call_soon_threadsafe(lambda: app.exit(return_code=128 + number, message=said))

    for number in SIGNALS:
        signal.signal(number, leave)


def _by_force(app: App[Any], number: int) -> None:
    """It hangs: do what its end would do to the terminal, and be gone."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, LAST)
    with contextlib.suppress(Exception):
        if app._driver is not None:
            app._driver.stop_application_mode()
            app._driver.close()
    os._exit(128 + number)
