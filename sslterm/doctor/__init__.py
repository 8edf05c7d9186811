"""A look at this machine: every fact that decides how well sslterm works here, each a sentence and what mends it.

Looking never fails: what cannot be found out is a finding too. Nothing heavy is loaded until its turn comes, last.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sslterm.doctor.finding import Finding, Level, note
from sslterm.tables import safe

__all__ = ["Finding", "examine", "text"]

GLYPHS: dict[Level, str] = {"good": "✓", "note": "·", "bad": "✗"}
PLAIN: dict[Level, str] = {"good": "+", "note": "-", "bad": "x"}
"""For terminals that cannot show the others."""


def examine(runs_dir: Path, data_dir: Path) -> Iterator[Finding]:
    """Everything worth knowing, as soon as it is known: what takes a moment first, what loads torch last."""
    for subject, look in _looks(runs_dir, data_dir):
        try:
            yield from look()
        except Exception as error:
            yield note(subject, f"this could not be found out ({type(error).__name__}: {error or 'no reason given'})")


def _looks(runs_dir: Path, data_dir: Path) -> list[tuple[str, Callable[[], Iterator[Finding]]]]:
    from sslterm.doctor import clock, data, disk, learning, machine, session, software

    return [
        ("python", software.python),
        ("sslterm", software.installation),
        ("packages", software.packages),
        ("cores", machine.cores),
        ("memory", machine.memory),
        ("files", machine.open_files),
        ("disk", partial(disk.runs, runs_dir)),
        ("disk", partial(disk.data, data_dir)),
        ("clock", partial(clock.clock, runs_dir)),
        ("terminal", session.terminal),
        ("logout", session.logout),
        ("data", partial(data.sets, data_dir)),
        ("data", partial(data.caches, data_dir)),
        ("torch", learning.versions),
        ("device", learning.devices),
        ("precision", learning.precision),
    ]


def text(finding: Finding) -> str:
    """The lines for a terminal: how it stands, the sentence, and what mends it beneath."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    glyphs = GLYPHS if _shows(GLYPHS, encoding) else PLAIN
    lines = [f"{glyphs[finding.level]} {finding.level:<4}  {finding.subject:<9}  {_one_line(finding.text)}"]
    if finding.fix:
        lines.append(f"{'':<19}fix: {_one_line(finding.fix)}")
    return "\n".join(lines).encode(encoding, "replace").decode(encoding)


def _one_line(words: str) -> str:
    return safe(" ".join(words.splitlines()))


def _shows(glyphs: dict[Level, str], encoding: str) -> bool:
    try:
        "".join(glyphs.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
