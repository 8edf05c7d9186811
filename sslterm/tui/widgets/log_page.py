"""A log with a line above that says which one and whether it follows, and a line beneath to search it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from sslterm.tables import safe
from sslterm.tui.widgets.log_view import LogView

NOTHING = "nothing was written yet"


class LogPage(Vertical):
    """The screen gives it lines and moves it; what it says of itself it sees to alone."""

    DEFAULT_CSS = """
    LogPage {
        height: 1fr;
        & #log-about { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        & Input { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
        & Input.-open { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log_name = ""
        self._others = 0
        self._sought = ""

    def compose(self) -> ComposeResult:
        yield Static(id="log-about", markup=False)
        yield LogView(id="log-view")
        yield Input(placeholder="text to find; enter goes to it, esc leaves", id="log-search")

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def about(self, name: str, others: int) -> None:
        """Which log it is, and how many others there are."""
        self._log_name, self._others = name, others
        self._say()

    # -------------------------------------------------------- searching

    @property
    def open(self) -> bool:
        """Whether the line to search is open."""
        return self.query_one(Input).has_class("-open")

    def search(self) -> None:
        """Open the line to search."""
        line = self.query_one(Input)
        line.add_class("-open")
        line.focus()
        line.value = self._sought

    def leave_search(self) -> bool:
        """Close the line, or else forget what was sought. False where there is nothing to leave."""
        line = self.query_one(Input)
        if line.has_class("-open"):
            line.remove_class("-open")
        elif not self.view.searching:
            return False
        self._sought = ""
        self.view.search("")
        self.view.focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """What fits is marked while one types."""
        event.stop()
        if self.open:
            self._sought = event.value
            self.view.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the last place that fits; n and N go on from there."""
        event.stop()
        self.query_one(Input).remove_class("-open")
        self.view.focus()
        self.view.go_to_match(-1)

    # -------------------------------------------------------- what it says of itself

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        """It may follow no longer, or have found more."""
        message.stop()
        self._say()

    def on_resize(self) -> None:
        """There is other room."""
        self._say()

    def _say(self) -> None:
        view = self.view
        parts = [self._log_name, _lines(len(view.lines)) if view.lines else NOTHING]
        if view.lines:
            new = f", {view.behind:,} new" if view.behind else ""
            parts.append("following" if view.following else f"paused{new}: G follows")
        parts += [f"2: the next of {self._others + 1} logs"] if self._others else []
        left, right = safe(" · ".join(parts)), self._found()
        room = self.query_one("#log-about").content_size.width
        gap = max(room - cell_len(left) - cell_len(right), 2)
        self.query_one("#log-about", Static).update(Content(left + " " * gap + right), layout=False)

    def _found(self) -> str:
        """`“loss” 3 of 17 · n N`."""
        view = self.view
        if not view.searching:
            return ""
        if not view.matches:
            return safe(f"“{self._sought}” nowhere")
        place = view.matches.index(view.match) + 1 if view.match in view.matches else None
        return safe(f"“{self._sought}” {f'{place:,} of ' if place else ''}{_lines(len(view.matches))} · n N")


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"
