"""The PNG that holds all tiles: read whole, once, by a thread; tiles are cut from it as they come into sight."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sslterm.tui.widgets.tiles.answer import PictureError, Row, Tile

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 16_000_000
"""Pixels of the largest sheet that is read: 48 MB once it is unpacked."""
HEAD = b"\x89PNG\r\n\x1a\n"
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError, OverflowError)
"""What Pillow raises over a damaged file."""


def open_sheet(path: Path, rows: Iterable[Row] = ()) -> Image:
    """The sheet's pixels, after a look at its size. Raises PictureError where it is none, or its tiles do not fit."""
    try:
        sheet = _pixels(path)
    except FileNotFoundError:
        raise PictureError(f"{path}: the pictures are gone; r makes them again") from None
    except PictureError:
        raise
    except BROKEN as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "damaged"
        raise PictureError(f"{path}: cannot be read ({why}); r makes the pictures again") from None
    for tile in (tile for row in rows for tile in row.tiles):
        if tile.x + tile.width > sheet.width or tile.y + tile.height > sheet.height:
            raise PictureError(f"{path}: does not hold the tiles that it should; r makes the pictures again")
    return sheet


def _pixels(path: Path) -> Image:
    from PIL import Image

    if not path.is_file() and path.exists():
        raise PictureError(f"{path}: is no file, so it is not read")
    with path.open("rb") as file:
        head = file.read(24)
        if len(head) < 24 or not head.startswith(HEAD):
            raise PictureError(f"{path}: is no PNG; r makes the pictures again")
        width, height = struct.unpack(">II", head[16:])
        if width * height > LARGEST:  # before Pillow unpacks it
            raise PictureError(f"{path}: {width} x {height} pixels are more than fit; ask for fewer images (--count)")
        file.seek(0)
        with Image.open(file, formats=("PNG",)) as image:
            return image.convert("RGB")


def cut(sheet: Image, tile: Tile, width: int, height: int) -> Image:
    """A tile of a sheet, in so many pixels."""
    from PIL import Image

    # Cut first: resizing with a box looks at the neighbours beyond it.
    image = sheet.crop((tile.x, tile.y, tile.x + tile.width, tile.y + tile.height))
    # Pixels that become larger stay squares: this is what the encoder sees. Smaller ones are averaged.
    larger = width >= 3 * tile.width
    return image.resize((width, height), Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS)
