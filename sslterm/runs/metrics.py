"""Metrics: append-only JSON lines, one segment an attempt, one write a row.

A row is `{"step": 1200, "stage": "pretrain", "epoch": 3.5, "time": 1763820000.1, "train/loss": 2.31, ...}`; `step`
counts through the whole run. A later attempt that begins again at an earlier step replaces what an earlier one said
from there on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from sslterm.runs.files import finite


class MetricsWriter:
    """Appends rows to the segment of one attempt."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._file = os.open(folder / f"{attempt:04d}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, row: dict[str, Any]) -> None:
        """One row, in one write, so that a reader sees whole lines. Raises OSError."""
        line = json.dumps(finite(row), separators=(",", ":")).encode() + b"\n"
        written = os.write(self._file, line)
        if written < len(line):
            raise OSError(28, "No space left on device")

    def close(self) -> None:
        """No more rows."""
        os.close(self._file)

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read(folder: Path) -> list[dict[str, Any]]:
    """Every row that holds, in order of steps. Torn and foreign lines are passed over."""
    rows: list[dict[str, Any]] = []
    for segment in sorted(folder.glob("*.jsonl")):
        fresh = [row for row in map(_row, segment.read_bytes().splitlines()) if row is not None]
        if fresh:
            first = min(row["step"] for row in fresh)
            rows = [row for row in rows if row["step"] < first] + fresh
    return rows


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


def column(rows: list[dict[str, Any]], name: str) -> list[tuple[int, float]]:
    """(step, value) of one metric."""
    return [(row["step"], float(row[name])) for row in rows if name in row]
