"""Moving over a table that fills a screen: cursor, marks, order. The keys of the registry, done by the table."""

from __future__ import annotations

from typing import Protocol

from sslterm.tui.screens.room import Room


class Table(Protocol):
    """What a table can do."""

    def open(self) -> None: ...
    def toggle_mark(self) -> None: ...
    def mark_all(self) -> None: ...
    def sort_next(self) -> None: ...
    def turn_order(self) -> None: ...
    def move(self, rows: int) -> None: ...
    def page(self, pages: int) -> None: ...
    def first(self) -> None: ...
    def last(self) -> None: ...


class OverTable(Room):
    """A screen with one table."""

    @property
    def table(self) -> Table:
        """The table."""
        raise NotImplementedError

    def do_open(self) -> None:
        """Open what is under the cursor."""
        self.table.open()

    def do_mark(self) -> None:
        """Mark what is under the cursor."""
        self.table.toggle_mark()

    def do_mark_all(self) -> None:
        """Mark all that are listed."""
        self.table.mark_all()

    def do_sort(self) -> None:
        """The next column."""
        self.table.sort_next()

    def do_turn(self) -> None:
        """The other way round."""
        self.table.turn_order()

    def do_down(self) -> None:
        """A line down."""
        self.table.move(1)

    def do_up(self) -> None:
        """A line up."""
        self.table.move(-1)

    def do_page_down(self) -> None:
        """A page down."""
        self.table.page(1)

    def do_page_up(self) -> None:
        """A page up."""
        self.table.page(-1)

    def do_first(self) -> None:
        """The first line."""
        self.table.first()

    def do_last(self) -> None:
        """The last line."""
        self.table.last()
