"""A bar of characters: `━━━━━━━━╸─────── `. Nothing moves unless there is progress."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget


class ProgressLine(Widget):
    """How much of something is done, as wide as there is room."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"progress-line--done", "progress-line--left"}
    DEFAULT_CSS = """
    ProgressLine {
        height: 1; width: 1fr;
        & > .progress-line--done { color: $primary; }
        & > .progress-line--left { color: $foreground 25%; }
        &:ansi > .progress-line--done { color: ansi_blue; }
        &:ansi > .progress-line--left { color: ansi_bright_black; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._share = 0.0

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self._share

    def show(self, share: float) -> None:
        """So much is done. Drawn again only where that shows."""
        before, self._share = self._share, min(max(share, 0.0), 1.0) if share == share else 0.0
        if bar(before, self.size.width) != bar(self._share, self.size.width):
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The bar."""
        done, left = bar(self._share, self.size.width)
        return Strip(
            [
                Segment(done, self.get_component_rich_style("progress-line--done")),
                Segment(left, self.get_component_rich_style("progress-line--left")),
            ]
        )


def bar(share: float, width: int) -> tuple[str, str]:
    """What is done of so many cells, by halves, and what is left."""
    halves = int(share * width * 2)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return done, "─" * (width - len(done))
