"""The app: opens the first screen, keeps what all screens share, knows the themes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from sslterm.tui import actions, config, themes
from sslterm.tui.commands import Place
from sslterm.tui.palette import Actions
from sslterm.tui.screens.room import House


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
        super().__init__()
        likes = likes or config.Config()
        known = actions.rebound(likes.keys, str(config.path())) if likes.keys else actions.ACTIONS
        self.house = House(Place(runs_dir, data_dir), known, self.use, readonly or likes.readonly)
        self.likes = likes

    def on_mount(self) -> None:
        """Open the list of runs."""
        from sslterm.tui.screens.runs import RunsScreen

        self.register_theme(themes.HIGH_CONTRAST)
        theme = themes.named(self.likes.theme, self.available_themes)
        if theme is None:
            there = ", ".join([*themes.PLAIN, *sorted(self.available_themes)])
            self.notify(
                f"{config.path()}: theme: {self.likes.theme!r} is not there; there are {there}",
                severity="warning", markup=False,
            )  # fmt: skip
        self.use(theme or self.theme)
        self.push_screen(RunsScreen(self.house, self.likes.columns))

    def use(self, theme: str) -> None:
        """Take on a theme. Without colours at all (NO_COLOR) the terminal's own would be drawn black on black."""
        ansi = self.available_themes[theme].ansi
        self.theme = themes.PLAIN["dark"] if ansi and self.no_color else theme


def run(runs_dir: Path, data_dir: Path, likes: config.Config, readonly: bool, mouse: bool) -> str | None:
    """Run the app until it is left. Gives back what to say on leaving."""
    app = SSLTerm(runs_dir, data_dir, likes, readonly)
    app.run(mouse=mouse)
    return "training goes on; `sslterm ls` shows it" if app.return_code in (0, None) else None
