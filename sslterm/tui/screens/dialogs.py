"""Small screens above another one: a question, a line of text, the help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from sslterm.tables import safe
from sslterm.tui.actions import Action


class Confirm(ModalScreen[bool]):
    """Asks before something is stopped or deleted. Only `y` agrees; every other key does not."""

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical { width: auto; max-width: 90%; height: auto; border: round $warning; padding: 1 2;
        background: $surface; }
    Confirm .keys { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(safe(self.question)))
            yield Label("y yes   any other key: no", classes="keys")

    def on_key(self, event: object) -> None:
        """Only `y` agrees."""
        event.stop()  # type: ignore[attr-defined]
        self.dismiss(getattr(event, "character", None) == "y")


class Ask(ModalScreen[str | None]):
    """Asks for a line of text; escape gives none."""

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical { width: 70%; max-width: 90; height: auto; border: round $accent; padding: 1 2;
        background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self.question, self.value = question, value

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(safe(self.question)))
            yield Input(self.value)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """What was typed."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Nothing was typed."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """What can be done on the screen beneath. Any key closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll { width: 80; max-width: 95%; height: auto; max-height: 90%; border: round $accent;
        padding: 1 2;
        background: $surface; }
    """

    def __init__(self, text: str, actions: Iterable[Action]) -> None:
        super().__init__()
        self.text, self.actions = text, list(actions)

    def compose(self) -> ComposeResult:
        table = Table.grid(padding=(0, 2))
        for action in self.actions:
            table.add_row(Text(shown(action.keys), style="bold"), action.title, Text(action.help, style="dim"))
        with VerticalScroll():
            yield Static(Text(self.text + "\n"))
            yield Static(table)

    def on_key(self, event: object) -> None:
        """Scrolling keys scroll, every other one closes."""
        if getattr(event, "key", "") not in ("up", "down", "pageup", "pagedown", "home", "end"):
            event.stop()  # type: ignore[attr-defined]
            self.dismiss(None)


SIGNS = {
    "question_mark": "?", "slash": "/", "colon": ":", "plus": "+", "minus": "-", "equals_sign": "=", "escape": "esc",
}  # fmt: skip


def shown(keys: str) -> str:
    """Keys as people write them."""
    return " ".join(SIGNS.get(key.strip(), key.strip()) for key in keys.split(","))
