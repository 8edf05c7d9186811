"""The parts of the launch screen: where they stand, how one goes from one to the next, and what folds away."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import OptionList, Static

from sslterm.tui.screens.launch.form import LaunchForm
from sslterm.tui.screens.launch.words import Beneath
from sslterm.tui.screens.room import Room
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.preset_editor import PresetEditor
from sslterm.tui.widgets.tiles import TileStrip

ROOM_FOR_BOTH = 100
"""Columns from which on the list stays beside the text while one writes."""

ROOM_FOR_FIELDS = 80
"""Columns from which on the fields beneath the text have room beside the list, too."""


class LaunchRoom(Room):
    """Presets at the left, the text of one at the right, fields beneath. Where there is little room the list folds away
    while one writes; escape brings it back."""

    name_in_registry: ClassVar[str] = "launch"
    # Textual holds a screen's rules against the name of its own class, not of the one it is derived from.
    CSS = """
    LaunchScreen #origin { height: 1; padding: 0 1; background: $panel; text-style: bold; display: none; }
    LaunchScreen #presets {
        width: 30; height: 100%; border: round $foreground 28%; background: $background;
        scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    LaunchScreen.-very-wide #presets { width: 44; }
    LaunchScreen #presets:ansi { border: round ansi_bright_black; }
    LaunchScreen #presets:focus { border: round $accent; }
    LaunchScreen #about { height: 3; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LaunchScreen PresetEditor { min-height: 4; }
    LaunchScreen TileStrip { max-height: 13; margin: 0 1; }
    LaunchScreen.-choosing LaunchForm { display: none; }
    LaunchScreen Beneath { max-height: 5; }
    LaunchScreen.-tall Beneath { max-height: 8; }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="origin", markup=False)
        with Horizontal():
            yield OptionList(id="presets", markup=False)
            with Vertical():
                yield Static(id="about", markup=False)
                yield PresetEditor(id="text")
                yield TileStrip(id="views")
                yield Beneath(id="beneath")
                yield LaunchForm(id="form")
        yield KeyLine()

    def on_mount(self) -> None:
        self.shelf.border_title = "presets"
        self.shelf.focus()

    @property
    def shelf(self) -> OptionList:
        """The presets."""
        return self.query_one("#presets", OptionList)

    @property
    def editor(self) -> PresetEditor:
        """The text."""
        return self.query_one(PresetEditor)

    @property
    def beneath(self) -> Beneath:
        """What is said of it."""
        return self.query_one(Beneath)

    @property
    def form(self) -> LaunchForm:
        """The fields."""
        return self.query_one(LaunchForm)

    # -------------------------------------------------------- from part to part

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The list folds away where it would take the room to write."""
        self._fold(event.widget is not self.shelf)

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._fold(self.focused is not None and self.focused is not self.shelf)

    def _fold(self, writing: bool) -> None:
        self.shelf.display = not writing or self.size.width >= ROOM_FOR_BOTH
        self.set_class(self.shelf.display and self.size.width < ROOM_FOR_FIELDS, "-choosing")

    def do_next(self) -> None:
        """The next part: the list, the text, what is said of it, the fields, and the list again."""
        parts: list[Widget] = [self.shelf, self.editor, *self.form.fields()]
        if self.beneath.max_scroll_y > 0:
            parts.insert(2, self.beneath)
        here = next((place for place, part in enumerate(parts) if part.has_focus), 0)
        self._go_to(parts[(here + 1) % len(parts)])

    def _go_to(self, part: Widget) -> None:
        if part is self.shelf:
            self.shelf.display = True
        part.focus()

    def back_to_the_list(self) -> bool:
        """Bring the list back where it is folded away. False where it is there."""
        if self.shelf.display:
            return False
        self._go_to(self.shelf)
        return True
