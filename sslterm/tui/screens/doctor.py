"""What works on this machine, and how to mend what does not: `sslterm doctor`, shown."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.room import Room
from sslterm.tui.widgets.key_line import KeyLine

TONES = {"good": ("✓", "success"), "note": ("·", "muted"), "bad": ("✗", "error")}
"""A level as glyph and as a colour of the theme; the glyph says it alone, too."""


class DoctorScreen(Room):
    """What sslterm found out about this machine, each as a sentence, and how to mend it. `r` looks again."""

    name_in_registry: ClassVar[str] = "doctor"
    CSS = """
    DoctorScreen VerticalScroll { padding: 1 2; }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("looks at this machine …", id="found")
        yield KeyLine()

    def on_mount(self) -> None:
        self.do_again()

    def do_again(self) -> None:
        """Ask once more."""
        self.query_one("#found", Static).update("looks at this machine …")
        self.command("doctor", "doctor", "--json", data=True)

    def command_ended(self, message: CommandEnded) -> None:
        """Show what was found."""
        if message.title != "doctor":
            super().command_ended(message)
            return
        try:
            findings: list[dict[str, Any]] = json.loads(message.out)
        except ValueError:
            self.query_one("#found", Static).update(safe(message.sentence))
            return
        self.query_one("#found", Static).update(Content("\n").join(described(finding) for finding in findings))


def described(finding: dict[str, Any]) -> Content:
    """`✓ python     CPython 3.11`, and beneath it what would mend it."""
    glyph, tone = TONES.get(finding["level"], TONES["note"])
    line = Content.assemble(
        (f"{glyph} ", f"$text-{tone}"), (f"{safe(finding['subject']):<10} ", "bold"), safe(finding["text"])
    )
    return Content.assemble(line, f"\n    mend it: {safe(finding['fix'])}") if finding["fix"] else line
