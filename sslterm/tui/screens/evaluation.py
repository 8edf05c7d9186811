"""Evaluations of one run: how good is it, on what, and how does it fail?"""

from __future__ import annotations

from typing import ClassVar

from sslterm.runs import Run
from sslterm.tui.screens.room import House, Room


class EvaluationScreen(Room):
    """Evaluations."""

    name_in_registry: ClassVar[str] = "evaluation"

    def __init__(self, house: House, run: Run, file: str | None = None) -> None:
        super().__init__(house)
        self.run = run
        self.file = file
