"""Which columns the list of runs shows, and in which order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sslterm.tables import safe
from sslterm.tui import config
from sslterm.tui.widgets.run_table.columns import ABOUT, COLUMNS

ON, OFF = "✓", "·"
AROUND = 8
"""Lines for the frame, the title and the keys."""


class ColumnChooser(ModalScreen[list[str] | None]):
    """All columns with check marks; gives back the chosen ones in their order, or None."""

    DEFAULT_CSS = """
    ColumnChooser { align: center middle; }
    ColumnChooser > Vertical { width: 64; max-width: 96%; height: auto; max-height: 96%; border: round $accent;
        background: $surface; padding: 0 1; }
    ColumnChooser #title { text-style: bold; margin-bottom: 1; }
    ColumnChooser VerticalScroll { height: auto; }
    ColumnChooser #all { text-wrap: nowrap; text-overflow: ellipsis; }
    ColumnChooser #keys { color: $text-muted; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)"), Binding("k,up", "move(-1)"),
        Binding("J,shift+down", "carry(1)"), Binding("K,shift+up", "carry(-1)"),
        Binding("space", "check"), Binding("enter", "take"),
        Binding("escape,q,C", "leave"), Binding("y", "copy"),
    ]  # fmt: skip

    def __init__(self, chosen: Sequence[str]) -> None:
        super().__init__()
        self.order = [*chosen, *(key for key in COLUMNS if key not in chosen)]
        self.on = set(chosen)
        self.at = 0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Columns of the list", id="title")
            with VerticalScroll(can_focus=False):
                yield Static(id="all", markup=False)
            yield Static(
                "space check   J K move   enter take   esc leave\ny copy for config.toml, where it lasts",
                id="keys", markup=False,
            )  # fmt: skip

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        """What the keys do stays in sight where not all columns have room."""
        self.query_one(VerticalScroll).styles.max_height = max(self.size.height - AROUND, 1)
        self.call_after_refresh(self._show)

    @property
    def chosen(self) -> list[str]:
        """Those with a check mark, in their order."""
        return [key for key in self.order if key in self.on]

    def line(self) -> str:
        """What keeps the choice, for config.toml."""
        return f"columns = {json.dumps(self.chosen)}"

    def _show(self) -> None:
        self.query_one("#all", Static).update(Content("\n").join(map(self._row, self.order)))
        scroll = self.query_one(VerticalScroll)
        if self.at < scroll.scroll_offset.y:
            scroll.scroll_to(y=self.at, animate=False)
        elif self.at >= scroll.scroll_offset.y + scroll.size.height > 0:
            scroll.scroll_to(y=self.at - scroll.size.height + 1, animate=False)

    def _row(self, key: str) -> Content:
        on, here = key in self.on, self.order[self.at] == key
        style = "reverse" if here else "" if on else "dim"
        sign = (f" {ON if on else OFF} ", "bold $text-success" if on and not here else style)
        about = (f"{ABOUT[key]:<40} ", style if here else "dim")
        return Content.assemble(sign, (f"{key:<8} ", style), about)

    def action_move(self, by: int) -> None:
        """To another line."""
        self.at = min(max(self.at + by, 0), len(self.order) - 1)
        self._show()

    def action_carry(self, by: int) -> None:
        """Take the column along."""
        to = min(max(self.at + by, 0), len(self.order) - 1)
        self.order.insert(to, self.order.pop(self.at))
        self.at = to
        self._show()

    def action_check(self) -> None:
        """Show it, or not; one always stays."""
        key = self.order[self.at]
        if self.on == {key}:
            self.notify("one column has to stay", markup=False)
            return
        self.on ^= {key}
        self._show()

    def action_take(self) -> None:
        """This is how it shall be."""
        self.dismiss(self.chosen)

    def action_leave(self) -> None:
        """As it was."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """The line for config.toml."""
        self.app.copy_to_clipboard(self.line())
        self.notify(safe(f"copied, for {config.path()}:\n{self.line()}"), markup=False)
