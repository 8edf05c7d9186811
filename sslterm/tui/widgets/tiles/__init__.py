"""Images in a terminal: `Tiles` shows any number of them and scrolls, `TileStrip` a few in a few lines.

    answer.py      what `sslterm pictures --json` said   sheet.py       the PNG that holds all tiles
    layout.py      where tiles go                        painting.py    lines of text of that
    characters.py  images out of characters              pixels.py      kitty's protocol, sixels (textual-image)
    drawn.py       tiles that were drawn, kept           tiles.py, tile_strip.py   the widgets

Only what is in sight is drawn. textual-image is imported only where the terminal takes pixels.
"""

from __future__ import annotations

from sslterm.tui.widgets.tiles.answer import Answer, PictureError, Row, Tile, answer_of, rows_of
from sslterm.tui.widgets.tiles.sheet import open_sheet
from sslterm.tui.widgets.tiles.tile_strip import TileStrip
from sslterm.tui.widgets.tiles.tiles import Tiles

__all__ = ["Answer", "PictureError", "Row", "Tile", "TileStrip", "Tiles", "answer_of", "open_sheet", "rows_of"]
