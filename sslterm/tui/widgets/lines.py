"""A head and any number of lines, of which only those that are seen are drawn.

Every change ends in `redraw`: it draws the lines in the window, compares them with those on the screen, and refreshes
those that differ. So a cursor that moves costs two lines, and a run that trains costs one.
"""

from __future__ import annotations

from collections.abc import Hashable

from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """Says which lines are seen; what is on them is for the subclass to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._count = 0
        self._known: dict[Hashable, Strip] = {}
        self._shown: list[Strip] = []

    # ---------------------------------------------------------------- for the subclass to say

    def head(self) -> Strip:
        """The line on top, that stays there."""
        raise NotImplementedError

    def look(self, line: int) -> Hashable:
        """The line, and all that changes how it looks, until `forget`; where it is another, it is drawn anew."""
        raise NotImplementedError

    def draw(self, line: int) -> Strip:
        """One line."""
        raise NotImplementedError

    def instead(self) -> list[Strip]:
        """What to show where there are no lines."""
        return []

    def resized(self) -> None:
        """The width or the height is another: see what has room."""

    # ---------------------------------------------------------------- the window

    @property
    def room(self) -> Size:
        """Cells for a line, and lines beneath the head."""
        width, height = self.scrollable_content_region.size
        return Size(width, max(0, height - 1))

    @property
    def top(self) -> int:
        """The first line that is seen."""
        return self.scroll_offset.y

    @top.setter
    def top(self, line: int) -> None:
        self.scroll_to(y=max(0, line), animate=False, immediate=True)

    def sees(self, line: int) -> bool:
        """Whether a line is in the window."""
        return self.top <= line < self.top + self.room.height

    def reveal(self, first: int, last: int) -> None:
        """Scroll no further than it takes to see these lines."""
        if not self.room.height:
            return
        if last >= self.top + self.room.height:
            self.top = last - self.room.height + 1
        if first < self.top:
            self.top = first

    def hold(self, count: int) -> None:
        """There are so many lines now."""
        self._count = count
        size = Size(self.room.width, count + 1)
        if size != self.virtual_size:
            self.virtual_size = size

    def forget(self) -> None:
        """Lines may look other than they did."""
        self._known.clear()

    def redraw(self) -> None:
        """Draw what is seen, and refresh the lines that differ from those on the screen."""
        before, self._shown = self._shown, self._seen()
        width, height = self.size
        if len(before) != len(self._shown):
            self.refresh()
            return
        changed = [y for y in range(min(height, len(before))) if self._shown[y] != before[y]]
        if changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    def _seen(self) -> list[Strip]:
        width, height = self.room
        if not self.size or not width:
            return []
        if not self._count:
            return self.instead()[: height + 1]
        known, self._known = self._known, {}
        for line in range(self.top, min(self.top + height, self._count)):
            look = self.look(line)
            self._known[look] = known[look] if look in known else self.draw(line)
        return [self.head(), *self._known.values()]

    # ---------------------------------------------------------------- what Textual asks

    def render_line(self, y: int) -> Strip:
        """A line of the screen."""
        if y < len(self._shown):
            return self._shown[y]
        return Strip.blank(self.size.width, self.rich_style)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Only lines that differ are drawn anew, and not all of them as other scroll views do."""
        self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.redraw()

    def on_resize(self, _event: events.Resize) -> None:
        """See what has room now."""
        self.resized()
        self.redraw()

    def notify_style_update(self) -> None:
        """Colours may be others. Textual says so before it works out those of components: they are drawn afterwards."""
        super().notify_style_update()
        self.call_later(self.recolour)

    def recolour(self) -> None:
        """Draw what is seen in the colours of now."""
        self.forget()
        self.redraw()
