"""The table of checkpoints: of one run or of thousands, of which only what is seen is drawn.

table.py     the widget: what can be done with checkpoints, and what it tells
rows.py      checkpoints in lines, the cursor, and how it all looks
columns.py   what can be shown of a checkpoint, and sorted by
words.py     what is said of a checkpoint, in cells, in a line, and at length
messages.py  what the table says to whoever shows it
"""

from sslterm.tui.widgets.checkpoint_table.messages import (
    CheckpointHighlighted,
    CheckpointOpened,
    CheckpointsInView,
    MarksChanged,
)
from sslterm.tui.widgets.checkpoint_table.table import CheckpointTable

__all__ = ["CheckpointHighlighted", "CheckpointOpened", "CheckpointTable", "CheckpointsInView", "MarksChanged"]
