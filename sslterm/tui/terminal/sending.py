"""What is sent to the terminal: only cells that look other than they do there, with as few words as it takes.

Textual sends what a widget calls changed: lines from their beginning on, every piece with all of its colours and a
reset behind it, and the whole screen wherever something was laid out anew. Here its updates are compared with what the
terminal shows already. A line with characters of two cells, or of none, is sent from its beginning as before, for
terminals disagree about their width; pictures go out as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from sslterm.tui.terminal.sgr import PLAIN, Looks

GAP = 3
"""Cells that are rather sent again than passed over, which takes four bytes."""
Piece = tuple[int, int, Strip]
"""A line, a column, and what begins there."""


class Sent:
    """What the terminal shows, as far as that is known: for each line, the letters and the looks of its cells."""

    def __init__(self) -> None:
        self._looks = Looks()
        self._letters: dict[int, list[str | None]] = {}
        self._numbers: dict[int, list[int]] = {}

    def forget(self, system: ColorSystem | None = None) -> None:
        """The terminal may show anything. Looks of themes that were left behind are let go."""
        self._looks = Looks(system or self._looks.system)
        self._letters.clear()
        self._numbers.clear()

    def update(self, update: CompositorUpdate, console: Console) -> str:
        """What to send for an update of Textual's."""
        pieces = list(_pieces(update))
        if any(_foreign(segment) for _, _, strip in pieces for segment in strip):
            self.forget()
            return update.render_segments(console)
        system = console._color_system or ColorSystem.TRUECOLOR
        if system != self._looks.system:
            self.forget(system)
        pen = Pen(self._looks)
        for line, column, strip in pieces:
            self._put(pen, line, column, strip)
        return pen.end()

    def _put(self, pen: Pen, line: int, column: int, strip: Strip) -> None:
        letters, numbers, plain = self._cells(strip)
        end = column + len(letters)
        old_letters = self._letters.setdefault(line, [])
        old_numbers = self._numbers.setdefault(line, [])
        if len(old_letters) < end:
            old_numbers += [PLAIN] * (end - len(old_letters))
            old_letters += [None] * (end - len(old_letters))
        before, looked = old_letters[column:end], old_numbers[column:end]
        if before == letters and looked == numbers:
            return
        differing = [i for i in range(end - column) if before[i] != letters[i] or looked[i] != numbers[i]]
        for a, b in _runs(differing) if plain else [(0, end - column)]:
            pen.write(line, column + a, letters[a:b], numbers[a:b])
        if not plain:
            pen.lose()
        old_letters[column:end], old_numbers[column:end] = letters, numbers

    def _cells(self, strip: Strip) -> tuple[list[str], list[int], bool]:
        """Letters and looks, a cell each, and whether every letter takes just one."""
        letters: list[str] = []
        numbers: list[int] = []
        plain = True
        for text, style, _ in strip:
            number = self._looks.number(style)
            blank = self._looks.blank(number)
            cells = list(text)
            if not text.isascii() and (width := cell_len(text)) != len(text):
                plain, cells = False, _together(text, width)
            letters += cells
            numbers += [number] * len(cells) if blank == number else [blank if c == " " else number for c in cells]
        return letters, numbers, plain


class Pen:
    """Writes into the terminal: knows where it stands, and in which look."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._out: list[str] = []
        self._line, self._column = -1, -1
        self._look = PLAIN

    def write(self, line: int, column: int, letters: Sequence[str], numbers: Sequence[int]) -> None:
        """Cells beside one another."""
        self._go(line, column)
        edges = [0, *(i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1]), len(numbers)]
        for a, b in pairwise(edges):
            text = "".join(letters[a:b])
            self._take(numbers[a], blank=not text.strip(" "))
            self._out.append(text)
        self._column += len(letters)

    def lose(self) -> None:
        """The terminal may stand somewhere else: it may take a letter to be wider than it is."""
        self._line = -1

    def end(self) -> str:
        """Everything, and the terminal's own look again."""
        if self._look != PLAIN:
            self._out.append("\x1b[m")
        return "".join(self._out)

    def _go(self, line: int, column: int) -> None:
        if line != self._line or column < self._column:
            self._out.append(f"\x1b[{line + 1};{column + 1}H")
        elif column > self._column:
            self._out.append(f"\x1b[{column - self._column}C")
        self._line, self._column = line, column

    def _take(self, number: int, blank: bool) -> None:
        """A blank is as good in any look with the same background."""
        if number != self._look and not (blank and number == self._looks.blank(self._look)):
            self._out.append(self._looks.way(self._look, number))
            self._look = number


class Changes(CompositorUpdate):
    """An update that says only what is new."""

    def __init__(self, update: CompositorUpdate, sent: Sent) -> None:
        self._update, self._sent = update, sent

    def render_segments(self, console: Console) -> str:
        """For the terminal."""
        return self._sent.update(self._update, console)


def changes(update: Any, sent: Sent) -> Any:
    """What is new of what Textual wants to show; anything but an update of the screen stays as it is."""
    return Changes(update, sent) if isinstance(update, ChopsUpdate | LayoutUpdate) else update


def _pieces(update: CompositorUpdate) -> Iterator[Piece]:
    """The parts of lines that an update shows, as Textual would send them."""
    if isinstance(update, LayoutUpdate):
        for line, strips in enumerate(update.strips, update.region.y):
            column = update.region.x
            for strip in strips:
                yield line, column, strip
                column += strip.cell_length
    elif isinstance(update, ChopsUpdate):
        for line, start, before in update.spans:
            for end, (column, piece) in zip(update.chop_ends[line], update.chops[line].items(), strict=False):
                if piece is not None and column <= before and end > start:
                    yield line, column, piece if end <= before else piece.crop(0, before - column)


def _foreign(segment: Segment) -> bool:
    """Whether it is more than letters: a picture's pixels, or a link."""
    return bool(segment.control) or "\x1b" in segment.text or bool(segment.style and segment.style.link)


def _together(text: str, width: int) -> list[str]:
    """All letters in the first of their cells; what takes no cell at all is not shown."""
    return [text, *[""] * (width - 1)] if width else []


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together, with small gaps: (from, before) of each."""
    edges = [0, *(i for i in range(1, len(places)) if places[i] - places[i - 1] > GAP + 1), len(places)]
    return ((places[a], places[b - 1] + 1) for a, b in pairwise(edges))
