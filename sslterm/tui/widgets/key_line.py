"""The keys at the bottom, drawn anew only when they are others."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widgets import Footer


class KeyLine(Footer):
    """Textual's footer builds all its keys again whenever the focus moves, which takes longer than all the rest that a
    key press does; here only where there are other keys, or some can be pressed that could not."""

    _shown: tuple[Any, ...] = ()

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """See whether the keys are others."""
        active = screen.active_bindings.values()
        keys = tuple((one.binding.key, one.binding.description, one.enabled) for one in active if one.binding.show)
        if keys != self._shown:
            super().bindings_changed(screen)
            self._shown = keys if screen.app.app_focus else ()
