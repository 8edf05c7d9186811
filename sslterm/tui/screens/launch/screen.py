"""Choose a preset, adjust it, start it; problems stand beside the line they belong to while it is written."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, ClassVar

from textual.message import Message

from sslterm.runs import Run
from sslterm.runs.state import ALIVE
from sslterm.tables import safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.looking.machine import MachineSeen, ThisMachine
from sslterm.tui.looking.watch import AllRuns, RunsSeen, Watch
from sslterm.tui.screens.launch import starting
from sslterm.tui.screens.launch.desk import Filed
from sslterm.tui.screens.launch.orders import NotUnderstood, Plan
from sslterm.tui.screens.launch.starting import StartEnded, StartGoesOn
from sslterm.tui.screens.launch.writing import WritingRoom
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.tiles import TileStrip

ROOM_FOR_VIEWS = (100, 34)
"""Columns and lines from which on views of images are shown on this screen, not on one of their own."""


class LaunchScreen(WritingRoom):
    """Choose a preset, change it, start it with ctrl+r; tab goes on. What is wrong stands behind the line it belongs
    to, and beneath with what differs from the preset that comes with sslterm. `0..4` as seeds starts five runs.
    What is changed is kept as a draft, and listed after the presets."""

    name_in_registry: ClassVar[str] = "launch"

    def __init__(self, house: House, weights: Path | None = None) -> None:
        super().__init__(house, weights)
        self._starting = False
        self._meant: Plan | None = None
        """What the fields said when it was to start."""
        self._watches = [
            Watch(look, self.post_from_thread)
            for look in (ThisMachine(house.place.runs_dir), AllRuns(house.place.runs_dir))
        ]

    def on_mount(self) -> None:
        self._told = self.app
        for watch in self._watches:
            watch.start()

    def on_unmount(self) -> None:
        for watch in self._watches:
            watch.end()

    def do_back(self) -> None:
        """Back to the list, where it is folded away; else leave. What was changed is kept."""
        if not self.back_to_the_list():
            self._tell_of_draft()
            super().do_back()

    def do_quit(self) -> None:
        """Leave altogether; what was changed is kept."""
        self.keep()
        super().do_quit()

    def _tell_of_draft(self) -> None:
        name = self.keep()
        if name:
            self.tell(f"what was changed of {name} is kept in {self.desk.drafts}")

    # -------------------------------------------------------- what is free

    def on_machine_seen(self, message: MachineSeen) -> None:
        """Its devices, and how many runs hold each."""
        self.form.show_devices(message.machine.devices)

    def on_runs_seen(self, message: RunsSeen) -> None:
        """Which runs those are."""
        users: dict[str, list[str]] = {}
        for row in message.rows:
            if row["state"] in ALIVE and row["state"] != "queued" and row["device"]:
                users.setdefault(str(row["device"]), []).append(row["name"])
        self.form.show_users(users)

    def on_filed(self, message: Filed) -> None:
        """The text lies in a file; go on with what it was wanted for."""
        if message.purpose == "start":
            self._start(message.path)
        elif message.purpose == "views" and message.path is not None:
            self._show_views(message.path)

    def command_ended(self, message: CommandEnded) -> None:
        """How the pictures came out."""
        if message.title == "views":
            self._views_made(message)  # it is said where the pictures would stand
        else:
            super().command_ended(message)

    # -------------------------------------------------------- eight images

    def do_preview(self) -> None:
        """Show eight images as it would augment them; once more: fold them away."""
        strip = self.query_one(TileStrip)
        if strip.has_class("-open") and strip.size.height:
            strip.clear()
            strip.remove_class("-open")
        elif self.chosen is not None:
            self.file("views")

    def _show_views(self, path: Path) -> None:
        width, height = self.size
        if width < ROOM_FOR_VIEWS[0] or height < ROOM_FOR_VIEWS[1]:
            self.enter("pictures", path, "views")
            return
        strip = self.query_one(TileStrip)
        strip.add_class("-open")
        strip.say("makes eight images as this preset would augment them …")
        self.command("views", "pictures", "views", str(path), "--count", "8", "--json", data=True)

    def _views_made(self, message: CommandEnded) -> None:
        strip = self.query_one(TileStrip)
        if message.code:
            strip.say(message.sentence)
        elif strip.has_class("-open"):
            strip.answer(message.out, self.house.place.runs_dir)

    # -------------------------------------------------------- starting

    def why_not(self, name: str) -> str | None:
        """Nothing is started twice."""
        if name == "start" and self._starting:
            return "it is starting already"
        if name in ("start", "preview") and self.chosen is None:
            return "there is no preset yet"
        return super().why_not(name)

    def do_start(self) -> None:
        """Start it, once for each seed. What is known to be wrong is shown instead."""
        wrong = [one for one in self.beneath.found if not one.warning]
        if wrong and self.judged is not None and self.judged.text == self.editor.text:
            self.editor.go_to(wrong[0].line)
            self.editor.focus()
            self.tell(f"not started: {wrong[0]}", "warning")
            return
        try:
            self._meant = self.form.plan
        except NotUnderstood as error:
            self.tell(str(error), "warning")
            return
        self._starting = True
        self.beneath.say("is starting")
        self.file("start")

    def _start(self, path: Path | None) -> None:
        if path is None or self._meant is None:
            self._starting = False
            self.beneath.say("")
            return
        starting.start(path, self._meant.orders(path), self.house.place, self._tell_of_start)

    def _tell_of_start(self, message: Message) -> None:
        """From a thread. Whoever has left this screen is told how it went all the same."""
        if self.is_attached:
            self.post_from_thread(message)
        elif isinstance(message, StartEnded) and self._told.is_running:
            severity: Any = "error" if message.refusal else "information"
            said = safe(message.sentence)
            self._told.call_from_thread(self._told.notify, said, severity=severity, markup=False, timeout=8)

    def on_start_goes_on(self, message: StartGoesOn) -> None:
        """It takes some seconds."""
        which = f"run {message.done + 1} of {message.total} " if message.total > 1 else ""
        self.beneath.say(f"{which}is starting: loads torch, then its data …")

    def on_start_ended(self, message: StartEnded) -> None:
        """Go to the run, or to the list of several; what was refused is said here."""
        self._starting = False
        self.beneath.say("")
        if message.refusal:
            self.beneath.fail(message.sentence)
            return
        threading.Thread(target=self.desk.forget, args=(message.preset,)).start()
        self.tell(message.sentence)
        if not self.is_current:
            return
        if len(message.runs) > 1:
            self.app.pop_screen()
            return
        self.enter("run", Run(message.runs[0]), instead=True)
