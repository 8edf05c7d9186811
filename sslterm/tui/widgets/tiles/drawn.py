"""Tiles as cells: drawn when they are first seen, and kept while they are among the last that were."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from textual.strip import Strip

from sslterm.tui.terminal.pictures import Drawing
from sslterm.tui.widgets.tiles import characters
from sslterm.tui.widgets.tiles.answer import Tile
from sslterm.tui.widgets.tiles.pixels import CELL, KittyPicture, sixels
from sslterm.tui.widgets.tiles.sheet import cut

if TYPE_CHECKING:
    from PIL.Image import Image

SCREENS = 2
"""How many screens full of drawn tiles are kept."""


@dataclass(frozen=True)
class Hand:
    """How tiles are drawn."""

    drawing: Drawing
    style: Style
    """For what is written in one colour."""
    dark: bool
    """Whether that colour is brighter than what is behind it."""
    few_colours: bool = False
    """Whether there are 256 at most."""


class Drawn:
    """The tiles of one sheet, drawn by one hand. `write` gets what a terminal is to be told before it is drawn."""

    screen: int = 10_000
    """Cells that are in sight at most."""

    def __init__(self, sheet: Image, hand: Hand, write: Callable[[str], object]) -> None:
        self.sheet, self.hand, self._write = sheet, hand, write
        self._strips: OrderedDict[tuple[Tile, int], list[Strip]] = OrderedDict()
        self._sixels: OrderedDict[tuple[Tile, int, int, int, int], str] = OrderedDict()
        self._pictures: dict[tuple[Tile, int], KittyPicture] = {}

    def strips(self, tile: Tile, width: int) -> list[Strip]:
        """A tile that is so many cells wide and half as many high."""
        key = (tile, width)
        if key not in self._strips:
            self._strips[key] = self._draw(tile, width)
            while len(self._strips) > self._kept(width):
                self._drop(self._strips.popitem(last=False)[0])
        self._strips.move_to_end(key)
        return self._strips[key]

    def _kept(self, width: int) -> int:
        """Tiles of that width that are kept: never fewer than are in sight."""
        return 20 + SCREENS * self.screen // (width * width // 2)

    def _draw(self, tile: Tile, width: int) -> list[Strip]:
        how, height = self.hand.drawing, width // 2
        if how == "sixel":
            return [Strip.blank(width, self.hand.style)] * height
        if how == "kitty":
            image = cut(self.sheet, tile, width * CELL[0], height * CELL[1])
            self._pictures[tile, width] = KittyPicture(image, width, height, self._write)
            return self._pictures[tile, width].strips
        across, down = characters.PARTS[how]
        image = cut(self.sheet, tile, width * across, height * down)
        if self.hand.few_colours and how == "halfcell":
            image = characters.of_few_colours(image)
        return characters.draw(image, how, self.hand.style, self.hand.dark)

    def sixels(self, tile: Tile, width: int, cell: tuple[int, int], first: int, count: int) -> str:
        """Some lines of a tile as sixels, for cells of that size."""
        key = (tile, width, cell[1], first, count)
        if key not in self._sixels:
            image = cut(self.sheet, tile, width * cell[0], width // 2 * cell[1])
            part = image.crop((0, first * cell[1], image.width, (first + count) * cell[1]))
            self._sixels[key] = sixels(part)
            while len(self._sixels) > self._kept(width):
                self._sixels.popitem(last=False)
        self._sixels.move_to_end(key)
        return self._sixels[key]

    def forget(self) -> None:
        """Nothing of it is shown any more."""
        for key in list(self._pictures):
            self._drop(key)
        self._strips.clear()
        self._sixels.clear()

    def _drop(self, key: tuple[Tile, int]) -> None:
        if picture := self._pictures.pop(key, None):
            picture.forget()
