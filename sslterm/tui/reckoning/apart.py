"""What is different between runs, as text: a column a side where that has room, else who shares which value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sslterm.tui.reckoning.side_by_side import Setting, Side, Sight, settings_that_differ
from sslterm.tui.widgets.run_table.cells import fit, width

VALUE = 24
"""Cells for what a setting is on one side, at most."""
GAP = "  "
NOTHING = "–"
SAME = "all settings are the same"


def differences(said: Mapping[str, Mapping[str, Any]], room: int = 200) -> str:
    """The settings that are not the same in all runs, by the names of the runs."""
    found = [Side(name, (Sight({"name": name}, {}, {}, settings),)) for name, settings in said.items()]
    return as_text([side.name for side in found], settings_that_differ(found), room)


def as_text(names: Sequence[str], settings: Sequence[Setting], room: int) -> str:
    """In lines of at most `room` cells."""
    if not settings:
        return SAME
    heads = ["setting", *names]
    cells = [[setting.key, *setting.values] for setting in settings]
    widths = [max(width(row[place], VALUE * 2 if not place else VALUE) for row in [heads, *cells])
              for place in range(len(heads))]  # fmt: skip
    if sum(widths) + len(GAP) * len(names) <= room:
        return "\n".join(_line(row, widths) for row in [heads, *cells])
    return _shared(names, settings, room)


def _shared(names: Sequence[str], settings: Sequence[Setting], room: int) -> str:
    """`optimizer.lr  0.03  moco-a1, byol-a1`, and beneath it the other values."""
    widths = [max(room * 2 // 5, 8), max(room // 5, 6)]
    widths.append(max(room - sum(widths) - 2 * len(GAP), 8))
    lines = [_line(["setting", "value", "of"], widths)]
    for setting in settings:
        of: dict[str, list[str]] = {}
        for value, name in zip(setting.values, names, strict=True):
            of.setdefault(value or NOTHING, []).append(name)
        rows = [["", value, ", ".join(sharing)] for value, sharing in of.items()]
        rows[0][0] = setting.key
        lines += [_line(row, widths) for row in rows]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [fit(text, wide, both_ends=not place) for place, (text, wide) in enumerate(zip(row, widths, strict=True))]
    return GAP.join(fitted).rstrip()
