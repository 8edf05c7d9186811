"""The app: opens the first screen, keeps what all screens share, knows the themes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from sslterm.tui import actions, config
from sslterm.tui.commands import Place
from sslterm.tui.screens.room import House


class SSLTerm(App[None]):
    """The laboratory in a terminal."""

    TITLE = "sslterm"
    ENABLE_COMMAND_PALETTE = True
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
        self.house = House(Place(runs_dir, data_dir), known, readonly or likes.readonly)
        self.likes = likes

    def on_mount(self) -> None:
        """Open the list of runs."""
        from sslterm.tui.screens.runs import RunsScreen

        if self.likes.theme in self.available_themes:
            self.theme = self.likes.theme
        else:
            self.notify(
                f"theme {self.likes.theme!r} is not there; taking {self.theme}", severity="warning", markup=False
            )
        self.push_screen(RunsScreen(self.house, self.likes.columns))


def run(runs_dir: Path, data_dir: Path, likes: config.Config, readonly: bool, mouse: bool) -> str | None:
    """Run the app until it is left. Gives back what to say on leaving."""
    app = SSLTerm(runs_dir, data_dir, likes, readonly)
    app.run(mouse=mouse)
    return "training goes on; `sslterm ls` shows it" if app.return_code in (0, None) else None
