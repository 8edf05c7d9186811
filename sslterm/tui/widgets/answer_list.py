"""What was asked, in a narrow list: two lines a question, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from sslterm.tui.widgets.panel import Line, Panel, Piece, windowed
from sslterm.tui.widgets.run_table import cells

TALL = 2
"""Lines of one entry."""


class Listed(NamedTuple):
    """One entry: what it is called and its main figure, beneath them two more."""

    title: str
    figure: str
    more: str
    aside: Piece = Piece("")


class AnswerList(Panel):
    """Entries, one under the cursor."""

    class EntryChosen(Message):
        """Another entry is under the cursor."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, AnswerList.EntryChosen)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: list[Listed] = []
        self._place = 0
        self._top = 0

    def show(self, entries: Sequence[Listed], place: int) -> None:
        """List these; the cursor is at `place`."""
        self._entries, self._place = list(entries), place
        self.redraw()

    def move(self, columns: int, rows: int) -> None:
        """The next entry, or the one before."""
        self._put(self._place + rows)

    def page(self, pages: int) -> None:
        """By what is seen."""
        self._put(self._place + pages * max(self._seen() - 1, 1))

    def first(self) -> None:
        """The newest."""
        self._put(0)

    def last(self) -> None:
        """The oldest."""
        self._put(len(self._entries) - 1)

    def _put(self, place: int) -> None:
        place = min(max(place, 0), len(self._entries) - 1)
        if self._entries and place != self._place:
            self._place = place
            self.redraw()
            self.post_message(self.EntryChosen(place))

    def on_click(self, event: events.Click) -> None:
        """The entry that is pointed at."""
        line = (event.y - 1) // TALL
        if event.y >= 1 and line < self._seen():
            self._put(self._top + line)

    def _seen(self) -> int:
        return min(max(self.room.height // TALL, 1), len(self._entries))

    def heading(self) -> tuple[str, str]:
        """How many there are."""
        return "questions", str(len(self._entries)) if self._entries else ""

    def note(self) -> str:
        """How to get away from here: the list is seen where all parts are."""
        return "tab: next part"

    def contents(self, width: int, height: int) -> list[Line]:
        """Two lines for each entry that is seen."""
        self._top = windowed(self._place, self._top, self._seen(), len(self._entries))
        seen = range(self._top, self._top + self._seen())
        return [line for place in seen for line in _lines(self._entries[place], width, place == self._place)]


def _lines(entry: Listed, width: int, here: bool) -> list[Line]:
    sign = "▸ " if here else "  "
    room = width - 2 - len(entry.figure) - 1
    aside = cells.clean(entry.aside.text.strip(), 12)
    return [
        [
            Piece(sign, "accent", here),
            Piece(cells.fit(entry.title, room, both_ends=True), "strong" if here else "", here),
            Piece(" " + entry.figure, "strong" if here else "", here),
        ],
        [
            Piece("  ", "", here),
            Piece(cells.fit(entry.more, max(width - 3 - len(aside), 0)), "muted", here),
            Piece(" " + aside, entry.aside.tone, here),
        ],
    ]
