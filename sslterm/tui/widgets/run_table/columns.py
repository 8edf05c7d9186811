"""The columns that a table of runs can have: what each says of a run, and what it is sorted by."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sslterm.errors import UsageError
from sslterm.runs.state import ALIVE
from sslterm.runs.summary import Row
from sslterm.tables import WORDS, duration
from sslterm.tui.widgets.run_table import cells
from sslterm.tui.widgets.state_label import label


@dataclass(frozen=True)
class Column:
    """One column. Texts are made safe where they are drawn, not here."""

    key: str
    title: str
    text: Callable[[Row], str]
    value: Callable[[Row], Any] | None
    """What to sort by, None where that is not known; without it there is no sorting by this column."""
    alike: Callable[[Row], Hashable] | None = None
    """Runs for which this is the same have texts of the same width, so that one of thousands is measured. Without it
    the column is always `most` wide."""
    most: int = 40
    least: int = 40
    """Cells below which it is better left out than cut; what wants less gets less."""
    right: bool = False
    falling: bool = False
    """Whether the greatest comes first when a person first sorts by it."""
    tone: str = ""

    def wanted(self, rows: Sequence[Row]) -> int:
        """How many cells the widest text takes; 0 where there is none to show."""
        if self.alike is None:
            return self.most if any(map(self.text, rows)) else 0
        different = dict(zip(map(self.alike, rows), rows, strict=True))
        return max((cells.width(self.text(row), self.most) for row in different.values()), default=0)


def chosen(keys: Sequence[str]) -> list[Column]:
    """The columns of these names. Raises UsageError where one is not there."""
    for key in keys:
        if key not in COLUMNS:
            raise UsageError(f"columns: there is no column {key!r}; there are {', '.join(COLUMNS)}")
    return [COLUMNS[key] for key in keys]


# ---------------------------------------------------------------- what a run says

MOVING = ALIVE - {"queued", "starting"}
"""States in which speed and time left are of now, and not of an earlier start."""


def figure(value: float) -> str:
    """Three digits, so that figures stand beneath each other: `.812`, `2.61`, `36.4`."""
    if not math.isfinite(value) or abs(value) >= 9999.5:
        return f"{value:.0e}" if math.isfinite(value) else str(value)
    text = f"{value:.3f}"
    if text.lstrip("-").startswith("0."):
        return text.replace("0.", ".", 1)
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:.0f}"


def numeric(value: object) -> float | None:
    """A number to sort by. What is not a number has no place among numbers."""
    if isinstance(value, float):
        return None if value != value else value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _best(row: Row) -> str:
    value, name = row["best_value"], row["best_metric"]
    if numeric(value) is None or not name:
        return ""
    return f"{WORDS.get(name, name)} {figure(value)}{_spread(row)}"


def _spread(row: Row) -> str:
    """The standard deviation of a group; among groups a run leaves room for it, so that means and values align."""
    if "best_spread" not in row:
        return ""
    spread = row["best_spread"]
    return " " * 5 if spread is None else f"±{figure(spread)}"


def _figure_of(table: str, *names: str) -> Callable[[Row], Any]:
    def value(row: Row) -> Any:
        said = row[table]
        return next((said[name] for name in names if name in said), None)

    return value


def _epoch(row: Row) -> str:
    done, of = row["epoch"], row["epochs"]
    if done is None or (not done and row["state"] not in MOVING):
        return ""  # it has not begun
    return f"{done}/{'?' if of is None else of}"


def _best_alike(row: Row) -> Hashable:
    value = row["best_value"]
    return value is None or (row["best_metric"], row.get("best_spread") is None, value < 0, value < 1000)


def _speed(row: Row) -> str:
    """How fast it goes, of a run that does."""
    speed = row["images_per_second"]
    return f"{speed:,.0f}" if row["state"] in MOVING and speed is not None else ""


def _left(row: Row) -> str:
    return duration(row["left"]) if row["state"] in MOVING and row["left"] is not None else ""


def now() -> float:
    """The clock that ages are counted by."""
    return time.time()


def _age(row: Row) -> str:
    return "" if row["created"] is None else duration(max(0.0, now() - row["created"]))


def _seconds_old(row: Row) -> float | None:
    return None if row["created"] is None else -row["created"]


def _seed(row: Row) -> str:
    return "" if row["seed"] is None else str(row["seed"])


CURVE = 10
"""Cells of a curve in the list."""


def _spark(row: Row) -> str:
    """Known only of runs in the window, where it is filled in; elsewhere a blank says that there will be one."""
    return row.get("spark") or (" " if row["best_metric"] or row["metrics"] else "")


def _note(row: Row) -> str:
    tags = " ".join(f"#{tag}" for tag in row["tags"])
    return f"{tags} {row['note']}" if tags and row["note"] else tags or row["note"]


def _state(row: Row) -> str:
    return label(row["state"]) + (f" {row['state_of']}" if row.get("state_of") else "")


def _state_alike(row: Row) -> Hashable:
    return row["state"], row.get("state_of")


# ---------------------------------------------------------------- the columns


def _words(
    key: str, title: str, *, most: int, alike: Callable[[Row], Hashable] | None = None, least: int = 40,
    tone: str = "muted",
) -> Column:  # fmt: skip
    """A column of words as they are in the summary."""

    def value(row: Row) -> str | None:
        return str(row[key]).casefold() if row[key] else None

    return Column(key, title, lambda row: row[key] or "", value, alike or itemgetter(key), most, least, tone=tone)


def _length(row: Row) -> Hashable:
    """Thousands of names are all different, but few are of different lengths."""
    name: str = row["name"]
    return len(name) if name.isascii() else name


def _numbers(
    key: str, title: str, text: Callable[[Row], str], value: Callable[[Row], Any],
    *, most: int, alike: Callable[[Row], Hashable] | None = None, falling: bool = False, tone: str = "",
) -> Column:  # fmt: skip
    def known(row: Row) -> float | None:
        return numeric(value(row))

    return Column(key, title, text, known, alike, most, right=True, falling=falling, tone=tone)


def _plain(value: Callable[[Row], Any]) -> Callable[[Row], str]:
    """A figure as text. A loss that is not a number is worth seeing."""
    return lambda row: figure(found) if isinstance(found := value(row), float) else ""


ORDER = (
    "running", "starting", "stopping", "stalled", "orphaned", "queued", "paused", "interrupted", "failed", "killed",
    "lost", "rebooted", "corrupt", "newer", "remote", "finished",
)  # fmt: skip
"""States by how soon a person wants to see them."""
RANK = {state: rank for rank, state in enumerate(ORDER)}

_epoch_alike = itemgetter("epoch", "epochs")
_loss, _top1 = _figure_of("metrics", "train/loss", "loss"), _figure_of("eval", "top1")

COLUMNS = {
    column.key: column
    for column in (
        Column("state", "state", _state, lambda row: RANK.get(row["state"]), _state_alike, 21, tone="state"),
        _words("name", "name", most=40, alike=_length, least=20, tone=""),
        _words("method", "method", most=14),
        _words("data", "data", most=14),
        _words("encoder", "encoder", most=14),
        _words("stage", "stage", most=14),
        _numbers("epoch", "epoch", _epoch, itemgetter("epoch"), most=13, alike=_epoch_alike, falling=True),
        _numbers("best", "best", _best, itemgetter("best_value"), most=26, alike=_best_alike, falling=True),
        Column("spark", "curve", _spark, None, None, CURVE, CURVE, tone="curve"),
        _numbers("loss", "loss", _plain(_loss), _loss, most=5),
        _numbers("top1", "top-1", _plain(_top1), _top1, most=5, falling=True),
        _numbers("speed", "images/s", _speed, itemgetter("images_per_second"), most=9, alike=_speed, falling=True),
        _numbers("left", "left", _left, itemgetter("left"), most=6),
        _numbers("age", "age", _age, _seconds_old, most=6, tone="muted"),
        _words("device", "device", most=10),
        _numbers("seed", "seed", _seed, itemgetter("seed"), most=6, alike=_seed, tone="muted"),
        Column("note", "note", _note, lambda row: _note(row).casefold() or None, _note, 36, 10, tone="muted"),
    )
}

USUAL = ("state", "name", "method", "data", "stage", "epoch", "best", "spark", "loss", "speed", "left", "age", "note")
"""What is shown until a person chooses."""

ABOUT = {
    "state": "what the run does: glyph and word", "name": "its directory", "method": "of the stage that it is in",
    "data": "the data set", "encoder": "the network", "stage": "where in its preset it is",
    "epoch": "epochs done, of all in the stage", "best": "its main metric, at its best",
    "spark": "the curve of that metric", "loss": "the last loss of training",
    "top1": "accuracy in the newest evaluation", "speed": "images a second, while it trains",
    "left": "time left, as things look now", "age": "time since it was made", "device": "what it runs or ran on",
    "seed": "its seed", "note": "its tags, and what people said of it",
}  # fmt: skip
"""What each says, for people who choose among them."""
