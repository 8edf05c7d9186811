"""Tiles: any number of images with captions, in lines that scroll one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from sslterm.tui.terminal.pictures import cell_size
from sslterm.tui.widgets.tiles.answer import Row
from sslterm.tui.widgets.tiles.drawn import Drawn
from sslterm.tui.widgets.tiles.layout import Plan, Widths, plan
from sslterm.tui.widgets.tiles.painting import COMPONENTS, CSS, Painting, hand
from sslterm.tui.widgets.tiles.pixels import at

if TYPE_CHECKING:
    from PIL.Image import Image

OF_PIXELS = Widths(12, 18, 32)
"""Pixels show in few cells what characters need many for."""

SETTLED = 0.03
"""Seconds without a change after which sixels are sent: they are many, and soon wiped out by the next change."""


class Tiles(ScrollView, can_focus=False):
    """Give it rows and their sheet; bind keys to `move`, `page`, `first` and `last`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = f"""
    Tiles {{
        width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
        {CSS}
    }}
    """

    class Seen(Message):
        """Other rows (or tiles, where they flow) are in sight: first and last, counted from 1, of so many."""

        def __init__(self, first: int, last: int, of: int) -> None:
            super().__init__()
            self.first, self.last, self.of = first, last, of

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Tiles.Seen)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: Sequence[Row] = ()
        self._flowing = False
        self._sheet: Image | None = None
        self._painting: Painting | None = None
        self._for = Size(0, 0)
        self._soon: Timer | None = None

    # -------------------------------------------------------- what is shown

    def show(self, rows: Sequence[Row], sheet: Image | None, flowing: bool = False) -> None:
        """Show these, from the first. `flowing`: rows do not matter, tiles follow each other."""
        self._forget()
        self._rows, self._sheet, self._flowing = rows, sheet, flowing
        self._lay_out(0)

    def clear(self) -> None:
        """Show nothing."""
        self.show((), None)

    def _forget(self) -> None:
        if self._painting is not None:
            self._painting.drawn.forget()
        self._painting = None

    def _lay_out(self, line: int) -> None:
        """Place everything anew, with the tiles of this line in sight."""
        if not self.is_attached:
            return
        self._for = size = self.scrollable_content_region.size
        if self._sheet is None or not size:
            self._forget()
            self.virtual_size = Size(0, 0)
        else:
            now = hand(self)
            if self._painting is None or self._painting.drawn.hand != now:
                self._forget()
                self._painting = Painting(Plan(2, 1), Drawn(self._sheet, now, self._write))
            widths = OF_PIXELS if now.drawing in ("kitty", "sixel") else Widths()
            laid = plan(self._rows, size.width, size.height, widths, self._flowing)
            if laid != self._painting.plan:
                self._painting.drawn.forget()
            self._painting.plan = laid
            self._painting.drawn.screen = size.area
            self.virtual_size = Size(size.width, laid.tall)
        self._go(line)
        self.refresh()

    def _write(self, text: str) -> None:
        """Tell the terminal something before the next picture of the screen, in order with all else."""
        driver: Any = self.app._driver
        if driver is not None and text:
            driver.write(text)

    # -------------------------------------------------------- moving

    @property
    def _plan(self) -> Plan:
        return self._painting.plan if self._painting else Plan(2, 1)

    @property
    def line(self) -> int:
        """The number of the line of tiles at the top."""
        y, plan = round(self.scroll_y), self._plan
        if y and y >= self.max_scroll_y:  # the last one may not reach the top
            return next((n for n, top in enumerate(plan.tops) if top >= y), plan.at(y))
        return plan.at(y)

    def move(self, by: int) -> None:
        """So many lines of tiles further, or back."""
        self._go(self.line + by)

    def page(self, by: int) -> None:
        """As many lines of tiles as are in sight."""
        lines = self._plan.lines
        self.move(by * max(1, self._for.height // lines[0].height) if lines else 0)

    def first(self) -> None:
        """To the first line."""
        self._go(0)

    def last(self) -> None:
        """To the last line."""
        self._go(len(self._plan.lines) - 1)

    def _go(self, line: int) -> None:
        lines = self._plan.lines
        top = lines[max(0, min(line, len(lines) - 1))].top if lines else 0
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._say()

    def _say(self) -> None:
        top = round(self.scroll_y)
        first, last = self._plan.rows_between(top, top + self._for.height)
        of = self._plan.lines[-1].rows[1] + 1 if self._plan.lines else 0
        self.post_message(self.Seen(first + 1, last + 1, of))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel turns by lines of tiles, too."""
        event.stop()
        event.prevent_default()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The same, back."""
        event.stop()
        event.prevent_default()
        self.move(-1)

    # -------------------------------------------------------- drawing

    def on_mount(self) -> None:
        """What was given before."""
        self._lay_out(0)

    def on_unmount(self) -> None:
        """The terminal need not keep pictures any longer."""
        self._forget()

    def on_resize(self) -> None:
        """There is more room, or less."""
        if self.scrollable_content_region.size != self._for:
            self._lay_out(self.line)

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        if self._painting is not None and self._painting.drawn.hand != hand(self):
            self._lay_out(self.line)

    def render_line(self, y: int) -> Strip:
        """One line of text."""
        width = self._for.width
        if self._painting is None:
            return Strip.blank(width, self.rich_style)
        return self._painting.line(y + round(self.scroll_y), width, self)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some lines of text; sixels are laid over them once they are drawn, as cells would wipe them out."""
        if self._painting is not None and self._painting.drawn.hand.drawing == "sixel":
            if self._soon is not None:
                self._soon.stop()
            self._soon = self.set_timer(SETTLED, self._lay_sixels)
        return super().render_lines(crop)

    def _lay_sixels(self) -> None:
        """Draw what is in sight, except beneath a note that lies over it, or a dialog."""
        cell = cell_size()
        if cell is None or self._painting is None or not self.screen.is_active:
            return
        place, start = self.content_region, round(self.scroll_y)
        notes = [note.region for note in self.screen.query("Toast")]
        width = self._painting.plan.width
        said = ""
        for x, y, above, count, tile in self._painting.tiles_between(start, start + place.height):
            where = Region(place.x + x, place.y + y - start, width, count)
            if not any(where.overlaps(note) for note in notes):
                said += at(where.x, where.y, self._painting.drawn.sixels(tile, width, cell, above, count))
        self._write(said)
