"""How large a cell of the matrix is in the room that there is, and how many of them are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size

from sslterm.tui.widgets.run_table import cells

SMALL = 2
"""Cells of text for a cell of the matrix, at least; then it has no number, and no name above it."""
LARGE = 12
"""At most."""


@dataclass(frozen=True)
class Grid:
    """Measures in cells of text."""

    label: int
    """Room for a class's name at the left of its row."""
    cell: int
    """Width of one cell of the matrix."""
    digits: int
    """Of these, for a number and a blank before it; 0: there is none."""
    tall: int
    """Height of one cell."""
    columns: int
    """Columns of the matrix that are seen at once."""
    rows: int

    @property
    def lead(self) -> int:
        """Blank before each cell, where the cursor has its sign."""
        return 1 if self.cell > SMALL else 0

    @property
    def glyphs(self) -> int:
        """Of the width, for the shade."""
        return self.cell - self.lead - self.digits


def fitted(names: Sequence[str], digits: int, width: int, height: int) -> Grid:
    """The largest cells that let all classes be seen; else the smallest, for some of them."""
    count = max(len(names), 1)
    longest = max((cells.width(name, 20) for name in names), default=1)
    label = min(longest, max(4, width // 5))
    if (width - label - 1) // count == SMALL:  # a little less for names, and there is room for more than a shade
        label = max(min(label, width - 1 - count * (SMALL + 1)), min(label, 5))
    room = max(width - label - 1, SMALL)
    each = room // count
    if each >= digits + 2:
        cell = min(each, LARGE)
    else:
        cell, digits = min(max(each, SMALL), 4), 0
    tall = min(max((height - 1) // count, 1), max(cell // 2, 1), 3)
    rows = max(min((height - 1) // tall, count), 1)
    return Grid(label, cell, digits, tall, max(min(room // cell, count), 1), rows)


def heads(names: Sequence[str], room: int) -> list[str]:
    """Names in exactly so many cells, without what they all begin with."""
    same = _alike(min(names), max(names)) if len(names) > 1 else 0
    return [set_cell_size(cells.clean(name[same:], max(room, 1)), room) for name in names]


def _alike(first: str, last: str) -> int:
    """How many letters two names begin with together; of the least and the greatest, so do all between them."""
    same = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return same if same < len(first) else 0
