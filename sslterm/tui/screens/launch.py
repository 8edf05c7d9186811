"""Choose a preset, adjust it, start it; problems stand beneath it while it is written."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Footer, Input, Label, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from sslterm import presets
from sslterm.runs import files
from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.room import House, Room

SETTLED = 0.4
"""Seconds without a key after which what is written is checked."""


class LaunchScreen(Room):
    """Choose a preset at the left, change it at the right, start it with ctrl+r. Below: what is wrong with it, and what
    differs from the preset that comes with sslterm. `0..4` as seeds starts five runs."""

    name_in_registry: ClassVar[str] = "launch"
    CSS = """
    LaunchScreen OptionList { width: 34; border: round $panel; }
    LaunchScreen OptionList:focus { border: round $accent; }
    LaunchScreen TextArea { height: 1fr; border: round $panel; }
    LaunchScreen TextArea:focus { border: round $accent; }
    LaunchScreen #about { height: auto; max-height: 4; padding: 0 1; color: $text-muted; }
    LaunchScreen #problems { height: auto; max-height: 7; padding: 0 1; }
    LaunchScreen #problems.wrong { color: $text-error; }
    LaunchScreen #fields { height: 1; margin: 0 0 0 1; }
    LaunchScreen #fields Label { color: $text-muted; padding: 0 1; }
    LaunchScreen #fields Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $boost; }
    """

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.shipped = presets.shipped()
        self.chosen: str | None = None
        self.right = False
        self._checked = ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield OptionList(*(Option(name, id=name) for name in self.shipped))
            with Vertical():
                yield Static(id="about")
                yield TextArea(id="text", show_line_numbers=True, tab_behavior="focus")
                yield Static(id="problems")
                with Horizontal(id="fields"):
                    yield Label("name")
                    yield Input(placeholder="date and preset", id="name")
                    yield Label("seeds")
                    yield Input(placeholder="0 or 0..4", id="seeds")
                    yield Label("device")
                    yield Input("auto", id="device")
                    yield Label("queue")
                    yield Input(placeholder="yes or no", id="queue")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        choices.focus()
        if "quickstart" in self.shipped:
            choices.highlighted = list(self.shipped).index("quickstart")

    # -------------------------------------------------------- what is written

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the preset under the cursor."""
        name = event.option.id
        assert name is not None
        self.chosen = name
        text = self.shipped[name].read_text(encoding="utf-8")
        self.query_one(TextArea).load_text(text)
        self.run_worker(lambda: self._describe(name), thread=True, exclusive=True, group="about", exit_on_error=False)

    def _describe(self, name: str) -> None:
        try:
            preset = presets.load(self.shipped[name])
        except presets.PresetError as error:
            text = str(error)
        else:
            text = "\n".join(
                part
                for part in (preset.title, preset.paper, f"expected: {preset.expected or 'not measured'}", preset.time)
                if part
            )
        self.app.call_from_thread(self.query_one("#about", Static).update, Text(safe(text)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter goes on to the text."""
        self.query_one(TextArea).focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Check it once it rests."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self.check)

    def check(self) -> None:
        """Let `sslterm check` judge what is written; first what needs no torch."""
        text = self.query_one(TextArea).text
        self._say_quick(text)
        path = self._draft(text)
        if path is not None:
            self._checked = text
            from sslterm.tui import commands

            commands.start("check", ["check", str(path), "--json"], self.house.place, self.post_from_thread, plain=True)

    def _say_quick(self, text: str) -> None:
        try:
            presets.resolve(presets.read(text, "preset"), "preset")
        except presets.PresetError as error:
            self._show([str(problem) for problem in error.problems], True)

    def _draft(self, text: str) -> Path | None:
        """The file that is checked and started: the shipped one, or what was made of it."""
        if self.chosen is None:
            return None
        if text == self.shipped[self.chosen].read_text(encoding="utf-8"):
            return self.shipped[self.chosen]
        folder = self.house.place.runs_dir / ".sslterm" / "drafts"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files.write_text(folder / f"{self.chosen}.toml", text)
        except OSError as error:
            self.tell(f"{folder}: the draft cannot be written ({error.strerror})", "error")
            return None
        return folder / f"{self.chosen}.toml"

    def on_command_ended(self, message: CommandEnded) -> None:
        """What check found, or how starting went."""
        if message.title != "check":
            self.tell(message.sentence, "error" if message.code else "information")
            return
        if self._checked != self.query_one(TextArea).text:
            return  # it has been changed meanwhile
        try:
            said = json.loads(message.out)
        except ValueError:
            self._show([message.sentence], True)
            return
        lines = [f"{'note: ' if row['warning'] else ''}{row['key']}: {row['text']}" for row in said["problems"]]
        self.right = bool(said["ok"])
        self._show(lines or ["can run"], not self.right)

    def _show(self, lines: list[str], wrong: bool) -> None:
        widget = self.query_one("#problems", Static)
        widget.set_class(wrong, "wrong")
        text = Text(safe("\n".join(("✗ " if wrong else "✓ ") + line for line in lines)))
        changed = self._changes()
        if changed:
            text.append(safe("\n" + changed), "dim")
        widget.update(text)

    def _changes(self) -> str:
        """What differs from the shipped preset."""
        if self.chosen is None:
            return ""
        before = self.shipped[self.chosen].read_text(encoding="utf-8").splitlines()
        now = self.query_one(TextArea).text.splitlines()
        return "\n".join(
            line
            for line in difflib.unified_diff(before, now, n=0, lineterm="")
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        )

    # -------------------------------------------------------- starting

    def do_start(self) -> None:
        """Start it, once for each seed, and go back to the list."""
        path = self._draft(self.query_one(TextArea).text)
        if path is None:
            self.tell("choose a preset first", "warning")
            return
        try:
            orders = self._orders(path)
        except ValueError as error:
            self.tell(str(error), "warning")
            return
        for order in orders:
            self.command("start", *order, data=True)
        self.tell(f"starting {len(orders)} runs" if len(orders) > 1 else "starting")
        self.app.pop_screen()

    def _orders(self, path: Path) -> list[list[str]]:
        """The commands that this amounts to. Raises ValueError with a sentence."""
        said = {
            field: self.query_one(f"#{field}", Input).value.strip() for field in ("name", "seeds", "device", "queue")
        }
        seeds = _seeds(said["seeds"])
        base = ["run", str(path), "--device", said["device"] or "auto"]
        base += ["--queue"] if said["queue"].lower() in ("y", "yes") or len(seeds) > 1 else ["--detach"]
        orders = []
        for seed in seeds or (None,):
            order = list(base)
            if seed is not None:
                order += ["--seed", str(seed)]
            if said["name"]:
                order += ["--name", said["name"] + (f"-s{seed}" if len(seeds) > 1 else "")]
            orders.append(order)
        return orders

    def do_next(self) -> None:
        """The next part of the screen."""
        self.focus_next()


def _seeds(text: str) -> list[int]:
    """`3`, `0..4`, `1 2 5`; nothing means the preset's own. Raises ValueError with a sentence."""
    if not text:
        return []
    first, dots, last = text.partition("..")
    try:
        found = (
            list(range(int(first), int(last) + 1)) if dots else [int(word) for word in text.replace(",", " ").split()]
        )
    except ValueError:
        found = []
    if not found or min(found) < 0 or len(found) > 100:
        raise ValueError(f"seeds: {text!r} does not fit; write 3, or 0..4, or 1 2 5")
    return found
