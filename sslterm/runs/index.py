"""The index of runs: a list of thousands costs a look at each, and no more than a look where nothing changed.

runs/.sslterm/index.json      summaries of runs that are over
runs/.sslterm/settings.json   their settings, for filters that ask about them

Each entry stands beside a signature of the files it was made from. Whatever is wrong with an index (damaged, foreign,
of another version, not to be written), the runs themselves are read; it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sslterm import __version__
from sslterm.runs import files
from sslterm.runs.directory import Run, list_runs
from sslterm.runs.filters import Filter
from sslterm.runs.summary import Row, settings, summary

HOME = ".sslterm"
KEPT = frozenset({"finished", "failed", "interrupted", "paused", "killed"})
"""States that the files alone tell. Every other one depends on processes, locks, the boot or the machine."""
TOLD_BY = (
    "run.json", "status.json", "notes.json", "jobs/train/job.json", "checkpoints/best.json", "evaluations",
)  # fmt: skip
"""What changes when the summary of a run that is over does."""
YOUNG = 1_000_000_000
"""Nanoseconds within which a file may change once more and yet show the same time: too fresh to be remembered."""


def summaries(runs_dir: Path) -> list[Row]:
    """Every run, the newest first."""
    return newest_first(row for row, _ in each(runs_dir))


def newest_first(rows: Iterable[Row]) -> list[Row]:
    """In the order of lists."""
    return sorted(rows, key=lambda row: (row["created"] or 0.0, row["name"]), reverse=True)


def each(runs_dir: Path) -> Iterator[tuple[Row, int | None]]:
    """Every run as it is looked at, from the last name on, which most often is the newest; and the number of its
    signature, None where that is too young to tell. The index is kept when the last one was asked for."""
    index = Index(runs_dir / HOME / "index.json")
    for run in reversed(list_runs(runs_dir)):
        row, signature = _summary(run, index)
        yield row, None if signature.young else signature.number
    index.save()


def signature(run: Run) -> int | None:
    """What tells whether the summary of a run that is over still holds; None where it is too young to tell."""
    found = Signature(str(run.path), TOLD_BY)
    return None if found.young else found.number


def matching(runs_dir: Path, wanted: Filter) -> list[Row]:
    """The runs that a filter means, the newest first. Raises FilterError where no run fits for a setting misspelt."""
    rows = summaries(runs_dir)
    if not wanted.settings:
        return [row for row in rows if wanted.fits(row)]
    index = Index(runs_dir / HOME / "settings.json")
    found = {row["name"]: _settings(Run(runs_dir / row["name"]), index) for row in rows}
    index.save()
    fitting = [row for row in rows if wanted.fits(row | {"cfg": found[row["name"]]})]
    if not fitting:
        wanted.look_for_slips({key for cfg in found.values() for key in cfg})
    return fitting


def _summary(run: Run, index: Index) -> tuple[Row, Signature]:
    path = str(run.path)
    signature = Signature(path, TOLD_BY)
    known = index.get(run.name, signature)
    if known is not None:
        return {**known, "name": run.name, "path": path, **_with(known, HERE, path)}, signature
    row = summary(run)
    if row["state"] in KEPT:
        index.put(run.name, signature, {**row, "name": "", "path": "", **_with(row, path, HERE)})
    return row, signature


HERE = "\0"
"""Stands for the run's path in an entry, for the same runs are listed as `runs` here and by another path there."""


def _with(row: Row, path: str, other: str) -> Row:
    return {key: row[key].replace(path, other) for key in ("reason", "advice")}


def _settings(run: Run, index: Index) -> Row:
    signature = Signature(str(run.path), ("resolved.toml",))
    known = index.get(run.name, signature)
    if known is not None:
        return known
    found = settings(run)
    index.put(run.name, signature, found)
    return found


class Signature:
    """What tells one content of some files from another without reading them. Taken before they are read, so that what
    is written meanwhile is seen the next time."""

    def __init__(self, folder: str, names: Iterable[str]) -> None:
        seen: list[int] = []
        newest = 0
        for name in names:
            try:
                found = os.stat(f"{folder}/{name}")
            except (OSError, ValueError):
                seen.append(0)
                continue
            seen += found.st_mtime_ns, found.st_size, found.st_ino
            newest = max(newest, found.st_mtime_ns)
        self.number = hash(tuple(seen))  # of whole numbers, and so the same in every process
        self.young = abs(time.time_ns() - newest) < YOUNG


class Index:
    """Entries by the names of runs, in one file. Never raises: what cannot be read is empty, what cannot be written is
    not kept. Two that write at once replace each other's file, and either is as good."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = _read(path)
        self._now: dict[str, list[Any]] = {}
        self._changed = False

    def get(self, name: str, signature: Signature) -> Row | None:
        """The entry of a run, if its files are as they were."""
        entry = self._before.get(name)
        if entry is None or entry[0] != signature.number:
            return None
        self._now[name] = entry
        value: Row = entry[1]
        return value

    def put(self, name: str, signature: Signature, value: Row) -> None:
        """Remember an entry."""
        if not signature.young:
            self._now[name] = [signature.number, value]
            self._changed = True

    def save(self) -> None:
        """Write what was got and put since, where that differs from what is there: runs that are gone are forgotten."""
        if not self._changed and len(self._now) == len(self._before):
            return
        body = json.dumps(self._now, separators=(",", ":")).encode()
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            _sweep(self.path)
            files.write_whole(self.path, lambda file: file.write(_head(body) + body), lasting=False)


def _head(body: bytes) -> bytes:
    """The first line: whose index it is, and a checksum, so that a damaged one is never half believed."""
    return f"sslterm {__version__} index 1 {zlib.crc32(body):08x}\n".encode()


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        entries: dict[str, list[Any]] = json.loads(body) if head + b"\n" == _head(body) else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return entries


def _sweep(path: Path) -> None:
    """Delete what somebody who was killed while writing left behind."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        if time.time() - left.stat().st_mtime > 60:
            left.unlink(missing_ok=True)
