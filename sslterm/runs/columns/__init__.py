"""The metrics of a run as columns of float64, for charts: derived once, kept in `.cache/`, and then only continued.

    found = columns.open(run.path)
    found.get("train/loss").value      # numpy.asarray takes it without a copy
    found.refresh()                    # parses what was appended since

The cache may be deleted at any time, cannot be written in somebody else's directory, and is made anew where it is
damaged: what `get` says does not depend on it. One thread at a time may use an object of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sslterm.runs.columns.segment import Segment
from sslterm.runs.metrics import segments


@dataclass(frozen=True)
class Column:
    """One metric over a run: four views of float64 of equal length. They do not change; ask again after a refresh."""

    step: memoryview[float]
    epoch: memoryview[float]
    time: memoryview[float]
    value: memoryview[float]

    def __len__(self) -> int:
        return len(self.step)


def open(place: Path, cache_dir: Path | None = None) -> Columns:
    """The columns of a run directory (or of its folder of metrics); `cache_dir` is its `.cache` unless given."""
    folder = place if place.name == "metrics" else place / "metrics"
    return Columns(folder, folder.parent / ".cache" if cache_dir is None else cache_dir)


class Columns:
    """Every metric of a run, resolved over its attempts: a later one replaces earlier ones from its first step on."""

    def __init__(self, folder: Path, cache_dir: Path) -> None:
        self._folder = folder
        self._cache = cache_dir / "metrics"
        self._segments: list[Segment] = []
        self.refresh()
        self._save()

    def refresh(self) -> bool:
        """Take in what was written since. Gives back whether anything changed."""
        known = {segment.path: segment for segment in self._segments if segment.looks_the_same()}
        before = self._segments
        there = segments(self._folder)
        self._segments = [known.get(path) or Segment(path, self._cache / path.stem) for path in there]
        grew = [segment.follow() for segment in self._segments]
        return before != self._segments or any(grew)

    def names(self) -> list[str]:
        """The metrics that have a value, in order of the alphabet."""
        found: set[str] = set()
        for segment, before in self._resolved():
            found.update(segment.names(before))
        return sorted(found)

    def get(self, name: str) -> Column:
        """One metric; empty where nobody measured it."""
        found = [segment.columns(name, before) for segment, before in self._resolved()]
        pieces = [piece for piece in reversed(found) if piece and len(piece[0])]
        if len(pieces) == 1:
            return Column(*pieces[0])
        return Column(*(_joined([piece[i] for piece in pieces]) for i in range(4)))

    def close(self) -> None:
        """Keep what is worth it."""
        self._save()

    def __enter__(self) -> Columns:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _save(self) -> None:
        for segment in self._segments:
            segment.save()

    def _resolved(self) -> Iterator[tuple[Segment, float]]:
        """Segments, the latest first, with the step that a later one replaces each from."""
        before = math.inf
        for segment in reversed(self._segments):
            yield segment, before
            before = before if segment.first is None else min(before, segment.first)


def _joined(views: list[memoryview[float]]) -> memoryview[float]:
    return memoryview(b"".join(views)).cast("d")
