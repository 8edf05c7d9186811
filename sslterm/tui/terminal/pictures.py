"""How pictures are drawn in this terminal: as pixels where it is known to take them, else out of characters.

Nothing is asked of the terminal: an answer over a slow line comes too late, and is then taken for keys. What it says
of itself in the environment, and the size of its cells that the kernel knows, is enough. A terminal inside tmux or
screen is not the terminal that one sees, so there it is always characters.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Drawing = Literal["kitty", "sixel", "quarters", "halfcell", "braille", "ascii"]
"""Pixels by kitty's protocol or as sixels; quarters or halves of a cell in two colours; dots; letters."""
LIKES = ("auto", *get_args(Drawing))
"""What `pictures` in config.toml takes."""
PIXELS = ("kitty", "sixel")
MULTIPLEXERS = ("tmux", "screen", "zellij")


@dataclass(frozen=True)
class Terminal:
    """What there is to know of it without asking."""

    environment: Mapping[str, str]
    colours: int = 2**24
    """How many it shows, and the theme wants: 0 under NO_COLOR, 16, 256, or all."""
    cell_known: bool = False
    """Whether it told the kernel how many pixels a cell has."""


def choose(liked: str, terminal: Terminal) -> Drawing:
    """What a person likes, as far as this terminal can do it."""
    few = terminal.colours <= 256
    if liked in get_args(Drawing) and liked not in PIXELS:
        return "halfcell" if liked == "quarters" and few else liked  # type: ignore[return-value]
    pixels = protocol(terminal.environment) if liked == "auto" else liked
    # kitty takes colours for ids of pictures; under NO_COLOR they do not get through
    if pixels in PIXELS and terminal.cell_known and terminal.colours:
        return pixels  # type: ignore[return-value]
    return "braille" if terminal.colours < 256 else "halfcell" if few else "quarters"


def protocol(environment: Mapping[str, str]) -> Drawing | None:
    """The protocol for pixels that a terminal is known to speak, by the names it gives itself."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    inside = {"TMUX", "STY", "ZELLIJ"} & environment.keys()
    if inside or term.startswith(MULTIPLEXERS) or program in MULTIPLEXERS:
        return None
    if term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty" or "KITTY_WINDOW_ID" in environment:
        return "kitty"
    konsole = environment.get("KONSOLE_VERSION", "")
    if konsole.isdecimal() and int(konsole) >= 220400:
        return "sixel"
    return "sixel" if term.startswith(("foot", "mlterm")) or program in ("WezTerm", "iTerm.app") else None


def drawing(app: Any) -> Drawing:
    """How an app's pictures are drawn just now: its theme may change."""
    liked = getattr(getattr(app, "likes", None), "pictures", "auto")
    return choose(liked, Terminal(os.environ, colours(app), cell_size() is not None))


def colours(app: Any) -> int:
    """How many colours an app may use just now."""
    if app.no_color:
        return 0
    if app.native_ansi_color:
        return 16
    return {"standard": 16, "windows": 16, "256": 256}.get(str(app.console.color_system), 2**24)


def cell_size() -> tuple[int, int] | None:
    """Width and height of a cell in pixels, where the terminal told the kernel."""
    import fcntl
    import termios

    said = array("H", [0, 0, 0, 0])
    try:
        if sys.__stdout__ is None or not sys.__stdout__.isatty():
            return None
        fcntl.ioctl(sys.__stdout__, termios.TIOCGWINSZ, said)
    except (OSError, ValueError):
        return None
    rows, columns, width, height = said
    return (width // columns, height // rows) if rows and columns and width >= columns and height >= rows else None
