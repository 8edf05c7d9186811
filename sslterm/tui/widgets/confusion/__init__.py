"""The confusion matrix as a heat map.

shading.py   numbers to shades, and the legend         layout.py   how large a cell is, and how many are seen
matrix.py    the widget
"""

from __future__ import annotations

from sslterm.tui.widgets.confusion.matrix import ConfusionMatrix
from sslterm.tui.widgets.confusion.shading import shares

__all__ = ["ConfusionMatrix", "shares"]
