"""What is said of a checkpoint: in a cell, in a line, and at length."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from sslterm.runs import metrics
from sslterm.runs.summary import Row
from sslterm.runs.wholeness import Finding
from sslterm.tables import WORDS, duration, safe
from sslterm.tui.widgets.run_table.columns import figure

UNITS = ("bytes", "KB", "MB", "GB", "TB")
LONGEST = 60
"""Letters of a name in a sentence; a file may say anything."""


def stem(row: Row) -> str:
    """`pretrain-0008`."""
    file: str = row["file"]
    return file.removesuffix(".pt")


def short(text: object) -> str:
    """A word of a file for a sentence: safe, on one line, not too long."""
    said = safe(str(text)[: 4 * LONGEST].replace("\n", " "))
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def amount(size: float) -> str:
    """`12 KB`, `43 MB`, `1.2 GB`."""
    for unit in UNITS:
        if size < 999.5 or unit == UNITS[-1]:
            break
        size /= 1000
    return f"{size:.1f} {unit}" if unit not in UNITS[:2] and size < 9.95 else f"{size:.0f} {unit}"


def state(row: Row, finding: Finding | None) -> str:
    """`✓ verified`, `✗ damaged: 12 KB of 43 MB`; `…` until it was read."""
    if finding is None:
        return "…"
    if finding.word != "damaged":
        return {"verified": "✓ verified", "gone": "? gone", "changed": "… changed"}[finding.word]
    return f"✗ damaged: {_damage(row, finding)}"


def _damage(row: Row, finding: Finding) -> str:
    if finding.size is None:
        return finding.problem
    if finding.size == row["size"]:
        return "sha256 differs"
    there, written = amount(finding.size), amount(row["size"])
    return f"{there} of {written}" if there != written else f"{finding.size:,} of {row['size']:,} bytes"


def role(row: Row) -> str:
    """`best`, `latest`, both or neither."""
    return " ".join(word for word in ("best", "latest") if row[word])


def epoch(row: Row) -> str:
    """`8`; `8+466` where it was saved 466 steps later."""
    return f"{row['epoch']}+{row['step']}" if row["step"] else str(row["epoch"])


def measured(row: Row, name: str) -> float | None:
    """A metric of training, if it was measured."""
    return metrics.number(row["metrics"].get(name))


def answer(row: Row, protocol: str, flipped: bool, split: str = "test") -> Row | None:
    """What an evaluation said; with flip, the one that is flipped and no more, if there is one."""
    fitting = [
        one
        for one in row["evaluations"]
        if one["protocol"] == protocol and one["split"] == split and bool(one["augmented"]) == flipped
    ]
    return fitting[0] if fitting else None


def gained(row: Row, one: Row) -> float | None:
    """By how much an augmented answer is better than the plain one."""
    plain = answer(row, one["protocol"], False, one["split"])
    return one["top1"] - plain["top1"] if plain and one["augmented"] else None


def difference(value: float) -> str:
    """`+.007`, `-.012`."""
    said = f"{value:+.3f}"
    return said.replace("0.", ".", 1) if said[1] == "0" else f"{value:+.2f}"


# ---------------------------------------------------------------- in a line


def line(row: Row, finding: Finding | None) -> Text:
    """Two lines: what it is and whether it is whole; how good it is."""
    marks = [f"★ {role(row)}" if row["best"] else role(row)] if role(row) else []
    told = [f" of {short(row['run'])}", *marks, state(row, finding), amount(row["size"]), f"{_age(row)} ago"]
    text = Text.assemble((short(stem(row)), "bold"), " · ".join(told))
    figures = [f"{word} {figure(value)}" for word, value in _figures(row)]
    figures += [_answer(row, one) for one in row["evaluations"]] or ["not evaluated yet: e"]
    return text.append("\n" + " · ".join([*figures, f"sha256 {short(row['sha256'][:8])}"]))


def _age(row: Row) -> str:
    return duration(max(0.0, time.time() - row["time"]))


def _figures(row: Row) -> Iterator[tuple[str, float]]:
    for name in ("train/loss", "knn/top1", "valid/top1"):
        value = measured(row, name)
        if value is not None:
            yield WORDS.get(name, name.removeprefix("train/")), value


def _answer(row: Row, one: Row) -> str:
    """`test head .860`; with flip, right behind it: `flip .876 +.017`."""
    more = gained(row, one)
    if more is not None:
        return f"{one['augmented']} {figure(one['top1'])} {difference(more)}"
    asked = " ".join(part for part in (short(one["split"]), short(one["protocol"]), one["augmented"]) if part)
    return f"{asked} {figure(one['top1'])}"


# ---------------------------------------------------------------- at length


def whole(row: Row, finding: Finding | None, width: int) -> Text:
    """All that is known of a checkpoint, for a column of so many cells."""
    text = Text()
    text.append(short(stem(row)) + "\n", "bold")
    text.append(f"{short(row['run'])}\n{short(row['stage'])} · epoch {epoch(row)} · step {row['total_steps']:,}\n")
    if role(row):
        of = {"best": "★ best of its stage", "latest": "latest of the run"}
        text.append(" · ".join(of[word] for word in role(row).split()) + "\n")
    text.append(f"{state(row, finding)} · {row['size']:,} bytes\n")
    if finding is not None and finding.word == "damaged":
        text.append(f"sslterm repair {short(row['run'])} puts it aside\n", "italic")
    _part(text, "measured in training", list(_metrics(row)), width)
    _part(text, "evaluated", [_in_columns(row, one) for one in row["evaluations"]], width)
    if not row["evaluations"]:
        text.append("  not yet: e asks how, t with flip\n", "dim")
    saved = time.strftime("%Y-%m-%d %H:%M", _local(row["time"]))
    text.append(f"\nsaved {saved}, {_age(row)} ago\n")
    digest = safe(row["sha256"][:64])
    text.append(f"sha256 {digest[:32]}\n       {digest[32:]}\n{safe(row['path'][:500])}", "dim")
    return text


def _part(text: Text, title: str, pairs: Sequence[tuple[str, str]], width: int) -> None:
    """A heading, and lines of a word at the left and a figure at the right."""
    text.append(f"\n{title}\n", "bold")
    room = max([len(figure) for _, figure in pairs], default=0)
    for word, number in pairs:
        left = max(8, width - room - 4)
        cut = word if len(word) <= left else word[: left - 1] + "…"
        text.append(f"  {cut:<{left}}  {number:>{room}}\n")


def _metrics(row: Row) -> Iterator[tuple[str, str]]:
    for name in sorted(row["metrics"]):
        value = measured(row, name)
        if value is not None:
            yield short(name), f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}"


def _in_columns(row: Row, one: Row) -> tuple[str, str]:
    more = gained(row, one)
    asked = " ".join(part for part in (short(one["split"]), short(one["protocol"]), one["augmented"]) if part)
    return asked, f"{one['top1']:.4f}" + (f" {more:+.4f}" if more is not None else " " * 8)


def _local(seconds: Any) -> time.struct_time:
    """The time of the clock; the beginning of time for what no calendar knows."""
    try:
        return time.localtime(seconds)
    except (OverflowError, OSError, ValueError):
        return time.localtime(0)
