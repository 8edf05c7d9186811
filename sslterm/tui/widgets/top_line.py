"""The line at the top: what matters most at the left, what is good to know at the right, as much as there is room."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

GAP = 3
"""Blanks between the two."""


class TopLine(Static):
    """One line. Both sides are given in several wordings, the longest first; the left one chooses first."""

    DEFAULT_CSS = """
    TopLine { height: 1; padding: 0 1; background: $panel; color: $text; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self._left: Sequence[Content] = ()
        self._right: Sequence[str] = ()
        self._shown: Content | None = None

    def show(self, left: Sequence[Content], right: Sequence[str]) -> None:
        """Say this."""
        self._left, self._right = left, right
        self._fit()

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._fit()

    def _fit(self) -> None:
        line = fitted(self._left, self._right, self.content_size.width)
        if line != self._shown:
            self._shown = line
            self.update(line)


def fitted(left: Sequence[Content], right: Sequence[str], width: int) -> Content:
    """The longest wordings that have room beside each other; the shortest left alone where none have.

    The shortest right is the least that there has to be room for; where the left needs no more than half of its
    wordings for that, it is the second shortest.
    """
    if not left:
        return Content("")
    wishes = [(right[-2:-1], left[: len(left) // 2 + 1]), (right[-1:], left)]
    pairs = [(words, cell_len(least)) for some, wordings in wishes for least in some for words in wordings]
    said = next((words for words, least in pairs if words.cell_length + GAP + least <= width), left[-1])
    room = width - said.cell_length - GAP
    more = next((words for words in right if cell_len(words) <= room), "")
    return Content.assemble(said, " " * max(width - said.cell_length - cell_len(more), 0), more)
