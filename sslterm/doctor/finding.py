"""What a look at the machine ends in: a sentence with the facts, and one that mends what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "note", "bad"]
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One fact about this machine."""

    subject: str
    level: Level
    """`note`: works, but worth knowing. `bad`: something that sslterm promises does not hold here."""
    text: str
    fix: str | None = None
    """A sentence or a command that mends it."""


def good(subject: str, text: str) -> Finding:
    """As it should be."""
    return Finding(subject, "good", text)


def note(subject: str, text: str, fix: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(subject, "note", text, fix)


def bad(subject: str, text: str, fix: str) -> Finding:
    """To be mended."""
    return Finding(subject, "bad", text, fix)


def gib(size: float) -> str:
    """`7.5 GiB`, `312 MiB`."""
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / 2**20:,.0f} MiB"


def counted(number: int, noun: str) -> str:
    """`1 core`, `2 cores`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
