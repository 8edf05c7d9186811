"""A run's state as glyph, word and colour: never by colour alone."""

from __future__ import annotations

from typing import ClassVar

from textual.widgets import Static

from sslterm.runs.state import GLYPHS
from sslterm.tables import safe

TONES = {
    **dict.fromkeys(("running", "starting", "stopping"), "working"),
    **dict.fromkeys(("queued", "paused", "interrupted", "remote"), "waiting"),
    **dict.fromkeys(("failed", "killed", "stalled", "orphaned", "lost", "rebooted", "corrupt", "newer"), "trouble"),
    "finished": "over",
}
"""What a state means to a person who looks for work to do: one of four colours."""


def label(state: str) -> str:
    """`● running`."""
    return f"{GLYPHS.get(state, '?')} {safe(state)}"


class StateLabel(Static):
    """A state in its colour; `show` changes it."""

    DEFAULT_CSS = """
    StateLabel {
        width: auto;
        height: 1;
        &.-working { color: $text-success; }
        &.-waiting { color: $text-warning; }
        &.-trouble { color: $text-error; }
        &.-over { color: $foreground; }
    }
    """
    CLASSES: ClassVar[tuple[str, ...]] = ("-working", "-waiting", "-trouble", "-over")

    def __init__(self, state: str = "", *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.show(state)

    def show(self, state: str) -> None:
        """Take on another state."""
        self.remove_class(*self.CLASSES).add_class(f"-{TONES.get(state, 'trouble')}")
        self.update(label(state) if state else "")
