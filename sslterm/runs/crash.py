"""Crash points: places at which a test can have this process killed, to see that nothing is lost whenever it dies.

`SSLTERM_CRASH_AT=pt.synced:2` kills with SIGKILL the second time that point is reached. Unset, as always outside
tests, a point costs one look at a variable.
"""

from __future__ import annotations

import os
import signal

_NAME, _, _COUNT = os.environ.get("SSLTERM_CRASH_AT", "").partition(":")
_left = int(_COUNT) if _COUNT.isdigit() else 1


def point(name: str) -> None:
    """Here a test may have us killed."""
    global _left
    if not _NAME or name != _NAME:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
