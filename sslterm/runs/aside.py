"""Folders aside: a run that is being made, or deleted, has a hidden name beside the others, which says who is at it.

Whoever is killed meanwhile leaves such a folder behind. It is deleted once its maker is known to be dead.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path

from sslterm.runs import identity

NEW, GONE = ".new", ".gone"
FORM = re.compile(r"\.(?:new|gone)-(?:(?:(?P<host>.+)-)?(?P<pid>\d+)-)?(?:[0-9a-f]{8}|[0-9a-f]{16})")
"""Host and number of the process are not in the names that earlier versions gave. What is named otherwise is not ours.
"""
LONG = 24 * 3600.0
"""Seconds after which a folder counts as left behind where nobody can tell whether its maker lives."""


def name(kind: str) -> str:
    """A name that nobody else has: `.new-HOST-PID-1f2e3d4c`."""
    return f"{kind}-{_host()}-{os.getpid()}-{secrets.token_hex(4)}"


def _host() -> str:
    return identity.host()[:64].replace("/", "_")


def sweep(runs_dir: Path) -> list[Path]:
    """Delete what killed processes left behind; gives back what is gone. Never raises: somebody else may sweep too."""
    try:
        with os.scandir(runs_dir) as entries:
            found = [Path(entry.path) for entry in entries if FORM.fullmatch(entry.name)]
        left = [path for path in found if path.is_dir() and not path.is_symlink() and _left_behind(path)]
    except OSError:
        return []
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return [path for path in left if not path.exists()]


def _left_behind(path: Path) -> bool:
    """Whether its maker is dead. A maker on another machine cannot be seen; then age decides."""
    said = FORM.fullmatch(path.name)
    if said and said["pid"] and said["host"] in (None, _host()):
        return identity.started(int(said["pid"])) is None
    try:
        return time.time() - path.stat().st_mtime > LONG
    except OSError:
        return False
