"""Pieces of text with a look: what a picture is made of before any theme gives it colours."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """How a piece of text looks: what it is, of which colour, over which band, and whether the crosshair is there."""

    kind: str
    colour: int = -1
    band: int = -1
    crossed: bool = False

    @property
    def plain(self) -> bool:
        """Whether a space in it is nothing but a space."""
        return self.band < 0 and not self.crossed


Line = list[tuple[str, Look]]
BLANK, FRAME, TITLE, VALUE, FLAG, ALARM, AXIS = map(Look, ("blank", "frame", "title", "value", "flag", "alarm", "axis"))
