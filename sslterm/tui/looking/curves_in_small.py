"""Curves in one row of text for the list of runs: read in a thread, of the runs in the window only."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from sslterm.runs import columns
from sslterm.runs.metrics import segments
from sslterm.runs.state import ALIVE
from sslterm.tui.widgets.chart.sparkline import sparkline
from sslterm.tui.widgets.run_table.columns import CURVE

Row = dict[str, Any]
MAIN = ("knn/top1", "valid/top1", "train/loss")
"""What stands for a run that is best at nothing yet; metrics of epochs, which are few even where steps are millions."""
LIVE, OVER = 2.0, 15.0
"""Seconds between two looks at one run: while it works, and afterwards."""
MOST = 1000
"""Curves that are remembered; a window shows some fifty."""
FEW = 8
"""Curves that are told of at once, so that the first are there before the last are read."""
FULL = ("█", "▇")
"""The highest bar leaves a little air, or the curves of runs beneath each other would be one wall."""
LARGE = 1 << 25
"""Bytes of metrics that are not parsed for a curve in small: opening the run does that once, and keeps it."""


class CurvesSeen(Message):
    """The curves that are known, by the paths of their runs."""

    def __init__(self, curves: dict[str, str]) -> None:
        super().__init__()
        self.curves = curves


@dataclass
class Known:
    """A curve, and what it was made of."""

    of: tuple[object, ...]
    curve: str
    at: float = 0.0


class CurvesInSmall:
    """What a watch looks at. `want` says which runs are in the window; `tell` gets a CurvesSeen, now and then."""

    def __init__(self, tell: Callable[[Message], object]) -> None:
        self._tell = tell
        self._wanted: Sequence[Row] = ()
        self._known: OrderedDict[str, Known] = OrderedDict()

    def want(self, rows: Sequence[Row]) -> None:
        """These from now on."""
        self._wanted = rows

    def __call__(self) -> Message | None:
        wanted, changed = self._wanted, 0
        for row in wanted:
            if wanted is not self._wanted:
                break  # the window moved on; the next look is at once
            changed += self._look(row)
            if changed == FEW:
                self._tell(self._seen())
                changed = 0
        return self._seen() if changed else None

    def _seen(self) -> CurvesSeen:
        return CurvesSeen({path: known.curve for path, known in self._known.items()})

    def _look(self, row: Row) -> bool:
        """Read a run's curve if that is due, and there is more of it than before. Tells whether it is another now."""
        path, now = row["path"], time.monotonic()
        known = self._known.get(path)
        if known and now - known.at < (LIVE if row["state"] in ALIVE else OVER):
            return False
        of = (row["best_metric"], *signature(path))
        fresh = known if known and known.of == of else Known(of, curve(path, row["best_metric"]))
        fresh.at = now
        self._known[path] = fresh
        self._known.move_to_end(path)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return known is None or known.curve != fresh.curve


def signature(path: str) -> list[tuple[str, int, int]]:
    """Which metrics there are: changes whenever a row is added."""
    found = []
    for segment in segments(Path(path) / "metrics"):
        try:
            stat = segment.stat()
        except OSError:
            continue
        found.append((segment.name, stat.st_size, stat.st_mtime_ns))
    return found


def readable(path: str) -> bool:
    """Whether the metrics are few, or were parsed before."""
    kept = Path(path) / ".cache" / "metrics"
    long = [name for name, size, _ in signature(path) if size > LARGE]
    return all((kept / Path(name).stem / "columns.json").exists() for name in long)


def curve(path: str, metric: str | None) -> str:
    """The metric of a run in a few blocks; empty where there are fewer than two values."""
    if not readable(path):
        return ""
    with columns.open(Path(path)) as found:
        there = set(found.names())
        name = next((name for name in (metric, *MAIN) if name in there), None)
        values = found.get(name).value if name else ()
        return sparkline(values, CURVE).replace(*FULL) if len(values) > 1 else ""
