"""Checkpoints of one run or of many: which one is good, and is it whole?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sslterm.runs import Run
from sslterm.tui.screens.room import House, Room


class CheckpointsScreen(Room):
    """Checkpoints."""

    name_in_registry: ClassVar[str] = "checkpoints"

    def __init__(self, house: House, runs: Sequence[Run]) -> None:
        super().__init__(house)
        self.runs = list(runs)
