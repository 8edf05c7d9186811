"""A run in small: state and why, how far, its main curves, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from sslterm.runs import columns
from sslterm.runs.state import GLYPHS
from sslterm.tables import duration, safe
from sslterm.tui.widgets.chart import LineChart, Series

SHOWN = ("step/loss", "knn/top1", "valid/top1")


class Preview(Vertical):
    """What the list shows of the run under the cursor."""

    DEFAULT_CSS = """
    Preview { padding: 0 1; border-left: vkey $panel; }
    Preview Static { height: auto; margin-bottom: 1; }
    Preview LineChart { height: 1fr; max-height: 12; }
    """

    class Loaded(Message):
        """The curves of the run that is shown were read."""

        def __init__(self, path: str, curves: dict[str, tuple[Any, Any]]) -> None:
            super().__init__()
            self.path, self.curves = path, curves

    def __init__(self) -> None:
        super().__init__()
        self._path: str | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="about")
        for name in SHOWN[:2]:
            yield LineChart(name, kind="step", id=name.replace("/", "-"))

    def show(self, row: dict[str, Any] | None) -> None:
        """Show a run of the list, or none."""
        self.query_one("#about", Static).update(_about(row) if row else "")
        self._path = path = row["path"] if row else None
        if path is not None and self.display:
            self.run_worker(lambda: self._read(path), thread=True, exclusive=True, group="preview", exit_on_error=False)

    def _read(self, path: str) -> None:
        with columns.open(Path(path)) as found:
            curves = {
                name: (np.array(found.get(name).step), np.array(found.get(name).value))
                for name in SHOWN
                if name in found.names()
            }
        self.post_message(self.Loaded(path, curves))

    def on_preview_loaded(self, message: Loaded) -> None:
        """Draw what was read, unless the cursor has moved on."""
        if message.path != self._path:
            return
        second = "knn/top1" if "knn/top1" in message.curves else "valid/top1"
        for widget, name in zip(self.query(LineChart), ("step/loss", second), strict=True):
            x, y = message.curves.get(name, (np.empty(0), np.empty(0)))
            widget.title = name
            widget.show([Series(name, x, y)] if len(x) else [])


def _about(row: dict[str, Any]) -> Text:
    text = Text()
    text.append(safe(row["name"]) + "\n", "bold")
    text.append(safe(f"{GLYPHS.get(row['state'], '?')} {row['state']}"), "bold")
    for part in _place(row):
        text.append(f" · {part}")
    text.append(safe(f"\n{row['reason']}\n"), "dim")
    if row["advice"]:
        text.append(safe(f"next: {row['advice']}"), "italic")
    if row["note"]:
        text.append(safe(f"\n“{row['note']}”"))
    return text


def _place(row: dict[str, Any]) -> Sequence[str]:
    parts = []
    if row["stage"]:
        parts.append(safe(f"{row['stage']} {row['epoch']}/{row['epochs']}"))
    if row["state"] in ("running", "stopping") and isinstance(row["left"], int | float):
        parts.append(f"{duration(row['left'])} left")
    return parts
