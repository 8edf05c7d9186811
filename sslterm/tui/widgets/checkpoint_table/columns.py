"""The columns of a table of checkpoints: what each says, what it is sorted by, and which go where there is no room."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from sslterm.runs.summary import Row
from sslterm.runs.wholeness import Finding
from sslterm.tables import duration
from sslterm.tui.widgets.checkpoint_table import words
from sslterm.tui.widgets.run_table.columns import Column, figure, numeric
from sslterm.tui.widgets.run_table.layout import GAP, GUTTER, MARGIN, Placed, place

FIRST_TO_GO = (
    "stage", "epoch", "age", "flip knn", "knn", "loss", "role", "size", "flip linear", "valid", "flip head",
    "linear", "head", "metric knn",
)  # fmt: skip
"""Columns by how little they tell; stage and epoch are in the name, too. Run, name and state always stay."""
LEAST_STATE = len("✓ verified")
PROTOCOLS = {"head": "head", "linear": "linear", "knn": "kNN test"}


def columns(findings: Mapping[str, Finding], several: bool) -> list[Column]:
    """Every column there is; `findings` say which checkpoints are whole, by path."""
    evaluated = [column for protocol in PROTOCOLS for column in _evaluated(protocol)]
    return [
        *([_words("run", "run", itemgetter("run"), 32, least=13)] if several else []),
        _words("name", "checkpoint", words.stem, 32, least=16),
        _words("role", "", words.role, 11, least=11, tone="accent"),
        _words("stage", "stage", itemgetter("stage"), 14, least=10, tone="muted"),
        Column("epoch", "epoch", words.epoch, _progress, words.epoch, 11, right=True, falling=True, tone="muted"),
        _metric("metric knn", "kNN", "knn/top1", falling=True),
        _metric("valid", "valid", "valid/top1", falling=True),
        _metric("loss", "loss", "train/loss", falling=False),
        *evaluated,
        Column("size", "size", _size, itemgetter("size"), _size_alike, 8, 8, right=True, falling=True),
        Column("age", "age", _age, lambda row: -row["time"], None, 6, 6, right=True, tone="muted"),
        _state(findings),
    ]  # fmt: skip


def _words(key: str, title: str, text: Callable[[Row], str], most: int, *, least: int, tone: str = "") -> Column:
    def value(row: Row) -> str | None:
        return text(row).casefold() or None

    return Column(key, title, text, value, _length(text), most, least, tone=tone)


def _length(text: Callable[[Row], str]) -> Callable[[Row], Hashable]:
    """Thousands of names differ, but few differ in length."""

    def alike(row: Row) -> Hashable:
        said = text(row)
        return len(said) if said.isascii() else said

    return alike


def _metric(key: str, title: str, name: str, falling: bool) -> Column:
    def text(row: Row) -> str:
        value = words.measured(row, name)
        return "" if value is None else figure(value)

    return Column(key, title, text, lambda row: numeric(words.measured(row, name)), None, 5, 5, True, falling)


def _evaluated(protocol: str) -> tuple[Column, Column]:
    """Top-1 of the test images as they are; with flip, and what that gains."""

    def plain(row: Row) -> Any:
        found = words.answer(row, protocol, False)
        return found["top1"] if found else None

    def flipped(row: Row) -> Any:
        found = words.answer(row, protocol, True)
        return found["top1"] if found else None

    def plain_text(row: Row) -> str:
        value = plain(row)
        return "" if value is None else figure(value)

    def flipped_text(row: Row) -> str:
        found = words.answer(row, protocol, True)
        more = words.gained(row, found) if found else None
        return "" if not found else f"{figure(found['top1'])} {words.difference(more) if more is not None else '':5}"

    title = PROTOCOLS[protocol]
    return (
        Column(protocol, title, plain_text, plain, None, max(5, len(title)), len(title), True, True),
        Column(f"flip {protocol}", "+ flip", flipped_text, flipped, None, 10, 10, True, True),
    )


def _progress(row: Row) -> tuple[int, int, int]:
    return row["stage_index"], row["epoch"], row["step"]


def _size(row: Row) -> str:
    return words.amount(row["size"])


def _size_alike(row: Row) -> Hashable:
    return len(_size(row))


def now() -> float:
    """The clock that ages are counted by."""
    return time.time()


def _age(row: Row) -> str:
    return duration(max(0.0, now() - row["time"]))


RANK = {"damaged": 0, "gone": 1, "verified": 2}


def _state(findings: Mapping[str, Finding]) -> Column:
    def text(row: Row) -> str:
        return words.state(row, findings.get(row["path"]))

    def rank(row: Row) -> int | None:
        found = findings.get(row["path"])
        return RANK.get(found.word) if found else None

    def alike(row: Row) -> Hashable:
        found = findings.get(row["path"])
        return found if found is None or found.word != "damaged" else (found, row["size"])

    return Column("state", "state", text, rank, alike, 40, LEAST_STATE, tone="state")


# ---------------------------------------------------------------- which have room


def placed(wishes: Sequence[tuple[Column, int]], width: int, sorted_by: str) -> list[Placed]:
    """Give each column its room. Where that is not there for all, those that tell least are left out."""
    wishes = [_roomy(one, wish, width) if one.key == "state" else (one, wish) for one, wish in wishes]
    rank = {key: number for number, key in enumerate(reversed(FIRST_TO_GO))}
    room, taken = width - GUTTER - MARGIN + GAP, set()
    for column, wish in sorted(wishes, key=lambda pair: -1 if pair[0].key == sorted_by else rank.get(pair[0].key, -2)):
        needs = min(column.least, wish) + GAP
        if needs <= room or column.key not in FIRST_TO_GO:
            taken.add(column.key)
            room -= needs
    return place([pair for pair in wishes if pair[0].key in taken], width, sorted_by)


def _roomy(state: Column, wish: int, width: int) -> tuple[Column, int]:
    """Room for `verified`, before anything is, and on wide screens for what ails a file."""
    return replace(state, least=max(LEAST_STATE, width // 5)), max(LEAST_STATE, wish)


def ordered(rows: Sequence[Row], column: Column | None, falling: bool) -> list[Row]:
    """Sorted by a column; what has no value there comes last either way, and equals stay as they are."""
    if column is None or column.value is None:
        return list(rows)
    value = column.value
    values = [(value(row), row) for row in rows]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=falling)
    return [row for _, row in known] + [row for value, row in values if value is None]
