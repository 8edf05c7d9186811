"""Metrics: append-only JSON lines, one segment an attempt, one write a row.

A row is `{"step": 1200, "stage": "pretrain", "epoch": 3.5, "time": 1763820000.1, "train/loss": 2.31, ...}`; `step`
counts through the whole run. A later attempt that begins again at an earlier step replaces what an earlier one said
from there on: what counts is the step of its first row.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from sslterm.runs.files import finite
from sslterm.runs.tail import Tail

MOST_WAITING = 10_000
"""Rows that a writer keeps while the disk takes none."""

_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class MetricsWriter:
    """Appends rows to the segment of one attempt.

    A disk that takes no more is borne: `trouble` says so, and the rows wait and are tried again with the next one.
    """

    def __init__(self, folder: Path, attempt: int) -> None:
        self._path = folder / f"{attempt:04d}.jsonl"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._waiting: deque[bytes] = deque()
        self._rest = b"" if _ends_whole(self._file) else b"\n"
        """What is missing on the disk of a row that went out in part, or of a line that another writer left torn."""
        self.dropped = 0
        """Rows that were given up because too many waited."""
        self._error: OSError | None = None
        self._closed = False

    @property
    def trouble(self) -> str | None:
        """Why rows wait and what to do, for people; None while all is written."""
        if self._error is None:
            return None
        lost = self.dropped + self._held if self._closed else self.dropped
        said = f"{self._path}: metrics cannot be written ({self._error.strerror})"
        if not self._closed:
            said += f"; rows waiting in memory for room on the disk: {self._held:,}"
        return f"{said}; rows lost: {lost:,}" if lost else said

    def write(self, row: dict[str, Any]) -> None:
        """One row, in one write, so that a reader sees whole lines."""
        self._waiting.append(_line(row))
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._send()

    def close(self) -> None:
        """Try once more what waits; no more rows."""
        self._send()
        self._closed = True
        try:
            os.close(self._file)
        except OSError as error:  # a network disk says only now that it took no more
            self._error = error

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def _held(self) -> int:
        return len(self._waiting) + (len(self._rest) > 1)

    def _send(self) -> None:
        """Write what waits, oldest first. A row that went out in part is continued where it broke off."""
        try:
            while self._rest or self._waiting:
                if not self._rest:
                    self._rest = self._waiting.popleft()
                self._rest = self._rest[os.write(self._file, self._rest) :]
        except OSError as error:
            self._error = error
        else:
            self._error = None


def _line(row: dict[str, Any]) -> bytes:
    try:
        return _compact.encode(row).encode() + b"\n"
    except ValueError:  # a value that is no number: JSON has none
        return _compact.encode(finite(row)).encode() + b"\n"


def _ends_whole(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"


# ---------------------------------------------------------------- reading


@dataclass(frozen=True)
class News:
    """What a look at the metrics found."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """New whole rows, in order."""
    replaces: float | None = None
    """Drop first what you were given from this step on: a later attempt says it anew. `-inf`: drop everything."""
    more: bool = False
    """Whether `at_most` kept something back that could be read now."""


class MetricsReader:
    """Gives out each row once, while a trainer appends. Reads only what is new; never writes, never raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._forget()

    def poll(self, at_most: int | None = None) -> News:
        """Whole rows since the last poll, from about `at_most` bytes. A torn last line waits until it is whole."""
        if self._look():
            return News(*self._read(at_most, None))
        self._forget()
        self._look()
        return News(*self._read(at_most, -math.inf))

    def _forget(self) -> None:
        self._tails: list[Tail] = []
        self._current = 0
        self._begun = False
        self._furthest = -math.inf

    def _look(self) -> bool:
        """Look at every segment, new ones too. False where what was read is no longer what it was."""
        there = segments(self._folder)
        known = [tail.path for tail in self._tails]
        if there[: len(known)] != known or not all(tail.looks_the_same() for tail in self._tails):
            return False
        self._tails += map(Tail, there[len(known) :])
        return not any(tail.grew for tail in self._tails[: self._current])

    def _read(self, at_most: int | None, replaces: float | None) -> tuple[list[dict[str, Any]], float | None, bool]:
        rows: list[dict[str, Any]] = []
        left = math.inf if at_most is None else at_most
        while self._current < len(self._tails):
            lines = self._tails[self._current].take() if left > 0 else b""
            left -= len(lines)
            if lines:
                replaces = self._add(rows, parse(lines), replaces)
            elif left <= 0:
                return rows, replaces, any(tail.grew for tail in self._tails[self._current :])
            elif self._current + 1 < len(self._tails):
                self._current, self._begun = self._current + 1, False
            else:
                break
        return rows, replaces, False

    def _add(self, rows: list[dict[str, Any]], fresh: list[dict[str, Any]], replaces: float | None) -> float | None:
        """Add fresh rows of a segment; its first ones replace what earlier attempts said from there on."""
        if fresh and not self._begun:
            self._begun, first = True, fresh[0]["step"]
            rows[:] = [row for row in rows if row["step"] < first]
            if first <= self._furthest:
                replaces = first if replaces is None else min(first, replaces)
        rows += fresh
        self._furthest = max([self._furthest, *(row["step"] for row in fresh)])
        return replaces


def segments(folder: Path) -> list[Path]:
    """The files of metrics, in order of attempts."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".jsonl")]
    except OSError:
        return []
    return [folder / name for name in sorted(names, key=lambda name: (len(name), name))]


def parse(lines: bytes) -> list[dict[str, Any]]:
    """The rows in whole lines: all at once where every line is one, else line by line without those that are none."""
    try:
        rows = json.loads("[" + lines[:-1].decode().replace("\n", ",") + "]")
    except (ValueError, RecursionError):
        return list(_one_by_one(lines))
    whole = len(rows) == lines.count(b"\n") and all(map(_holds, rows))
    return rows if whole else list(_one_by_one(lines))


def _one_by_one(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _holds(row):
            yield row


def _holds(row: Any) -> bool:
    """Whether it is a row: a table with a step, which a float can hold."""
    return type(row) is dict and type(step := row.get("step")) is int and abs(step) < 1 << 53


def read(folder: Path) -> list[dict[str, Any]]:
    """Every row that holds, in order of steps. Torn and foreign lines are passed over."""
    return MetricsReader(folder).poll().rows


def column(rows: list[dict[str, Any]], name: str) -> list[tuple[int, float]]:
    """(step, value) of one metric."""
    values = ((row["step"], number(row[name])) for row in rows if name in row)
    return [(step, value) for step, value in values if value is not None]


def number(value: Any) -> float | None:
    """A value of a row as a number; `nan`, `inf` and `-inf` are text there. None where it is no number."""
    if isinstance(value, str) and value not in ("nan", "inf", "-inf"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
