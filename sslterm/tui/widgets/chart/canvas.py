"""Cells of the plot: dots of lines merged, faint dots and bands behind them, signs in front, then runs of equal looks.

R, C: rows and columns of cells.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sslterm.tui.widgets.chart.columns import Booleans, Integers
from sslterm.tui.widgets.chart.frame import cell_len
from sslterm.tui.widgets.chart.look import Line, Look
from sslterm.tui.widgets.chart.raster import Glyphs, Spans, between, filled, packed
from sslterm.tui.widgets.chart.series import COLOURS

NOBODY = -1
SIGNS = 10_000
"""Looks of signs have numbers from here on, those of dots below."""
SPARSE = np.array([[True, False], [False, False]])
"""Which dots of a band are set where it cannot have a background."""


class Canvas:
    """The plot of a chart."""

    def __init__(self, rows: int, columns: int, glyphs: Glyphs) -> None:
        self.rows, self.columns, self.glyphs = rows, columns, glyphs
        self.height = rows * glyphs.down
        self._ink, self._owner = self._layer()
        self._faint_ink, self._faint_owner = self._layer()
        self._shade_ink, self._shade_owner = self._layer()
        self._tint = np.full((rows, columns), NOBODY, dtype=np.int16)
        self._signs: dict[tuple[int, int], tuple[str, Look]] = {}
        self._crossed: int | None = None

    def _layer(self):  # type: ignore[no-untyped-def]
        return np.zeros((self.rows, self.columns), dtype=np.uint8), np.full((self.rows, self.columns), NOBODY, np.int16)

    def line(self, found: Spans, colour: int, pattern: str) -> None:
        """A line; dots of earlier ones stay, the cell takes its colour."""
        ink = packed(filled(found, self.height, pattern), self.glyphs)
        self._ink |= ink
        self._owner[ink > 0] = colour

    def faint(self, found: Spans, colour: int) -> None:
        """A line behind all lines: it is not seen in their cells, which keeps them crisp."""
        ink = packed(filled(found, self.height), self.glyphs)
        self._faint_ink |= ink
        self._faint_owner[ink > 0] = colour

    def band(self, upper: Spans, lower: Spans, colour: int, tinted: bool) -> None:
        """A band: a tinted background, or thinly set dots behind everything."""
        dots = between(upper, lower, self.height)
        if tinted:
            self._tint[packed(dots, self.glyphs) > 0] = colour
            return
        across = dots.shape[1]
        ink = packed(
            dots & np.tile(SPARSE, (self.height // 2 + 1, across // 2 + 1))[: self.height, :across], self.glyphs
        )
        self._shade_ink |= ink
        self._shade_owner[ink > 0] = colour

    def sign(self, row: int, column: int, name: str, look: Look) -> None:
        """One sign in front of everything, if it is in the picture."""
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._signs[row, column] = (self.glyphs.signs[name], look)

    def signs(self, where: Booleans, name: str, look: Look, rows: Integers | None = None) -> None:
        """The same sign in columns of pixels: at the upper or lower edge, or in rows of pixels."""
        for pixel in np.flatnonzero(where).tolist():
            edge = 0 if name == "above" else self.rows - 1
            row = edge if rows is None else int(rows[pixel]) // self.glyphs.down
            self.sign(row, pixel // self.glyphs.across, name, look)

    def upright(self, column: int, name: str) -> None:
        """An upright line where no other line is."""
        for row in np.flatnonzero(self._ink[:, column] == 0).tolist():
            self._signs.setdefault((row, column), (self.glyphs.signs[name], Look(name)))

    def note(self, column: int, text: str) -> None:
        """A word in the highest row where nothing is in its way; none where there is no such row."""
        end = column + len(text)
        if end > self.columns or cell_len(text) != len(text):
            return
        busy = (self._ink[:, column:end] | self._faint_ink[:, column:end]).any(axis=1)
        for row in np.flatnonzero(~busy).tolist():
            if not any((row, place) in self._signs for place in range(column, end)):
                self._signs.update({(row, column + i): (letter, Look("mark")) for i, letter in enumerate(text)})
                return

    def cross(self, column: int) -> None:
        """The crosshair's upright."""
        self.upright(column, "crosshair")
        self._crossed = column

    def lines(self) -> list[Line]:
        """Rows of runs: one where neighbours look alike."""
        ink, owner, kind = self._merged()
        characters = self.glyphs.table[ink]
        looks: dict[int, Look] = {}
        codes = self._codes(ink, owner, kind, looks)
        numbers: dict[Look, int] = {}
        for (row, column), (character, look) in self._signs.items():
            characters[row, column] = character
            seen = Look(look.kind, look.colour, int(self._tint[row, column]), column == self._crossed)
            codes[row, column] = numbers.setdefault(seen, SIGNS + len(numbers))
        looks.update({code: look for look, code in numbers.items()})
        rows = []
        for row in range(self.rows):
            text = characters[row].tobytes().decode("utf-32")
            edges = [0, *(np.flatnonzero(np.diff(codes[row])) + 1).tolist(), self.columns]
            rows.append([(text[a:b], looks[int(codes[row, a])]) for a, b in pairwise(edges)])
        return rows

    def _merged(self):  # type: ignore[no-untyped-def]
        """The foremost layer of each cell: its dots, whose they are, and which layer it was."""
        kind = np.where(self._ink > 0, 1, np.where(self._faint_ink > 0, 2, np.where(self._shade_ink > 0, 3, 0)))
        ink = np.choose(kind, [self._ink, self._ink, self._faint_ink, self._shade_ink])
        owner = np.choose(kind, [self._owner, self._owner, self._faint_owner, self._shade_owner])
        return ink, owner, kind

    def _codes(self, ink, owner, kind, looks: dict[int, Look]):  # type: ignore[no-untyped-def]
        """A number for the look of each cell; empty cells look like their left neighbour, which makes longer runs."""
        base = np.where(kind > 0, kind * COLOURS + owner, 0)
        before = np.maximum.accumulate(np.where(kind > 0, np.arange(self.columns), 0), axis=1)
        base = np.take_along_axis(base, before, axis=1)
        codes = (base * (COLOURS + 1) + self._tint + 1) * 2
        if self._crossed is not None:
            codes[:, self._crossed] += 1
        for code in np.unique(codes).tolist():
            rest, crossed = divmod(code, 2)
            of, tint = divmod(rest, COLOURS + 1)
            layer, colour = divmod(of, COLOURS)
            name = ("blank", "line", "faint", "shade")[layer]
            looks[code] = Look(name, colour if layer else -1, tint - 1, bool(crossed))
        return codes
