"""One attempt's segment of metrics, followed as columns, and kept in files so that it need not be parsed twice.

The folder that keeps it holds a file of float64 a column and `columns.json`, which says up to which byte of which file
they were derived, how many values hold, and their checksums. That is written last: a kill at any moment leaves a folder
that is used or made anew, never a wrong one. Two readers at once: the one that saves first keeps it up; the other reads
what was kept and holds the rest in memory.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import zlib
from pathlib import Path
from typing import Any

from sslterm.runs import crash, files
from sslterm.runs.columns.series import Series
from sslterm.runs.columns.table import Table, Tables
from sslterm.runs.files import DamagedFile
from sslterm.runs.metrics import parse
from sslterm.runs.tail import Tail

SCHEMA = 1
SAVE_EVERY = 1 << 24
"""Bytes of a segment between two saves of what was derived from them."""
WORTH_SAVING = 1 << 16
"""Fewer bytes are parsed again in no time."""
CHECKED = 1024
"""How many of the bytes that were taken last must be the same for what was kept to be used."""


class Segment:
    """The columns of one attempt. Follows its file; `folder` keeps what was derived, where that can be written."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        self._writes = True
        self._forget()
        said = self._said()
        self._stamp = said.get("stamp")
        """Which save this one continues; another one in `columns.json` means another reader."""
        if said:
            self._continue(said)

    @property
    def first(self) -> int | None:
        """The step that this attempt began at, once it has a row."""
        return self._tables.first

    def looks_the_same(self) -> bool:
        """Look at the file: False where it is gone, another one, or shorter than what was parsed."""
        return self._tail.looks_the_same()

    def follow(self) -> bool:
        """Parse what is new at the last look. Gives back whether there was something."""
        before = self._tail.offset
        try:
            self._parse()
        except DamagedFile:
            self._again()
        return self._tail.offset != before

    def names(self, before: float) -> list[str]:
        """The metrics that were measured at steps below `before`."""
        try:
            return self._tables.names(before)
        except DamagedFile:
            self._again()
            return self._tables.names(before)

    def columns(self, name: str, before: float) -> list[memoryview[float]]:
        """Step, epoch, time and value of a metric at steps below `before`; empty where there is none."""
        try:
            return self._tables.columns(name, before)
        except DamagedFile:
            self._again()
            return self._tables.columns(name, before)

    def _parse(self) -> None:
        while lines := self._tail.take():
            self._tables.add(parse(lines))
            if self._tail.offset - self._saved >= SAVE_EVERY:
                self.save()

    def _forget(self) -> None:
        self._tail = Tail(self.path)
        self._tables = Tables(self._folder)
        self._saved = 0

    def _again(self) -> None:
        """What was kept is damaged: parse everything."""
        self._forget()
        self._parse()

    # -------------------------------------------------------- keeping

    def save(self) -> None:
        """Keep what was derived, unless another reader keeps something else here or nothing can be written."""
        if not self._writes or self._tail.offset - self._saved < WORTH_SAVING:
            return
        try:
            for folder in (self._folder.parents[1], self._folder.parent, self._folder):
                folder.mkdir(exist_ok=True)  # not `parents`: a run that was deleted must not come back
            with (self._folder / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._writes = self._said().get("stamp") == self._stamp
                if self._writes:
                    self._write()
        except BlockingIOError:
            pass  # somebody saves just now; the next save sees whether that was another
        except OSError:
            self._writes = False

    def _write(self) -> None:
        every = [series for table in self._tables.all for series in table.series()]
        checksums = {}
        for series in every:
            checksums[series.file] = series.write(self._folder)
            crash.point("columns.series")
        stamp = secrets.token_hex(8)
        says = {
            "schema": SCHEMA, "stamp": stamp, "inode": self._tail.inode, "offset": self._tail.offset,
            "check": self._check(self._tail.offset), "first": self._tables.first, "furthest": self._tables.furthest,
            "ordered": self._tables.ordered, "files": self._tables.files,
            "tables": [_described(table, checksums) for table in self._tables.all],
        }  # fmt: skip
        aside = self._folder / "columns.json.tmp"
        aside.write_text(json.dumps({"crc": _crc(says), "says": says}))
        crash.point("columns.written")
        aside.replace(self._folder / "columns.json")
        crash.point("columns.renamed")
        for series in every:
            series.keep(checksums[series.file])
        self._stamp, self._saved = stamp, self._tail.offset

    def _continue(self, said: dict[str, Any]) -> None:
        """Begin from what was kept, where it was derived from this very file."""
        if said.get("schema") != SCHEMA or said["inode"] != self._tail.inode:
            return
        tail = Tail(self.path, said["offset"], said["inode"])
        if not tail.looks_the_same() or self._check(said["offset"]) != said["check"]:
            return
        self._tail, self._saved, kept = tail, said["offset"], self._tables
        kept.first, kept.furthest, kept.ordered = said["first"], said["furthest"], said["ordered"]
        kept.files = said["files"]
        for table in said["tables"]:
            kept.begin(_table(table))

    def _said(self) -> dict[str, Any]:
        """What `columns.json` says; empty where it is missing or damaged."""
        try:
            kept = files.read_json(self._folder / "columns.json")
        except (DamagedFile, FileNotFoundError):
            return {}
        said = kept.get("says")
        return said if isinstance(said, dict) and _crc(said) == kept.get("crc") else {}

    def _check(self, offset: int) -> int | None:
        """A checksum of the last bytes before an offset: a file that was written anew has others there."""
        begin = max(0, offset - CHECKED)
        try:
            with self.path.open("rb", buffering=0) as file:
                return zlib.crc32(os.pread(file.fileno(), offset - begin, begin))
        except OSError:
            return None


def _described(table: Table, checksums: dict[str, int]) -> dict[str, Any]:
    def kept(series: Series) -> list[Any]:
        return [series.file, series.count, checksums[series.file]]

    metrics = {name: kept(series) for name, series in table.metrics.items()}
    return {"place": [kept(series) for series in table.place], "metrics": metrics}


def _table(said: dict[str, Any]) -> Table:
    metrics = {name: Series(*kept) for name, kept in said["metrics"].items()}
    return Table(tuple(Series(*kept) for kept in said["place"]), metrics)


def _crc(says: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(says).encode())
