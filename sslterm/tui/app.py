"""The app: opens the first screen, keeps what all screens share, knows the themes."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import sys
from pathlib import Path
from typing import Any, ClassVar, Self

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.screen import Screen

from sslterm.tui import actions, config, doors, themes
from sslterm.tui.commands import Place
from sslterm.tui.palette import Actions
from sslterm.tui.screens.room import House
from sslterm.tui.terminal import leaving
from sslterm.tui.terminal.sending import Sent, changes
from sslterm.tui.terminal.threads import Fresh

M_MMAP_THRESHOLD = -3
"""In glibc's malloc.h: what is larger gets pages of its own, which go when it does."""

LET_GO = 2.0
"""Seconds after which a screen that was left, and the threads that looked for it, are no more."""


class SSLTerm(App[None]):
    """The laboratory in a terminal."""

    TITLE = "sslterm"
    COMMANDS = {Actions}  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-very-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    CSS = """
    Screen { background: $background; }
    Toast { max-width: 76; }
    """

    def __init__(
        self, runs_dir: Path, data_dir: Path, likes: config.Config | None = None, readonly: bool = False
    ) -> None:
        self.sent = Sent()
        super().__init__()
        likes = likes or config.Config()
        known = actions.rebound(likes.keys, str(config.path())) if likes.keys else actions.ACTIONS
        self.house = House(Place(runs_dir, data_dir), known, self.use_next, readonly or likes.readonly)
        self.likes = likes

    def on_mount(self) -> None:
        """Open the list of runs."""
        asyncio.get_running_loop().set_default_executor(Fresh())
        self.app_resume_signal.subscribe(self, lambda _: self.sent.forget())

        self.register_theme(themes.HIGH_CONTRAST)
        theme = themes.named(self.likes.theme, self.available_themes)
        self.use(theme or self.theme)
        self.push_screen(doors.room("runs", self.house, self.likes.columns))
        if theme is None:
            self.notify(
                f"{config.path()}: theme: {self.likes.theme!r} is not there; there are"
                f" {', '.join(themes.PLAIN)}, and Textual's own",
                severity="warning", markup=False,
            )  # fmt: skip

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send what is new on the screen."""
        super()._display(screen, changes(renderable, self.sent))

    def refresh(self, *, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw everything anew: whatever the terminal shows is sent over."""
        self.sent.forget()
        return super().refresh(repaint=repaint, layout=layout, recompose=recompose)

    def pop_screen(self) -> AwaitComplete:
        """Leave a screen. What it held may be a hundred megabytes, and nothing else would look for it soon."""
        left = super().pop_screen()
        self.set_timer(LET_GO, gc.collect)
        return left

    def on_resize(self) -> None:
        """The terminal may have moved what it showed."""
        self.sent.forget()

    def use(self, theme: str) -> None:
        """Take on a theme. Without colours at all (NO_COLOR) the terminal's own would be drawn black on black."""
        ansi = self.available_themes[theme].ansi
        self.theme = themes.PLAIN["dark"] if ansi and self.no_color else theme

    def use_next(self) -> None:
        """Take on the next theme of the four, or of the three that are drawn under NO_COLOR."""
        following = themes.after(self.theme)
        ansi = self.available_themes[following].ansi
        self.use(themes.after(following) if ansi and self.no_color else following)


def run(runs_dir: Path, data_dir: Path, likes: config.Config, readonly: bool, mouse: bool) -> int:
    """Run the app until it is left. Gives back its exit code."""
    app = SSLTerm(runs_dir, data_dir, likes, readonly)
    _settle()
    leaving.on_signals(app)
    app.run(mouse=mouse)
    return app.return_code or 0


def _settle() -> None:
    """What a process with a screen wants of Python: keys that never wait, and memory that is given back.

    Threads that look at runs give way after a millisecond. What was loaded so far is never searched for garbage, and
    the rest seldom: Textual's many small objects would bring that about often. Where the system's allocator is glibc's,
    what arrays took goes back to the system; otherwise it takes the first of them for the usual size, and keeps them.
    """
    sys.setswitchinterval(0.001)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 20)
