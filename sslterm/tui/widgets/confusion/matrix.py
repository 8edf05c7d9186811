"""The widget: a row for what an image is, a column for what it was taken for, a cursor on one cell."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from sslterm.tui.widgets.confusion import shading
from sslterm.tui.widgets.confusion.layout import Grid, fitted, heads
from sslterm.tui.widgets.confusion.shading import GLYPHS, Counts
from sslterm.tui.widgets.panel import Line, Panel, Piece, joined, windowed
from sslterm.tui.widgets.run_table import cells

NOTHING: Counts = np.zeros((0, 0), dtype=np.int64)


class ConfusionMatrix(Panel):
    """A heat map that reads without colour: its shades are glyphs."""

    shares: reactive[bool] = reactive(True, repaint=False)
    """Whether a cell is its part of the row, else a count."""

    class CellMoved(Message):
        """Another cell is under the cursor."""

        def __init__(self, truth: int, guess: int) -> None:
            super().__init__()
            self.truth, self.guess = truth, guess

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ConfusionMatrix.CellMoved)

    class CellOpened(Message):
        """The cell under the cursor was clicked twice."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names: list[str] = []
        self._matrix = NOTHING
        self._of = ""
        self._levels: list[list[int]] = []
        self._numbers = NOTHING
        self._fitted: tuple[Size, Grid] | None = None
        self._known: dict[Hashable, list[Line]] = {}
        """Rows as they were drawn last: of those the cursor changes two."""
        self.truth = self.guess = 0
        self._top = self._left = 0

    def show(self, names: Sequence[str], matrix: Counts | None, of: str = "") -> None:
        """Show a matrix; the cursor stays where it is, if it can. `of` says of what, for the title."""
        self._matrix = NOTHING if matrix is None else matrix
        self._names = list(names) if len(self._matrix) else []
        self._of = of
        last = max(len(self._names) - 1, 0)
        self.truth, self.guess = min(self.truth, last), min(self.guess, last)
        self._measure()
        self.redraw()

    def watch_shares(self) -> None:
        """The other numbers."""
        self._measure()
        self.redraw()

    # -------------------------------------------------------- the cursor

    def go(self, truth: int, guess: int) -> None:
        """Put the cursor on a cell; nobody is told."""
        last = len(self._names) - 1
        if last >= 0:
            self.truth, self.guess = min(max(truth, 0), last), min(max(guess, 0), last)
            self.redraw()

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor."""
        self._put(self.truth + rows, self.guess + columns)

    def page(self, pages: int) -> None:
        """Move it by what is seen."""
        self._put(self.truth + pages * max(self._grid().rows - 1, 1), self.guess)

    def first(self) -> None:
        """The first class."""
        self._put(0, self.guess)

    def last(self) -> None:
        """The last class."""
        self._put(len(self._names) - 1, self.guess)

    def _put(self, truth: int, guess: int) -> None:
        before = self.truth, self.guess
        self.go(truth, guess)
        if before != (self.truth, self.guess):
            self.post_message(self.CellMoved(self.truth, self.guess))

    def on_click(self, event: events.Click) -> None:
        """The cell that is pointed at; twice opens it."""
        grid = self._grid()
        column, row = (event.x - 3 - grid.label) // grid.cell, (event.y - 2) // grid.tall
        if self._names and 0 <= column < grid.columns and 0 <= row < grid.rows:
            self._put(self._top + row, self._left + column)
            if event.chain == 2:
                self.post_message(self.CellOpened())

    # -------------------------------------------------------- what it shows

    def heading(self) -> tuple[str, str]:
        """Of what it is, and which part is seen."""
        grid, count = self._grid(), len(self._names)
        title = f"confusion{' · ' * bool(self._of)}{self._of} · {'% of row' if self.shares else 'images'}"
        if not count or min(grid.rows, grid.columns) >= count:
            return title, ""
        return title, f"{self._top + 1}–{self._top + grid.rows} of {count}"

    def note(self) -> str:
        """From where each shade begins."""
        return shading.legend(None if self.shares else int(self._matrix.max(initial=0))) if self._names else ""

    def contents(self, width: int, height: int) -> list[Line]:
        """Names above, then a row for each class that is seen."""
        if not self._names:
            return [[Piece("this answer holds no confusion matrix", "muted")]]
        grid = self._grid()
        self._top = windowed(self.truth, self._top, grid.rows, len(self._names))
        self._left = windowed(self.guess, self._left, grid.columns, len(self._names))
        known, self._known = self._known, {}
        for row in range(self._top, self._top + grid.rows):
            look = row, self._left, grid, self.guess if row == self.truth else None
            self._known[look] = known[look] if look in known else self._row(grid, row)
        return [self._head(grid, width), *(line for row in self._known.values() for line in row)]

    def _measure(self) -> None:
        """Shades and short names: they change with the matrix only, not with the cursor."""
        parts = shading.shares(self._matrix) if self.shares else shading.of_largest(self._matrix)
        self._levels = shading.levels(parts).tolist()
        self._numbers = np.rint(parts * 100).astype(np.int64) if self.shares else self._matrix
        self._fitted = None
        self._known.clear()

    def _grid(self) -> Grid:
        if self._fitted is None or self._fitted[0] != self.room:
            digits = 1 + len(shading.short(int(self._numbers.max(initial=0))))
            self._fitted = self.room, fitted(self._names, digits, *self.room)
        return self._fitted[1]

    def _head(self, grid: Grid, width: int) -> Line:
        blank = Piece(" " * (grid.label + 1))
        if not grid.lead:
            return [blank, *self._pointer(grid, width - grid.label - 1)]
        short = heads(self._names, grid.cell - 1)
        seen = range(self._left, self._left + grid.columns)
        return [blank, *(Piece(" " + short[one], "accent" if one == self.guess else "muted") for one in seen)]

    def _pointer(self, grid: Grid, room: int) -> Line:
        """Where cells are too small for names above each: only that of the cursor's column."""
        x = (self.guess - self._left) * grid.cell
        name = cells.fit(self._names[self.guess], min(cells.width(self._names[self.guess], room), 24)).rstrip()
        if x + 2 + cell_len(name) <= room:
            return [Piece(" " * x), Piece(f"▾ {name}", "accent")]
        return [Piece(" " * max(x - 1 - cell_len(name), 0)), Piece(f"{name} ▾", "accent")]

    def _row(self, grid: Grid, row: int) -> list[Line]:
        label = cells.fit(self._names[row], grid.label, both_ends=True)
        first = [Piece(label, "accent" if row == self.truth else ""), Piece(" ")]
        lines: list[Line] = [first + self._cells(grid, row, True)]
        if grid.tall > 1:
            lines += [[Piece(" " * (grid.label + 1)), *self._cells(grid, row, False)]] * (grid.tall - 1)
        return lines

    def _cells(self, grid: Grid, row: int, first: bool) -> Line:
        """One line of a row's cells: the first has numbers and the cursor's sign."""
        texts = [self._text(grid, level, first) for level in range(len(GLYPHS))]
        line = []
        for column in range(self._left, self._left + grid.columns):
            level, text = self._levels[row][column], texts[self._levels[row][column]]
            cursor = row == self.truth and column == self.guess
            if grid.digits:
                text += self._number(row, column).rjust(grid.digits) if first and level else " " * grid.digits
            if cursor and first:
                text = "▸" + text[1:]
            tone = f"{'right' if row == column else 'wrong'}-{level}" if level else ""
            line.append(Piece(text, tone, cursor))
        return joined(line)

    def _text(self, grid: Grid, level: int, first: bool) -> str:
        """A shade in its cell. The faintest is one dot."""
        shade = GLYPHS[level] * grid.glyphs if level != 1 else (GLYPHS[1] * first).ljust(grid.glyphs)
        return " " * grid.lead + shade

    def _number(self, row: int, column: int) -> str:
        number = int(self._numbers[row, column])
        return shading.short(number) if number else ""
