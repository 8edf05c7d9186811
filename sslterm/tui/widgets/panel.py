"""A part of a screen: a frame with a title, and in it lines of text that are drawn and sent one by one.

A panel draws itself out of pieces of text with a tone; colours come from the theme. Its cursor moves by `move`, `page`,
`first` and `last`, to which screens bind keys.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from sslterm.tui.widgets.run_table import cells

SHADES = 5
"""How many strengths there are of right and of wrong."""
STRENGTH = ("45%", "58%", "72%", "86%", "100%")
TONES = ("frame", "title", "value", "muted", "strong", "accent", "good", "bad", "modest", "bar", "track", "cursor")


class Piece(NamedTuple):
    """Text in one tone; `cursor`: on the cursor's ground."""

    text: str
    tone: str = ""
    cursor: bool = False


Line = list[Piece]


def _shades(name: str, colour: str) -> str:
    rules = (f"& > .panel--{name}-{i} {{ color: {colour} {STRENGTH[i - 1]}; }}" for i in range(1, SHADES + 1))
    return "\n".join(rules)


def _ansi_shades(name: str, colour: str) -> str:
    rules = (
        f"& > .panel--{name}-{i} {{ color: ansi_{colour}; text-style: {'dim' if i < 3 else 'none'}; }}"
        for i in range(1, SHADES + 1)
    )
    return "\n".join(rules)


class Panel(Widget, can_focus=True, inherit_bindings=False):
    """Frame, title, a value at the title's right, a note on the lower edge; what is inside is for the subclass."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"panel--{tone}" for tone in TONES} | {
        f"panel--{name}-{shade}" for name in ("right", "wrong") for shade in range(1, SHADES + 1)
    }
    DEFAULT_CSS = f"""
    Panel {{
        width: 1fr; height: 1fr; color: $foreground;
        & > .panel--frame {{ color: $foreground 28%; }}
        & > .panel--title, & > .panel--value, & > .panel--strong {{ color: $foreground; text-style: bold; }}
        & > .panel--muted {{ color: $text-muted; }}
        & > .panel--accent {{ color: $text-primary; text-style: bold; }}
        & > .panel--good {{ color: $text-success; }}
        & > .panel--bad {{ color: $text-error; }}
        & > .panel--modest {{ color: $text-warning; }}
        & > .panel--bar {{ color: $primary; }}
        & > .panel--track {{ color: $foreground 18%; }}
        & > .panel--cursor {{ background: $primary 14%; }}
        &:focus > .panel--frame {{ color: $primary; }}
        &:focus > .panel--cursor {{ background: $primary 34%; text-style: bold; }}
        {_shades("right", "$primary")}
        {_shades("wrong", "$text-warning")}
        &:ansi {{
            & > .panel--frame, & > .panel--track {{ color: ansi_bright_black; }}
            & > .panel--muted {{ color: ansi_default; text-style: dim; }}
            & > .panel--bar {{ color: ansi_blue; }}
            {_ansi_shades("right", "blue")}
            {_ansi_shades("wrong", "yellow")}
        }}
        &:nocolor:focus > .panel--title {{ text-style: bold reverse; }}
        &:ansi > .panel--cursor, &:nocolor > .panel--cursor {{ background: transparent; text-style: reverse; }}
    }}
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._drawn = Size(0, 0)
        self._styles: dict[tuple[str, bool], Style] = {}

    # -------------------------------------------------------- for the subclass to say

    def heading(self) -> tuple[str, str]:
        """The title, and what stands at its right."""
        return "", ""

    def note(self) -> str:
        """What stands on the lower edge of the frame."""
        return ""

    def contents(self, width: int, height: int) -> list[Line]:
        """The lines inside."""
        raise NotImplementedError

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor, where there is one."""

    def page(self, pages: int) -> None:
        """Move the cursor by what is seen."""

    def first(self) -> None:
        """Go to the beginning."""

    def last(self) -> None:
        """Go to the end."""

    # -------------------------------------------------------- how it is drawn

    @property
    def room(self) -> Size:
        """Cells inside the frame."""
        return Size(max(self.size.width - 4, 0), max(self.size.height - 2, 0))

    def redraw(self) -> None:
        """Draw anew, and have the lines that changed sent again."""
        before, drawn = self._lines, self._drawn
        self._draw()
        if drawn != self.size:
            self.refresh()
            return
        changed = [row for row, (old, new) in enumerate(zip(before, self._lines, strict=True)) if old != new]
        if changed:
            self.refresh(*[Region(0, row, self.size.width, 1) for row in changed])

    def _draw(self) -> None:
        self._drawn = self.size
        width, height = self.size
        if width < 8 or height < 3:
            self._lines = [[] for _ in range(height)]
            return
        inside = self.contents(*self.room)[: height - 2]
        inside += [[] for _ in range(height - 2 - len(inside))]
        self._lines = [
            _top(*self.heading(), width),
            *([Piece("│ ", "frame"), *_exactly(line, width - 4), Piece(" │", "frame")] for line in inside),
            _bottom(self.note(), width),
        ]

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if self._drawn != self.size:
            self._draw()
        line = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(piece.text, self._style(piece.tone, piece.cursor)) for piece in joined(line)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, tone: str, cursor: bool) -> Style:
        known = self._styles.get((tone, cursor))
        if known is None:
            known = self._styles[tone, cursor] = self._mixed(tone, cursor)
        return known

    def _mixed(self, tone: str, cursor: bool) -> Style:
        """A tone, on the cursor's ground; where the cursor is reversed, tones would make it a patchwork."""
        style = self.get_component_rich_style(f"panel--{tone}") if tone else self.rich_style
        if not cursor:
            return style
        ground = self.get_component_rich_style("panel--cursor")
        return ground if ground.reverse else style + Style(bgcolor=ground.bgcolor, bold=ground.bold)

    def notify_style_update(self) -> None:
        """The theme changed, or the focus came or went."""
        super().notify_style_update()
        self._styles.clear()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A line down."""
        event.stop()
        self.move(0, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A line up."""
        event.stop()
        self.move(0, -1)

    def on_resize(self, _event: events.Resize) -> None:
        """There is other room."""
        self.redraw()


