"""Whether checkpoints are whole, byte for byte. A file is read once, and again only if it has changed since."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sslterm.runs import files
from sslterm.runs.summary import Row

PART = 4 * 2**20
"""Bytes between two looks at whether anybody still wants to know."""


@dataclass(frozen=True)
class Finding:
    """What is known of one file."""

    word: str
    """verified, damaged, gone, or changed: it is not what the row was made of any more."""
    size: int | None = None
    """Bytes that are there, where it is damaged."""
    problem: str = ""
    """Why it cannot be read."""


GONE, VERIFIED, CHANGED = Finding("gone"), Finding("verified"), Finding("changed")


class Verifier:
    """Remembers findings by path, size and time of the last change. For one thread."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int, Finding]] = {}

    def forget(self, path: str) -> None:
        """Read this one again when next asked."""
        self._known.pop(path, None)

    def known(self, row: Row) -> Finding | None:
        """What can be said without reading the file; None where it has to be read."""
        try:
            found = os.stat(row["path"])
        except FileNotFoundError:
            return GONE
        except OSError as error:
            return Finding("damaged", problem=error.strerror or "cannot be read")
        if found.st_size != row["size"]:
            return _damaged(row, found.st_size)
        size, changed, finding = self._known.get(row["path"], (0, 0, None))
        return finding if (size, changed) == (found.st_size, found.st_mtime_ns) else None

    def read(self, row: Row, wanted: Callable[[], bool]) -> Finding | None:
        """Read the file; None where it is no longer `wanted` before its end."""
        path = row["path"]
        try:
            with open(path, "rb") as file:
                before = os.fstat(file.fileno())
                digest = hashlib.sha256()
                while part := file.read(PART):
                    digest.update(part)
                    if not wanted():
                        return None
        except FileNotFoundError:
            return GONE
        except OSError as error:
            return Finding("damaged", problem=error.strerror or "cannot be read")
        same = digest.hexdigest() == row["sha256"]
        finding = VERIFIED if same else _damaged(row, before.st_size)
        self._known[path] = (before.st_size, before.st_mtime_ns, finding)
        return finding


def _damaged(row: Row, size: int) -> Finding:
    """A file that is not as described, unless the description is another by now: then a trainer wrote both anew."""
    said = files.read_or_nothing(Path(row["path"]).with_suffix(".json"))
    return Finding("damaged", size) if said.get("sha256", row["sha256"]) == row["sha256"] else CHANGED
