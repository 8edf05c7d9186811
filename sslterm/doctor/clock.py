"""The clock: whether its year can be true, and whether it has gone back since a run was made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sslterm.doctor.finding import Finding, bad, good, note
from sslterm.runs import files
from sslterm.tables import duration

YEARS = range(2026, 2101)
"""No sslterm is older than the first."""
DAY = 86_400
SLACK = 60
"""Seconds by which the clocks of two machines may well differ."""
FIX = "set the clock: timedatectl set-ntp true"


def clock(runs_dir: Path, now: float | None = None) -> Iterator[Finding]:
    """What time it is here. Only what people read depends on it: liveness is told by a clock that nobody can set."""
    now = time.time() if now is None else now
    here = datetime.fromtimestamp(now).astimezone()
    fact = f"{here:%Y-%m-%d %H:%M:%S} {here:%z} ({here.tzname()})"
    if here.year in YEARS:
        yield good("clock", fact)
    else:
        yield bad("clock", f"{fact}: this year cannot be; runs would be dated and sorted by it", FIX)
    later = {name: made for name, made in _made(runs_dir).items() if made > now + SLACK}
    if later:
        name = max(later, key=later.__getitem__)
        many = f" ({len(later)} runs are)" if len(later) > 1 else ""
        yield note(
            "clock",
            f"{name} was made {_ahead(later[name] - now)} from now{many}: the clock has gone back, or that of the"
            " machine that made it is ahead",
            FIX,
        )


def _ahead(seconds: float) -> str:
    """Dates from a file may be beyond all reason."""
    return duration(seconds) if seconds < 36_500 * DAY else "more than a century"


def _made(runs_dir: Path) -> dict[str, float]:
    """When each run says it was made; those that cannot say are not the clock's business."""
    made = {}
    for file in runs_dir.glob("*/run.json"):
        try:
            created = files.read_json(file).get("created")
        except (OSError, files.DamagedFile):
            continue
        if isinstance(created, int | float):
            made[file.parent.name] = created
    return made
