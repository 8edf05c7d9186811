"""Which screen is behind which name: rooms know the house, the house knows its doors, and no room knows another.

Each is loaded when it is first entered, for a list of runs needs no confusion matrix.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

ROOMS = {
    "runs": "runs:RunsScreen", "run": "run:RunScreen", "launch": "launch:LaunchScreen",
    "compare": "compare:CompareScreen", "checkpoints": "checkpoints:CheckpointsScreen",
    "evaluation": "evaluation:EvaluationScreen", "pictures": "pictures:PicturesScreen", "doctor": "doctor:DoctorScreen",
}  # fmt: skip


def room(name: str, *about: Any, **more: Any) -> Any:
    """A screen by its name, made with the house and what it is about."""
    module, _, kind = ROOMS[name].partition(":")
    return getattr(import_module(f"sslterm.tui.screens.{module}"), kind)(*about, **more)
