"""Crash points: places at which a test can have this process killed, to see that nothing is lost whenever it dies.

`SSLTERM_CRASH_AT=pt.synced:2` kills with SIGKILL the second time that point is reached. A step of writing a file has
two names: by its kind (`json.written`) and by its own (`status.json.written`). Unset, as always outside tests, a point
costs one look at a variable.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_name, _left = "", 0


def arm(place: str) -> None:
    """Have this process killed at `name:count`; the empty text disarms."""
    global _name, _left
    _name, _, count = place.partition(":")
    _left = int(count) if count.isdigit() else 1


def point(step: str, path: Path | None = None) -> None:
    """Here, at a step (of writing `path`), a test may have us killed."""
    global _left
    if not _name or _name not in _names(step, path):
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _names(step: str, path: Path | None) -> tuple[str, ...]:
    return (step,) if path is None else (f"{path.suffix.removeprefix('.')}.{step}", f"{path.name}.{step}")


arm(os.environ.get("SSLTERM_CRASH_AT", ""))
