"""The lines of a log: stays at the end while they come, or where one looks; finds text in them.

Only what is seen is drawn. Lines are told apart by their number since the log was opened, which stays when old ones go.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

MOST = 20_000
"""Lines that are kept."""
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
"""When a line was written; not what one reads it for."""
TROUBLE = re.compile(r"^\S*(Error|Exception|Warning)\b|^Traceback|^sslterm: ")
PARTS = ("stamp", "trouble", "match", "current")


class LogView(ScrollView, can_focus=True):
    """A log. `following`: whether it stays at the end."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log-view--{part}" for part in PARTS}
    DEFAULT_CSS = """
    LogView {
        height: 1fr; padding: 0 1; scrollbar-size: 1 1;
        & > .log-view--stamp { text-style: dim; }
        & > .log-view--trouble { color: $text-error; }
        & > .log-view--match { background: $warning 35%; text-style: bold; }
        & > .log-view--current { text-style: bold reverse; }
        &:ansi > .log-view--match, &:nocolor > .log-view--match { background: transparent; text-style: bold underline; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("G,end", "scroll_end", "Follow", show=False),
        Binding("g,home", "scroll_home", "First", show=False),
        Binding("ctrl+d", "page_down", "Page down", show=False),
        Binding("ctrl+u", "page_up", "Page up", show=False),
    ]

    class Changed(Message):
        """It follows or not, there are more lines, or more of them fit what is looked for."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Changed)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: list[str] = []
        self.following = True
        self.behind = 0
        """Lines that came since it does not follow."""
        self._first = 0
        """The number of the first line that is kept."""
        self._width = 0
        self._pattern: re.Pattern[str] | None = None
        self.matches: list[int] = []
        """The numbers of the lines that fit."""
        self.match: int | None = None
        """The one that was gone to."""

    # -------------------------------------------------------- lines

    def extend(self, lines: Iterable[str], afresh: bool = False) -> None:
        """More lines; `afresh`: instead of those there are."""
        if afresh:
            self._clear()
        new = list(lines)
        self._note_matches(new, self._first + len(self.lines))
        self.lines += new
        gone = max(len(self.lines) - MOST, 0)
        if gone:
            del self.lines[:gone]
            self._first += gone
            del self.matches[: bisect_left(self.matches, self._first)]
        self.behind += 0 if self.following else len(new)
        self._width = max([self._width, *map(_cells, new)])
        self.virtual_size = Size(self._width, len(self.lines))
        if self.following:
            self._to_end()
        elif gone:  # what is read stands still
            self.scroll_to(y=max(self.scroll_offset.y - gone, 0), animate=False, immediate=True)
        self._changed()

    def _to_end(self) -> None:
        # At once, and although Textual may not have found out yet that there is more than is seen.
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    def on_resize(self) -> None:
        """The end stays in sight."""
        if self.following:
            self._to_end()

    def _clear(self) -> None:
        self.lines, self._first, self._width = [], 0, 0
        self.matches, self.match = [], None
        self.following, self.behind = True, 0

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever looks back does not follow; whoever goes to the end does."""
        super().watch_scroll_y(old_value, new_value)
        at_end = new_value >= self.max_scroll_y
        if at_end != self.following and (at_end or new_value < old_value):
            self.following = at_end
            self.behind = 0
            self.post_message(self.Changed())

    # -------------------------------------------------------- finding

    def search(self, text: str) -> None:
        """Mark the lines that hold a text; capital letters count where there are some. Nothing: mark none."""
        self._pattern = re.compile(re.escape(text), 0 if text != text.lower() else re.IGNORECASE) if text else None
        self.matches, self.match = [], None
        self._note_matches(self.lines, self._first)
        self._changed()

    @property
    def searching(self) -> bool:
        """Whether something is looked for."""
        return self._pattern is not None

    def _note_matches(self, lines: list[str], first: int) -> None:
        if self._pattern is not None:
            self.matches += [first + place for place, line in enumerate(lines) if self._pattern.search(line)]

    def go_to_match(self, by: int) -> bool:
        """The next line that fits, or the one before; round and round. False where none does."""
        if not self.matches:
            return False
        if self.match is None:  # from what is seen on
            here = self._first + self.scroll_offset.y + (self.size.height if by < 0 else 0)
            place = bisect_left(self.matches, here) + (by if by < 0 else 0)
        else:
            place = bisect_right(self.matches, self.match) if by > 0 else bisect_left(self.matches, self.match) - 1
        self.match = self.matches[place % len(self.matches)]
        self._see(self.match - self._first)
        self._changed()
        return True

    def _see(self, row: int) -> None:
        """Scroll no more than it takes to have the line and what was found in it in sight."""
        (left, top), (width, height) = self.scroll_offset, self.scrollable_content_region.size
        found = self._pattern.search(self.lines[row]) if self._pattern else None
        begin, end = (_cells(self.lines[row][:place]) for place in (found.span() if found else (0, 0)))
        x = left if left <= begin and end <= left + width else max(end - width * 2 // 3, 0)
        y = top if top <= row < top + height else max(row - height // 2, 0)
        self.scroll_to(x, y, animate=False, immediate=True)

    @property
    def matched_line(self) -> str | None:
        """The line that was gone to."""
        if self.match is None or self.match < self._first:
            return None
        return self.lines[self.match - self._first]

    # -------------------------------------------------------- moving, at once

    def action_scroll_down(self) -> None:
        """A line down."""
        self.scroll_relative(y=1, animate=False)

    def action_scroll_up(self) -> None:
        """A line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """A page down."""
        self.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """A page up."""
        self.scroll_page_up(animate=False)

    def action_scroll_home(self) -> None:
        """To the first line."""
        self.scroll_home(animate=False, x_axis=False)

    def action_scroll_end(self) -> None:
        """To the end, and stay there."""
        self._to_end()

    # -------------------------------------------------------- how it looks

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        left, top = self.scroll_offset
        row, width = top + y, self.scrollable_content_region.width
        if row >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        line = self._text(row)
        strip = Strip(line.render(self.app.console), cell_len(line.plain))
        return strip.crop_extend(left, left + width, self.rich_style).apply_offsets(left, row)

    def _text(self, row: int) -> Text:
        line = Text(self.lines[row], style=self.rich_style, no_wrap=True, end="")
        if stamp := STAMP.match(line.plain):
            line.stylize(self.get_component_rich_style("log-view--stamp", partial=True), 0, stamp.end())
        if TROUBLE.match(line.plain):
            line.stylize(self.get_component_rich_style("log-view--trouble", partial=True))
        if self._pattern is not None:
            part = "current" if self._first + row == self.match else "match"
            look = self.get_component_rich_style(f"log-view--{part}", partial=True)
            for found in self._pattern.finditer(line.plain):
                line.stylize(look, *found.span())
        span = self.text_selection.get_span(row) if self.text_selection is not None else None
        if span is not None:
            start, end = span
            look = self.screen.get_component_rich_style("screen--selection")
            line.stylize(look, start, len(line.plain) if end == -1 else end)
        return line

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that was selected with the mouse."""
        return selection.extract("\n".join(self.lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self.refresh()


def _cells(line: str) -> int:
    return len(line) if line.isascii() else cell_len(line)
