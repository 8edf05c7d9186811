"""Looking for answers, in a thread: only files that are new or changed are read."""

from __future__ import annotations

import os
from pathlib import Path

from textual.message import Message

from sslterm.runs import Run, files
from sslterm.runs.files import DamagedFile
from sslterm.tui.screens.evaluation.answers import Answer, answer
from sslterm.tui.screens.evaluation.entries import Entry, grouped

Stamp = tuple[int, int, int]
"""When a file was changed, how long it is, which one it is."""


class AnswersSeen(Message):
    """The answers that there are, by question, and what is wrong with files that hold none."""

    def __init__(self, entries: list[Entry], count: int, wrong: list[str], gone: bool = False) -> None:
        super().__init__()
        self.entries, self.count, self.wrong, self.gone = entries, count, wrong, gone


class Answers:
    """What a watch over the evaluations of a run looks at."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._stamps: dict[str, Stamp] | None = None
        self._read: dict[str, tuple[Stamp, Answer | str]] = {}
        """Of each file: as it was when it was read, and the answer, or why there is none."""

    def __call__(self) -> Message | None:
        stamps = _stamps(self.run.evaluations)
        if stamps is None and not self.run.path.is_dir():
            seen = self._stamps != {"": (0, 0, 0)}
            self._stamps = {"": (0, 0, 0)}
            return AnswersSeen([], 0, [], gone=True) if seen else None
        stamps = stamps or {}
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        self._read = {name: self._kept(name, stamp) for name, stamp in stamps.items()}
        answers = [one for _, one in self._read.values() if isinstance(one, Answer)]
        wrong = [one for _, one in self._read.values() if isinstance(one, str)]
        return AnswersSeen(grouped(answers), len(answers), wrong)

    def _kept(self, name: str, stamp: Stamp) -> tuple[Stamp, Answer | str]:
        before = self._read.get(name)
        return before if before and before[0] == stamp else (stamp, _read(self.run.evaluations / name))


def _stamps(folder: Path) -> dict[str, Stamp] | None:
    """The files of a folder, in order; None where there is no folder."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if entry.name.endswith(".json") and not entry.name.startswith(".")]
    except OSError:
        return None
    return {entry.name: stamp for entry in sorted(entries, key=lambda one: one.name) if (stamp := _stamp(entry))}


def _stamp(entry: os.DirEntry[str]) -> Stamp | None:
    try:
        stat = entry.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _read(path: Path) -> Answer | str:
    try:
        return answer(files.read_json(path), path)
    except FileNotFoundError:
        return f"{path}: went away"
    except DamagedFile as error:
        return str(error)
