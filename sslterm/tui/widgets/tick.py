"""A box to tick: `[x] queue`. Textual's own tells on from off by colour alone."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from sslterm.tables import safe


class Tick(Static, can_focus=True):
    """Enter, space or a click turns it over."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Tick { width: auto; height: 1; padding: 0 1; pointer: pointer; }
    Tick:focus { background: $primary 30%; }
    Tick:ansi:focus, Tick:nocolor:focus { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "turn", "Tick", show=False)]

    value: reactive[bool] = reactive(False)

    class Changed(Message):
        """It was turned over."""

        def __init__(self, tick: Tick, value: bool) -> None:
            super().__init__()
            self.tick, self.value = tick, value

        @property
        def control(self) -> Tick:
            return self.tick

    def __init__(self, label: str, *, id: str | None = None, tooltip: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._label = label
        self.tooltip = tooltip

    def watch_value(self, value: bool) -> None:
        """Show it, and tell it."""
        self.update(safe(f"[{'x' if value else ' '}] {self._label}"))
        self.post_message(self.Changed(self, value))

    def action_turn(self) -> None:
        """The other way."""
        self.value = not self.value

    def on_click(self) -> None:
        """The other way."""
        self.action_turn()
