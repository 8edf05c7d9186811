"""What is written: a preset is chosen and changed, judged while it rests, and kept as a draft."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.timer import Timer
from textual.widgets import OptionList, Static, TextArea

from sslterm.tables import safe
from sslterm.tui import commands
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.launch.desk import Desk, Filed
from sslterm.tui.screens.launch.judging import Found, Judged, checked, judge
from sslterm.tui.screens.launch.parts import LaunchRoom
from sslterm.tui.screens.launch.shelf import Choice, ShelfRead, read_shelf
from sslterm.tui.screens.launch.weights import Origin, look_at
from sslterm.tui.screens.launch.words import about, option
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.preset_editor import Remark
from sslterm.tui.widgets.tiles import TileStrip

SETTLED = 0.25
"""Seconds without a key after which what is written is looked at."""


class WritingRoom(LaunchRoom):
    """`chosen` is the preset, the editor holds what was made of it. All that takes time is done in threads."""

    def __init__(self, house: House, weights: Path | None = None) -> None:
        super().__init__(house)
        self.weights = weights
        self.origin: Origin | None = None
        self.choices: dict[str, Choice] = {}
        self.chosen: Choice | None = None
        self.judged: Judged | None = None
        self.desk = Desk(house.place.runs_dir / ".sslterm" / "drafts")
        self._age = 0
        self._timer: Timer | None = None
        self._checking: str | None = None
        """The text that `sslterm check` looks at just now."""
        self._answer: tuple[str, list[Found]] | None = None
        """What it found last, and in which text."""

    def on_mount(self) -> None:
        self.in_thread(self._read_shelf)

    def in_thread(self, work: Any) -> None:
        """Do it beside the screen."""
        self.run_worker(work, thread=True, exit_on_error=False)

    # -------------------------------------------------------- what can be chosen

    def _read_shelf(self) -> None:
        origin = look_at(self.weights) if self.weights is not None else None
        self.post_from_thread(ShelfRead(read_shelf(self.desk.drafts, origin), origin))

    def on_shelf_read(self, message: ShelfRead) -> None:
        """List them, and choose one to begin with."""
        self.origin = message.origin
        if message.origin is not None:
            line = self.query_one("#origin", Static)
            line.display = True
            line.update(safe(f"fine-tune from {message.origin.name}"))
        self.choices = {choice.key: choice for choice in message.choices}
        self.shelf.clear_options().add_options([option(choice) for choice in message.choices])
        first = "shipped:quickstart" if message.origin is None else next(iter(self.choices), "")
        if first in self.choices:
            self.shelf.highlighted = list(self.choices).index(first)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the preset under the cursor. What was made of the one before is kept."""
        choice = self.choices.get(event.option.id or "")
        if choice is None or choice is self.chosen:
            return
        self.keep()
        self.chosen, self.judged = choice, None
        self.editor.load_text(choice.text)
        self.editor.border_title = safe(choice.name)
        self.query_one(TileStrip).clear()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter goes on to the text."""
        self.editor.focus()

    # -------------------------------------------------------- what is written

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Look at it once it rests."""
        self._age += 1
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._look)

    def _look(self) -> None:
        """Judge what needs no torch, keep a draft, then let `sslterm check` judge the rest."""
        choice, text = self.chosen, self.editor.text
        if choice is not None:
            self.in_thread(lambda: self.post_from_thread(judge(text, choice.shipped, self.origin)))
            self.file("check")

    def file(self, purpose: str) -> None:
        """Have the text in a file; on_filed goes on."""
        choice, text, age = self.chosen, self.editor.text, self._age
        if choice is not None:
            self.in_thread(lambda: self.post_from_thread(self.desk.file(choice, text, age, purpose)))

    def on_judged(self, message: Judged) -> None:
        """Show it, unless it has been changed meanwhile."""
        if message.text != self.editor.text:
            return
        self.judged = message
        if message.about is not None:
            self.query_one("#about", Static).update(about(message.about))
        self.beneath.judge(message.found, message.difference)
        self._settle()
        self._mark()

    def _mark(self) -> None:
        found = self.beneath.found
        remarks: dict[int, Remark] = {}
        for one in sorted(found, key=lambda one: one.warning):
            said = remarks.get(one.line)
            if said is None or said.warning > one.warning:
                remarks[one.line] = Remark(one.text, one.warning)
            elif said.warning == one.warning:
                remarks[one.line] = Remark(f"{said.text} · {one.text}", one.warning)
        self.editor.mark(remarks, self.judged.changed if self.judged else ())

    def keep(self) -> str:
        """Write what was changed, whatever becomes of this screen; gives back of what, if anything was."""
        choice, text, age = self.chosen, self.editor.text, self._age
        if choice is None or text == choice.text:
            return ""
        threading.Thread(target=lambda: self.post_from_thread(self.desk.file(choice, text, age, "leave"))).start()
        return choice.name

    def on_filed(self, message: Filed) -> None:
        """The text lies in a file."""
        if message.path is None:
            self.beneath.fail(message.trouble)
            return
        if message.is_draft:
            self._list_draft(message.choice, message.path, message.text)
        if message.choice is self.chosen:
            self.editor.border_subtitle = safe(f"draft: {message.path}") if message.is_draft else ""
        if message.purpose == "check" and message.choice is self.chosen and message.text == self.editor.text:
            self._check(message.path, message.text)

    def _list_draft(self, made_of: Choice, path: Path, text: str) -> None:
        """A draft can be chosen like a preset, as it is now."""
        draft = replace(made_of, name=path.stem, file=path, text=text, draft=True)
        if draft.key not in self.choices:
            self.shelf.add_option(option(draft))
        self.choices[draft.key] = draft if made_of is not self.chosen or not made_of.draft else made_of

    # -------------------------------------------------------- what `sslterm check` says

    def _check(self, path: Path, text: str) -> None:
        if self._checking is not None:
            return  # one at a time: it takes a core for seconds
        self._checking = text
        self.beneath.check()
        commands.start("check", ["check", str(path), "--json"], self.house.place, self.post_from_thread, plain=True)

    def command_ended(self, message: CommandEnded) -> None:
        """What check found."""
        if message.title == "check":
            self._checked(message)  # it is said beneath the text
        else:
            super().command_ended(message)

    def _checked(self, message: CommandEnded) -> None:
        looked_at, self._checking = self._checking, None
        if looked_at is None or looked_at != self.editor.text:
            self.file("check")  # it has been changed meanwhile
            return
        answer = checked(message.out)
        if answer is None:
            self.beneath.fail(message.sentence)
        else:
            self._answer = (looked_at, answer[1])
            self._settle()
            self._mark()

    def _settle(self) -> None:
        """Show the answer, where it is about what is written."""
        if self._answer is not None and self._answer[0] == self.editor.text:
            self.beneath.settle(self._answer[1])
