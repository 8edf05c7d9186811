"""Which columns have room, how wide each is, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sslterm.runs.summary import Row
from sslterm.tui.widgets.run_table.columns import Column

FIRST_TO_GO = (
    "encoder", "device", "seed", "note", "data", "speed", "loss", "age", "stage", "top1", "method", "spark", "left",
    "epoch", "best",
)  # fmt: skip
"""Columns by how little they tell. State and name always stay."""
GUTTER, MARGIN = 3, 1
"""Mark, pin and a blank before the columns, a blank behind them."""
GAP, WIDE_GAP = 2, 4
"""Cells between two columns: at least, and where there is plenty of room."""


@dataclass(frozen=True)
class Placed:
    """A column and the cells it has."""

    column: Column
    x: int
    width: int


def wanted(columns: Sequence[Column], rows: Sequence[Row], sorted_by: str, lead: int = 0) -> list[tuple[Column, int]]:
    """How wide each column would like to be; those with nothing to show in any row are left out.

    `lead` cells stand before each name."""
    wishes = []
    for column in columns:
        widest = column.wanted(rows)
        arrow = 2 if column.key == sorted_by else 0
        before = lead if column.key == "name" else 0
        if widest:
            wishes.append((column, max(widest + before, len(column.title) + arrow)))
    return wishes


def place(wishes: Sequence[tuple[Column, int]], width: int, sorted_by: str) -> list[Placed]:
    """Give each column its room. Where that is not there for all, those that tell least are left out."""
    shown = _affordable(wishes, width, sorted_by)
    widths = {column.key: _least(column, wish) for column, wish in shown}
    spare = max(0, width - _taken(list(widths.values())))
    for column, wish in shown:
        more = min(spare, wish - widths[column.key])
        widths[column.key] += more
        spare -= more
    gap = min(WIDE_GAP, GAP + spare // max(1, len(shown) - 1))
    placed, x = [], GUTTER
    for column, _ in shown:
        placed.append(Placed(column, x, widths[column.key]))
        x += widths[column.key] + gap
    return placed


def _affordable(wishes: Sequence[tuple[Column, int]], width: int, sorted_by: str) -> list[tuple[Column, int]]:
    """As many as there is room for; what tells most chooses first, and of all what the rows are sorted by."""
    rank = {key: place for place, key in enumerate(reversed(FIRST_TO_GO))}
    if sorted_by != "age":  # newest first goes without saying
        rank[sorted_by] = -1
    taken, room = set(), width - GUTTER - MARGIN + GAP
    for column, wish in sorted(wishes, key=lambda pair: rank.get(pair[0].key, -2)):
        needs = _least(column, wish) + GAP
        if needs <= room or column.key not in FIRST_TO_GO:
            taken.add(column.key)
            room -= needs
    return [pair for pair in wishes if pair[0].key in taken]


def _least(column: Column, wish: int) -> int:
    return min(column.least, wish)


def _taken(widths: list[int]) -> int:
    return GUTTER + MARGIN + sum(widths) + GAP * max(0, len(widths) - 1)
