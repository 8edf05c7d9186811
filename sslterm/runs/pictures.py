"""Pictures that are kept: one PNG an answer, a JSON beside it that says what lies where in it, found by its question.

RUN/pictures/mistakes-1f2e3d4c5b.png, .json     of a run
RUNS/.sslterm/pictures/views-....png, .json     of a preset that nobody has trained yet
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sslterm.runs import files
from sslterm.runs.directory import Run
from sslterm.runs.files import DamagedFile
from sslterm.runs.index import HOME

KEPT = 50
"""Sheets that a folder holds; those that were asked for longest ago are deleted."""
NAME = re.compile(r"[a-z]+-[0-9a-f]{10}\.png")

Answer = dict[str, Any]
"""`kind`, `title`, `sheet` (the absolute path of the PNG) and `rows` of tiles."""


def of_run(run: Run) -> Path:
    """Where pictures of a run are kept."""
    return run.path / "pictures"


def of_presets(runs_dir: Path) -> Path:
    """Where pictures of presets are kept."""
    return runs_dir / HOME / "pictures"


def found(folder: Path, question: dict[str, Any]) -> Answer | None:
    """The answer, where this very question was asked before and its sheet holds."""
    sheet = _place(folder, question)
    try:
        kept = files.read_json(sheet.with_suffix(".json"))
        if kept.pop("question", None) != question or kept.pop("sha256", None) != files.sha256(sheet):
            return None
    except (OSError, DamagedFile):
        return None
    with contextlib.suppress(OSError):  # somebody else's run: it can be looked at all the same
        os.utime(sheet)
    return {**kept, "sheet": str(sheet.absolute())}


def keep(folder: Path, question: dict[str, Any], answer: Answer, write: Callable[[BinaryIO], object]) -> Answer:
    """Store an answer whose sheet `write` fills, each file whole or not at all. Raises OSError."""
    sheet = _place(folder, question)
    folder.mkdir(exist_ok=True)  # not its parents: a run that was deleted meanwhile stays deleted
    files.sweep(folder)
    files.write_whole(sheet, write)
    files.write_json(sheet.with_suffix(".json"), {**answer, "question": question, "sha256": files.sha256(sheet)})
    _forget_oldest(folder)
    return {**answer, "sheet": str(sheet.absolute())}


def _place(folder: Path, question: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    return folder / f"{question['kind']}-{digest[:10]}.png"


def _forget_oldest(folder: Path) -> None:
    """Delete all but the newest, the description of each first: without it, the rest counts for nothing."""
    sheets = []
    for name in filter(NAME.fullmatch, os.listdir(folder)):
        with contextlib.suppress(FileNotFoundError):  # somebody else tidies up too
            sheets.append(((folder / name).stat().st_mtime_ns, name))
    for _, name in sorted(sheets, reverse=True)[KEPT:]:
        (folder / name).with_suffix(".json").unlink(missing_ok=True)
        (folder / name).unlink(missing_ok=True)
