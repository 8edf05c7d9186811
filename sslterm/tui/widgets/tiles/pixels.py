"""Images as pixels, by textual-image: kitty's protocol, whose pictures stand in cells like letters, and sixels.

textual-image asks the terminal what it can do when it is imported, and writes to it past Textual. Beside a running
screen both would garble it, so it is imported, and used, with its way to the terminal closed; what it had to say is
handed on in order with all else.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from PIL.Image import Image

CELL = (10, 20)
"""Pixels that a cell is given for kitty, which fits them to the cell: what textual-image takes where it cannot ask."""


@contextmanager
def _closed() -> Iterator[io.StringIO]:
    """Nothing gets to the terminal; what was meant for it is collected. Textual itself writes by another way."""
    terminal, said = sys.__stdout__, io.StringIO()
    sys.__stdout__ = said  # type: ignore[assignment, misc]
    try:
        yield said
    finally:
        sys.__stdout__ = terminal  # type: ignore[misc]


def _renderables() -> Any:
    with _closed():
        from textual_image import renderable
    return renderable


def _parts(picture: Any) -> list[Segment]:
    console = Console(file=io.StringIO())
    return list(picture.__rich_console__(console, console.options))


class KittyPicture:
    """An image that the terminal keeps until it is told to forget it; the lines only say which, and what part of it."""

    def __init__(self, image: Image, width: int, height: int, write: Callable[[str], object]) -> None:
        self._write = write
        self._picture = _renderables().TGPImage(image, width=width, height=height)
        with _closed() as said:
            lines = [part for part in _parts(self._picture) if part.text.strip()]
        write(said.getvalue())
        self.strips = [Strip([Segment(part.text.rstrip("\n"), part.style)], width) for part in lines]

    def forget(self) -> None:
        """It is shown no more. (textual-image's own cleanup() leaves out `d=`, which means other pictures.)"""
        self._write(f"\x1b_Ga=d,d=I,i={self._picture.terminal_image_id},q=2\x1b\\")


def sixels(image: Image) -> str:
    """An image as one long sequence of sixels, pixel for pixel."""
    from textual_image._sixel import image_to_sixels

    return image_to_sixels(image)


def at(x: int, y: int, picture: str) -> str:
    """What draws sixels at a place of the screen, and leaves the cursor where it was."""
    return f"\x1b7\x1b[{y + 1};{x + 1}H{picture}\x1b8"
