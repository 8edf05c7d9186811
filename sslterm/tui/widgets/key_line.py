"""The keys at the bottom: as many as there is room for, each whole; help and the way out are always among them.

Textual's footer is a widget a key, all built anew whenever the focus moves, and cut off at the edge wherever that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static

LAST = ("Commands", "Help", "Quit")
"""What stands at the end, whatever else there is room for."""
GAP = "  "


@dataclass(frozen=True)
class Key:
    """One key, what it does, and the action behind it."""

    shown: str
    title: str
    action: str
    able: bool = True

    @property
    def width(self) -> int:
        """Cells that it takes."""
        return Content(f"{self.shown} {self.title}").cell_length


class KeyLine(Static):
    """One line of keys; a click does what the key would."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; background: $footer-background; color: $footer-foreground; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._keys: tuple[Key, ...] = ()

    def on_mount(self) -> None:
        """Hear of other keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._look)
        self.call_after_refresh(self._look, self.screen)

    def _look(self, screen: Screen[object]) -> None:
        """See whether the keys are others; the focus moves more often than they change."""
        if not self.is_attached or screen is not self.screen:
            return
        keys: dict[str, Key] = {}
        for _, binding, able, _ in screen.active_bindings.values():
            if binding.show:
                shown = self.app.get_key_display(binding)
                keys.setdefault(binding.action, Key(shown, binding.description, binding.action, able))
        if tuple(keys.values()) != self._keys:
            self._keys = tuple(keys.values())
            self._show()

    def on_resize(self) -> None:
        """More or fewer have room."""
        self._show()

    def _show(self) -> None:
        shown = fitting(self._keys, self.content_size.width)
        self.update(Content(GAP).join(map(_drawn, shown)), layout=False)


def fitting(keys: Sequence[Key], width: int) -> list[Key]:
    """Those that have room: of the last ones all, of the others from the first one on."""
    last = [key for key in keys if key.title in LAST]
    room = width + len(GAP) - sum(key.width + len(GAP) for key in last)
    found = []
    for key in (key for key in keys if key.title not in LAST):
        room -= key.width + len(GAP)
        if room < 0:
            break
        found.append(key)
    return found + last


def _drawn(key: Key) -> Content:
    action = key.action if "." in key.action.partition("(")[0] else f"screen.{key.action}"
    click = Style.from_meta({"@click": action})
    tone = "$footer-key-foreground bold" if key.able else "$foreground 40%"
    return Content.assemble((key.shown, tone), f" {key.title}").stylize(click)
