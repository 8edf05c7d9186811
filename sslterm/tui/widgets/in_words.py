"""A run, or a group of them, in words for the preview beside the list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from textual.content import Content

from sslterm.runs.state import ALIVE
from sslterm.tables import WORDS, duration, safe
from sslterm.tui.looking.close_look import Small
from sslterm.tui.widgets.run_table import groups
from sslterm.tui.widgets.run_table.cells import clean, fit
from sslterm.tui.widgets.run_table.columns import figure, numeric
from sslterm.tui.widgets.state_label import TONES, label

Row = dict[str, Any]
STYLES = {
    "working": "$text-success", "waiting": "$text-warning", "trouble": "$text-error", "over": "$foreground",
}  # fmt: skip
SHOWN = 6
"""Runs of a group that are listed."""


def run(row: Row, alarm: str | None, width: int) -> Content:
    """State and why, how far, what ails it, what to do next."""
    parts: list[Any] = [(fit(row["name"], max(width, 1), both_ends=True).rstrip(), "bold"), "\n"]
    parts += [_state(row["state"]), *(f" · {part}" for part in _place(row))]
    if row["reason"]:
        parts += ["\n", (_short(row["reason"], 200), "dim")]
    if alarm:
        parts += ["\n", (f"! {_short(alarm, 240)}", "bold $text-error")]
    if row["advice"]:
        said = row["advice"].replace(row["path"], row["name"])
        parts += ["\n", ("next ", "dim"), (_short(said, 120), "italic")]
    if row["note"] or row["tags"]:
        tags = "".join(f"#{tag} " for tag in row["tags"])
        parts += ["\n", (_short(tags, 60), "$text-accent"), _short(f"“{row['note']}”" if row["note"] else "", 120)]
    return Content.assemble(*parts)


def figures(row: Row, small: Small) -> Content:
    """What it reached, how healthy its representation is, how fast it goes."""
    health = _health(small)
    alarm = "see above" if small.alarm else "none" if health else ""
    lines = [("best", _best(row)), ("test", _test(row)), ("health", health), ("alarm", alarm), ("speed", _speed(row))]
    lines += [("curves", "very long: opening the run reads them")] if small.unread else []
    shown = [Content.assemble((f"{word:<7} ", "dim"), text) for word, text in lines if text]
    return Content("\n").join(shown)


def group(rows: Sequence[Row], width: int) -> Content:
    """What a group is: how many, in which state, and what they reached on average."""
    folded = groups.folded(rows)
    name = fit(folded["name"], max(width, 1), both_ends=True).rstrip()
    said: list[Any] = [(name, "bold"), "\n", _state(folded["state"], folded["state_of"])]
    said.append(f"\n{len(rows)} runs that differ in their seed only")
    if folded["best_value"] is not None and folded["best_metric"]:
        metric, spread = _word(folded["best_metric"]), folded["best_spread"]
        said += [f"\n{metric} ", (figure(folded["best_value"]), "bold")]
        said.append("" if spread is None else f" ± {figure(spread)}  mean ± std")
    return Content.assemble(*said)


def members(rows: Sequence[Row], width: int) -> Content:
    """The runs of a group, the best first, with what each reached."""
    rows = sorted(rows, key=lambda row: -math.inf if (best := numeric(row["best_value"])) is None else best)[::-1]
    lines = []
    for place, row in enumerate(rows[:SHOWN]):
        known = numeric(row["best_value"]) is not None
        sign = ("★ ", "$text-warning") if known and not place else "  "
        value = figure(row["best_value"]) if known else "–"
        seed = "" if row["seed"] is None else f"  seed {row['seed']}"
        name = fit(row["name"], max(width - 10 - len(seed), 8), both_ends=True)
        lines.append(Content.assemble(sign, name, f" {value:>6}", (seed, "dim")))
    more = len(rows) - SHOWN
    return Content("\n").join([*lines, *([Content(f"  and {more} more")] if more > 0 else [])])


def _state(word: str, of: str = "") -> tuple[str, str]:
    return (f"{label(word)} {of}".rstrip(), f"bold {STYLES[TONES.get(word, 'trouble')]}")


def _place(row: Row) -> list[str]:
    """`pretrain 2/3 · epoch 118/200 · 6m left`."""
    parts = []
    names = [stage["name"] for stage in row["stages"]]
    if row["stage"]:
        many = f" {names.index(row['stage']) + 1}/{len(names)}" if row["stage"] in names and len(names) > 1 else ""
        parts.append(clean(f"{row['stage']}{many}", 30)[:30])
    if row["epoch"] is not None and row["state"] != "queued":
        parts.append(f"epoch {row['epoch']}" + (f"/{row['epochs']}" if row["epochs"] is not None else ""))
    if row["state"] in ALIVE and numeric(row["left"]) is not None:
        parts.append(f"{duration(row['left'])} left")
    return parts


def _best(row: Row) -> str:
    known = numeric(row["best_value"]) is not None and row["best_metric"]
    return f"{_word(row['best_metric'])} {figure(row['best_value'])}" if known else ""


def _test(row: Row) -> str:
    """The newest evaluation."""
    words = [f"{word} {figure(row['eval'][name])}" for name, word in (("top1", "top-1"), ("ece", "ECE"))
             if numeric(row["eval"].get(name)) is not None]  # fmt: skip
    return " · ".join(words)


def _health(small: Small) -> str:
    """`std 0.041 of 0.044 · rank 87`: a collapsed one is far below what three digits show."""
    std, healthy, rank = (small.last.get(f"health/{name}") for name in ("std", "std_healthy", "rank"))
    words = []
    if std is not None:
        words.append(f"std {std:.2g}" + ("" if healthy is None else f" of {healthy:.2g}"))
    if rank is not None:
        words.append(f"rank {rank:.0f}")
    return " · ".join(words)


def _speed(row: Row) -> str:
    """How fast it goes and where, while it does."""
    if row["state"] not in ALIVE:
        return ""
    speed = numeric(row["images_per_second"])
    words = [] if speed is None else [f"{speed:,.0f} images/s"]
    return " · ".join([*words, *([_short(row["device"], 20)] if row["device"] else [])])


def _word(metric: str) -> str:
    return _short(WORDS.get(metric, metric), 16)


def _short(text: object, most: int) -> str:
    """One line, not much longer than it takes to understand."""
    line = safe(str(text).replace("\n", " "))
    return line if len(line) <= most else line[: most - 1] + "…"
