"""Pictures: what images look like to a preset, what a run took them for, and which ones look alike to it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from sslterm.tui.screens.room import House, Room


class PicturesScreen(Room):
    """Pictures."""

    name_in_registry: ClassVar[str] = "pictures"

    def __init__(self, house: House, of: Path, kind: str = "views", options: tuple[str, ...] = ()) -> None:
        super().__init__(house)
        self.of, self.kind, self.options = of, kind, options
