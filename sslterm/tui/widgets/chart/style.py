"""How the parts of a chart look in every theme: computed from the theme's variables, once for each look.

Eight colours for lines, told apart by most eyes; without colour (NO_COLOR, ansi) patterns do it. Component classes
would say the same, but Textual works out every class of every chart anew whenever the focus moves: a tenth of a second
on a screen of charts.
"""

from __future__ import annotations

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from sslterm.tui.widgets.chart.look import Line, Look

DARK = ("#5fb3f0", "#f5a742", "#56c596", "#e681b8", "#b79cf7", "#e9dc5e", "#f2765b", "#4fd0d9")
LIGHT = ("#0a6ebd", "#b35900", "#00794f", "#b0347f", "#6a48c7", "#7d6b00", "#c0361b", "#007a85")
ANSI = ("blue", "yellow", "green", "magenta", "bright_blue", "bright_green", "red", "cyan")
SHADES = {"frame": 0.28, "flag": 0.55, "axis": 0.55, "mark": 0.45, "crosshair": 0.70, "title": 1.0, "value": 1.0}
"""How much of the theme's foreground a part has."""
NAMED = {"alarm": "text-error", "best": "text-warning", "focus": "primary"}
"""Parts that have a colour of the theme by name."""
PLAIN = {"frame": "bright_black", "alarm": "red", "best": "yellow"}
"""What has a colour among the sixteen of a terminal; the rest has the terminal's own."""
BOLD, DIM = frozenset({"title", "value", "alarm", "best"}), frozenset({"flag", "axis", "mark"})
CROSSED = 0.12
"""How much of the foreground the crosshair's background takes."""
FAINT = 0.45
"""How much of its colour the raw line keeps behind the smoothed one."""
TINT = 0.16
"""How much of a band's colour its background takes."""


def coloured(widget: Widget) -> bool:
    """Whether shades of colour can be told apart: not under NO_COLOR, and not with the sixteen of a terminal."""
    return not (widget.app.no_color or widget.app.native_ansi_color)


class Styles:
    """What looks are, for one widget as it is just now: with another theme, or the focus, they are others."""

    def __init__(self, widget: Widget) -> None:
        app = widget.app
        self._plain = app.native_ansi_color
        self._coloured = coloured(widget)
        self._lines = LIGHT if not app.current_theme.dark else DARK
        self._variables = app.theme_variables
        self._focused = widget.has_focus
        self._base = widget.rich_style
        self._known: dict[Look, Style] = {}

    def of(self, look: Look) -> Style:
        """What a look is."""
        found = self._known.get(look)
        if found is None:
            found = self._known[look] = self._style(look)
        return found

    def _style(self, look: Look) -> Style:
        style = self._line(look) if look.colour >= 0 else self._part(look.kind)
        if look.band >= 0:
            style += Style.from_color(bgcolor=self._mixed(self._colour_of_line(look.band), TINT))
        if look.crossed:
            crossed = RichColor.default() if self._plain else self._mixed(self._colour("foreground"), CROSSED)
            style += Style.from_color(bgcolor=crossed)
        return style

    def _part(self, kind: str) -> Style:
        if kind == "blank":
            return self._base
        if self._plain:
            colour = self._plain_colour(kind)
        elif kind == "frame" and self._focused:
            colour = self._mixed(self._colour(NAMED["focus"]))
        elif kind in NAMED:
            colour = self._mixed(self._colour(NAMED[kind]))
        else:
            colour = self._mixed(self._colour("foreground"), SHADES[kind])
        return self._base + Style(color=colour, bold=kind in BOLD or None, dim=(self._plain and kind in DIM) or None)

    def _plain_colour(self, kind: str) -> RichColor:
        if kind == "frame" and self._focused:
            return self._colour(NAMED["focus"]).rich_color
        if kind in ("title", "value"):
            return self._colour("foreground").rich_color
        return RichColor.parse(PLAIN.get(kind, "default"))

    def _line(self, look: Look) -> Style:
        colour = self._colour_of_line(look.colour)
        faint = look.kind in ("faint", "shade")
        if faint and self._coloured:
            return self._base + Style(color=self._mixed(colour, FAINT))
        return self._base + Style(color=colour.rich_color, bold=look.kind == "point" or None, dim=faint or None)

    def _colour_of_line(self, number: int) -> Color:
        return Color.parse(f"ansi_{ANSI[number]}" if self._plain else self._lines[number])

    def _colour(self, variable: str) -> Color:
        return Color.parse(self._variables[variable])

    def _mixed(self, colour: Color, share: float = 1.0) -> RichColor:
        """A share of a colour on the background."""
        ground = self._base.bgcolor
        if ground is None or share >= 1.0:
            return colour.rich_color
        return Color.from_rich_color(ground).blend(colour, share).rich_color


class Strips:
    """Lines of a chart as Textual wants them; to make one takes longer than to see that it is the same as before."""

    def __init__(self, widget: Widget) -> None:
        self._styles = Styles(widget)
        self._made: dict[int, tuple[Line, Strip]] = {}

    def get(self, y: int, line: Line, width: int) -> Strip:
        """The line in this row."""
        known = self._made.get(y)
        if known is None or known[0] != line:
            pieces = [Segment(text, self._styles.of(look)) for text, look in line if text]
            known = self._made[y] = line, Strip(pieces, width)
        return known[1]
