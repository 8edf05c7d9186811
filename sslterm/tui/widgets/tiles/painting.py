"""Lines of text of a plan: tiles, and what is said above and beneath them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from sslterm.tui.terminal.pictures import colours, drawing
from sslterm.tui.widgets.tiles.answer import Tile
from sslterm.tui.widgets.tiles.drawn import Drawn, Hand
from sslterm.tui.widgets.tiles.layout import Line, Plan, Said

PARTS = ("above", "beneath", "right", "wrong")
COMPONENTS = {f"tiles--{part}" for part in PARTS}
CSS = """
    & > .tiles--above { color: $foreground; text-style: bold; }
    & > .tiles--beneath { color: $text-muted; }
    & > .tiles--right { color: $text-success; }
    & > .tiles--wrong { color: $text-error; }
    &:ansi {
        & > .tiles--above { color: ansi_default; }
        & > .tiles--beneath { color: ansi_default; }
        & > .tiles--right { color: ansi_green; }
        & > .tiles--wrong { color: ansi_red; }
    }
"""


def hand(widget: Widget, with_sixels: bool = True) -> Hand:
    """How a widget draws its tiles, in its theme and its terminal."""
    how = drawing(widget.app)
    if how == "sixel" and not with_sixels:
        how = "quarters"
    return Hand(how, widget.rich_style, widget.app.current_theme.dark, colours(widget.app) <= 256)


@dataclass
class Painting:
    """A plan and the tiles that are drawn for it."""

    plan: Plan
    drawn: Drawn

    def line(self, y: int, width: int, widget: Widget) -> Strip:
        """One line of text of it, in a widget's styles."""
        blank = widget.rich_style
        if not self.plan.lines or y < 0:
            return Strip.blank(width, blank)
        line = self.plan.lines[self.plan.at(y)]
        return _row(self._parts(line, y - line.top, widget), width, blank)

    def _parts(self, line: Line, y: int, widget: Widget) -> Iterator[tuple[int, Strip]]:
        """What stands in a line of text, from left to right, each with its first column."""
        y -= bool(line.above)
        if y < 0:
            yield from _words(line.above, widget.get_component_rich_style("tiles--above"))
        elif y < self.plan.height:
            for x, tile in line.tiles:
                yield x, self.drawn.strips(tile, self.plan.width)[y]
        elif y - self.plan.height < len(line.beneath):
            for said in line.beneath[y - self.plan.height]:
                part = {True: "right", False: "wrong", None: "beneath"}[said.right]
                yield from _words((said,), widget.get_component_rich_style(f"tiles--{part}"))

    def tiles_between(self, first: int, last: int) -> Iterator[tuple[int, int, int, int, Tile]]:
        """Tiles with lines of text from `first` to before `last`: column, line, how many of its lines are above
        `first`, how many are in between, tile."""
        for line in self.plan.lines:
            top = line.top + bool(line.above)
            seen = range(max(first, top), min(last, top + self.plan.height))
            if seen:
                yield from ((x, seen.start, seen.start - top, len(seen), tile) for x, tile in line.tiles)


def _words(all_said: Iterable[Said], style: Style) -> Iterator[tuple[int, Strip]]:
    return ((said.x, Strip([Segment(said.text, style)], cell_len(said.text))) for said in all_said)


def _row(parts: Iterable[tuple[int, Strip]], width: int, blank: Style) -> Strip:
    """Strips at their columns, with blanks between."""
    strips: list[Strip] = []
    at = 0
    for x, strip in parts:
        if x > at:
            strips.append(Strip.blank(x - at, blank))
        strips.append(strip)
        at = x + strip.cell_length
    return Strip.join(strips).adjust_cell_length(width, blank)
