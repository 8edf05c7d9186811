"""What every screen is: it does the actions of the registry that are its own, and says why where it cannot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from sslterm.tables import safe
from sslterm.tui import actions, commands, config, doors
from sslterm.tui.actions import Action
from sslterm.tui.commands import CommandEnded, Place
from sslterm.tui.screens.dialogs import Confirm, Help


@dataclass(frozen=True)
class House:
    """What all screens share."""

    place: Place
    actions: Mapping[str, Action]
    next_theme: Callable[[], None]
    readonly: bool = False


class Room(Screen[None]):
    """A screen whose keys come from the registry: `name` says which actions are its own.

    A screen does action `stop` in a method `do_stop`; `why_not("stop")` says why it cannot be done just now.
    """

    name_in_registry: ClassVar[str] = ""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual has it, but for one thing: who gains and who loses the focus draw themselves, so that not all of the
    screen must be drawn again."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house
        for binding in actions.bindings(self.name_in_registry, house.actions):
            for key in binding.key.split(","):
                self._bindings.key_to_bindings.setdefault(key.strip(), []).insert(0, _one(binding, key.strip()))

    # -------------------------------------------------------- doing

    def action_do(self, name: str) -> None:
        """Do an action of the registry, or say why not."""
        action = self.house.actions[name]
        reason = self.why_not(name)
        if action.changes and self.house.readonly:
            reason = "this is a read-only view (--readonly)"
        if reason:
            self.tell(f"{action.title}: {reason}", "warning")
            return
        getattr(self, f"do_{name}")()

    def why_not(self, name: str) -> str | None:
        """Why an action cannot be done just now; None where it can."""
        return None if hasattr(self, f"do_{name}") else "is not there on this screen"

    def tell(self, text: str, severity: Any = "information") -> None:
        """A sentence, for some seconds. Never markup: it may hold words from files."""
        self.notify(safe(text), severity=severity, markup=False, timeout=8 if severity != "information" else 4)

    def command(self, title: str, *arguments: str, data: bool = False) -> None:
        """Start an `sslterm` command; its last words are told when it ends."""
        commands.start(title, arguments, self.house.place, self.post_from_thread, data)

    def post_from_thread(self, message: Message) -> None:
        """Messages of threads; a screen that is gone needs none."""
        if self.is_attached and self.app.is_running:
            self.post_message(message)

    def on_command_ended(self, message: CommandEnded) -> None:
        """Textual would ask every class above for a handler of this name, too: there is this one only."""
        self.command_ended(message)

    def command_ended(self, message: CommandEnded) -> None:
        """Say what a command said last."""
        self.tell(message.sentence, "error" if message.code not in (0, 130) else "information")

    def enter(self, name: str, *about: Any, instead: bool = False, **more: Any) -> None:
        """Go to another screen; `instead` of this one, which is then left for good."""
        room = doors.room(name, self.house, *about, **more)
        if instead:
            self.app.switch_screen(room)
        else:
            self.app.push_screen(room)

    def ask(self, question: str, then: Any) -> None:
        """Do something only after a `y`."""
        self.app.push_screen(Confirm(question), lambda agreed: then() if agreed else None)

    # -------------------------------------------------------- what every screen can do

    def do_back(self) -> None:
        """Leave this screen; the first one stays."""
        if len(self.app.screen_stack) > 2:
            self.app.pop_screen()

    def do_help(self) -> None:
        """Every action that can be done here."""
        self.app.push_screen(Help(self.help_text(), actions.here(self.name_in_registry, self.house.actions)))

    def help_text(self) -> str:
        """What this screen is for: its docstring."""
        return inspect.cleandoc(type(self).__doc__ or "")

    def do_palette(self) -> None:
        """Every action by its name."""
        self.app.action_command_palette()

    def do_doctor(self) -> None:
        """Look at this machine."""
        self.enter("doctor")

    def do_theme(self) -> None:
        """The next theme; the config file makes one stay."""
        self.house.next_theme()
        self.tell(f"theme {self.app.theme}; to keep it: theme in {config.path()}")

    def do_redraw(self) -> None:
        """Draw everything anew, for terminals that lost track."""
        self.app.refresh(layout=True, repaint=True)

    def do_quit(self) -> None:
        """Leave; what trains goes on."""
        self.app.exit(message="training goes on; `sslterm ls` shows it")


def _one(binding: Binding, key: str) -> Binding:
    """The same binding for one of its keys; only the first is shown."""
    from dataclasses import replace

    first = key == binding.key.split(",")[0].strip()
    return replace(binding, key=key, show=binding.show and first)