def joined(line: Line) -> Line:
    """The same with neighbours of one look together: every change of colour costs some twenty bytes on its way."""
    found: Line = []
    for piece in line:
        if found and piece.text and (found[-1][1:] == piece[1:] or _invisible(found[-1], piece)):
            found[-1] = found[-1]._replace(text=found[-1].text + piece.text)
        elif piece.text:
            found.append(piece)
    return found


def _invisible(before: Piece, piece: Piece) -> bool:
    """Whether a piece is blank, and no cursor is near: then it looks the same in any tone."""
    return piece.text.isspace() and not piece.cursor and not before.cursor


def _exactly(line: Line, width: int) -> Line:
    """The line in so many cells."""
    taken = sum(cell_len(piece.text) for piece in line)
    if taken <= width:
        return [*line, Piece(" " * (width - taken))]
    kept: Line = []
    for piece in line:
        taken = min(cell_len(piece.text), width)
        kept.append(piece._replace(text=cells.fit(piece.text, taken)))
        width -= taken
    return kept


def _top(title: str, value: str, width: int) -> Line:
    """`╭ reliability ───────── ECE .021 ╮`."""
    room = width - 4
    title = cells.fit(title, min(cells.width(title, room), room))
    left = room - cell_len(title)
    if not value or cells.width(value, room) + 3 > left:
        return [Piece("╭ ", "frame"), Piece(title, "title"), Piece(" " + "─" * left + "╮", "frame")]
    value = cells.fit(value, cells.width(value, room))
    line = " " + "─" * (left - cell_len(value) - 2) + " "
    return [
        Piece("╭ ", "frame"),
        Piece(title, "title"),
        Piece(line, "frame"),
        Piece(value, "value"),
        Piece(" ╮", "frame"),
    ]


def _bottom(note: str, width: int) -> Line:
    room = width - 4
    if not note or cells.width(note, room + 1) > room:
        return [Piece("╰" + "─" * (width - 2) + "╯", "frame")]
    line = "╰" + "─" * (room - cells.width(note, room)) + " "
    return [Piece(line, "frame"), Piece(note, "muted"), Piece(" ╯", "frame")]


def windowed(cursor: int, top: int, seen: int, count: int) -> int:
    """Where a window of `seen` of `count` lines begins: it moves with a cursor that leaves it, and centres on one that
    jumps."""
    if not top - 1 <= cursor <= top + seen:
        top = cursor - seen // 2
    top = min(max(top, cursor - seen + 1), cursor)
    return max(min(top, count - seen), 0)
