"""The table of runs: thousands of rows, of which only what is seen is drawn.

table.py    the widget: what can be done with runs, and what it tells
rows.py     runs in lines, the cursor, and how it all looks
listing.py  the runs in order: sorted, folded into groups
groups.py   runs that differ in their seed only, as one row
columns.py  what can be shown of a run, and sorted by
marks.py    which runs are marked
layout.py   which columns have room, and where
paint.py    lines as strips
cells.py    text for one cell: safe, and exactly as wide as it must be
"""

from sslterm.tui.widgets.run_table.columns import COLUMNS, USUAL, chosen
from sslterm.tui.widgets.run_table.messages import (
    MarksChanged,
    RunHighlighted,
    RunOpened,
    SortChanged,
    WindowChanged,
)
from sslterm.tui.widgets.run_table.table import RunTable

__all__ = [
    "COLUMNS", "USUAL", "MarksChanged", "RunHighlighted", "RunOpened", "RunTable", "SortChanged", "WindowChanged",
    "chosen",
]  # fmt: skip
