"""What answers a question: a sheet with rows of tiles, each an image with a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Tile:
    """One image with a few words."""

    pixels: Tensor
    """uint8 (C, S, S) on the CPU; C is 1 or 3 channels, S the side."""
    caption: str
    image: int | None
    """Which image of the data set it is, or is made of; None: of none."""
    right: bool | None = None
    """Whether what is said of it is right; None where there is nothing to be right about."""


@dataclass(frozen=True)
class Row:
    """Tiles that belong together."""

    caption: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Sheet:
    """All of them."""

    title: str
    rows: tuple[Row, ...]
