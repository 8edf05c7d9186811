"""Lines whose parts have tones: a tone is a component class, and the cursor lays its ground beneath all of them."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.reactive import var
from textual.strip import Strip

from sslterm.tui.widgets.lines import Lines
from sslterm.tui.widgets.run_table.paint import Painter


class TonedLines(Lines):
    """Knows how a tone looks, with the cursor and without; and what to say where there is nothing to list."""

    TONES_OF: ClassVar[str] = ""
    """What component classes begin with: `run-table` of `run-table--muted`."""

    empty: var[str] = var("", init=False)
    """What to say where there is nothing to list."""

    _painter: Painter

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles: dict[tuple[str, bool], Style] = {}

    def instead(self) -> list[Strip]:
        """What the caller says of an empty list, in the middle."""
        said = self.empty.splitlines()
        above = max(0, (self.size.height - len(said)) // 2)
        return [self._painter.words(line) for line in [""] * above + said]

    def recolour(self) -> None:
        """Draw what is seen in the colours of now."""
        self._styles.clear()
        super().recolour()

    def _style(self, tone: str, cursor: bool) -> Style:
        style = self._styles.get((tone, cursor))
        if style is None:
            style = self._styles[tone, cursor] = self._mixed(tone, cursor)
        return style

    def _mixed(self, tone: str, cursor: bool) -> Style:
        """A tone, on the cursor's ground. Where the cursor is reversed, tones would make it a patchwork."""
        plain = not tone or (cursor and tone == "muted")
        style = self.rich_style if plain else self.get_component_rich_style(f"{self.TONES_OF}--{tone}")
        if not cursor:
            return style
        ground = self.get_component_rich_style(f"{self.TONES_OF}--cursor")
        return ground if ground.reverse else style + Style(bgcolor=ground.bgcolor, bold=ground.bold)
