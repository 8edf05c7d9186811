"""How the parts of a chart look: component classes, their colours in dark, light and ansi themes, and what follows.

Eight colours for lines, told apart by most eyes; without colour (NO_COLOR, ansi) patterns do it.
"""

from __future__ import annotations

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from sslterm.tui.widgets.chart.look import Look
from sslterm.tui.widgets.chart.series import COLOURS

PARTS = ("frame", "title", "value", "flag", "alarm", "axis", "mark", "crosshair", "best")
COMPONENTS = {f"linechart--{part}" for part in PARTS} | {f"linechart--series-{index}" for index in range(COLOURS)}
DARK = ("#5fb3f0", "#f5a742", "#56c596", "#e681b8", "#b79cf7", "#e9dc5e", "#f2765b", "#4fd0d9")
LIGHT = ("#0a6ebd", "#b35900", "#00794f", "#b0347f", "#6a48c7", "#7d6b00", "#c0361b", "#007a85")
ANSI = ("blue", "yellow", "green", "magenta", "bright_blue", "bright_green", "red", "cyan")
FAINT = 0.45
"""How much of its colour the raw line keeps behind the smoothed one."""
TINT = 0.16
"""How much of a band's colour its background takes."""


def _colours(colours: tuple[str, ...]) -> str:
    return "\n".join(f"& > .linechart--series-{i} {{ color: {colour}; }}" for i, colour in enumerate(colours))


CSS = f"""
LineChart {{
    width: 1fr; height: 1fr; min-height: 1;
    & > .linechart--frame {{ color: $foreground 28%; }}
    & > .linechart--title {{ color: $foreground; text-style: bold; }}
    & > .linechart--value {{ color: $foreground; text-style: bold; }}
    & > .linechart--flag {{ color: $foreground 55%; }}
    & > .linechart--axis {{ color: $foreground 55%; }}
    & > .linechart--mark {{ color: $foreground 45%; }}
    & > .linechart--crosshair {{ color: $foreground 70%; background: $foreground 12%; }}
    & > .linechart--alarm {{ color: $text-error; text-style: bold; }}
    & > .linechart--best {{ color: $text-warning; text-style: bold; }}
    {_colours(DARK)}
    &:light {{ {_colours(LIGHT)} }}
    &:ansi {{
        & > .linechart--frame {{ color: ansi_bright_black; }}
        & > .linechart--flag {{ color: ansi_default; text-style: dim; }}
        & > .linechart--axis {{ color: ansi_default; text-style: dim; }}
        & > .linechart--mark {{ color: ansi_default; text-style: dim; }}
        & > .linechart--crosshair {{ color: ansi_default; background: ansi_default; }}
        & > .linechart--alarm {{ color: ansi_red; }}
        & > .linechart--best {{ color: ansi_yellow; }}
        {_colours(tuple(f"ansi_{colour}" for colour in ANSI))}
    }}
    &:focus > .linechart--frame {{ color: $primary; }}
}}
"""


def coloured(widget: Widget) -> bool:
    """Whether shades of colour can be told apart: not under NO_COLOR, and not with the sixteen of a terminal."""
    return not (widget.app.no_color or widget.app.native_ansi_color)


def style_of(widget: Widget, look: Look) -> Style:
    """What a look is in this theme."""
    style = _foreground(widget, look)
    if look.band >= 0:
        band = widget.get_component_rich_style(f"linechart--series-{look.band}")
        style += Style.from_color(bgcolor=_mixed(band, TINT))
    if look.crossed:
        style += Style.from_color(bgcolor=widget.get_component_rich_style("linechart--crosshair").bgcolor)
    return style


def _foreground(widget: Widget, look: Look) -> Style:
    if look.kind == "blank":
        return widget.rich_style
    if look.colour < 0:
        return widget.get_component_rich_style(f"linechart--{look.kind}")
    style = widget.get_component_rich_style(f"linechart--series-{look.colour}")
    if look.kind == "point":
        return style + Style(bold=True)
    if look.kind not in ("faint", "shade"):
        return style
    return style + (Style.from_color(_mixed(style, FAINT)) if coloured(widget) else Style(dim=True))


def _mixed(style: Style, share: float) -> RichColor:
    """A share of a style's colour on its background."""
    assert style.color is not None
    assert style.bgcolor is not None
    return Color.from_rich_color(style.bgcolor).blend(Color.from_rich_color(style.color), share).rich_color
