"""The fields beneath a preset: name, seeds, device, places, queue; and in a sentence what they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static

from sslterm.tables import safe
from sslterm.tui.looking.machine import Held
from sslterm.tui.screens.launch.orders import Form, NotUnderstood, Plan, plan, sentence
from sslterm.tui.widgets.run_table.cells import fit, width
from sslterm.tui.widgets.tick import Tick


class LaunchForm(Vertical):
    """`devices` and `users` say what is free; `plan` is what the fields amount to."""

    DEFAULT_CSS = """
    LaunchForm {
        height: auto; padding: 0 1;
        & Horizontal { height: 1; }
        & Label { color: $text-muted; padding: 0 1 0 0; width: auto; }
        & Input { width: 1fr; height: 1; border: none; padding: 0 1; margin: 0 2 0 0; background: $boost; }
        & Input:focus { background: $primary 30%; }
        & #seeds { width: 14; }
        & #places { width: 6; }
        & Select { width: 1fr; margin: 0 2 0 0; }
        & SelectOverlay { text-wrap: nowrap; text-overflow: ellipsis; }
        & #plan { height: auto; max-height: 2; color: $text-muted; }
        & #plan.-wrong { color: $text-error; }
        &:ansi Input:focus, &:nocolor Input:focus { text-style: reverse; }
    }
    """

    class Changed(Message):
        """The fields say something else."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._devices: Sequence[Held] = ()
        self._users: Mapping[str, Sequence[str]] = {}
        self._options: list[tuple[Content, str]] = [(Content("auto"), "auto")]

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("name")
            yield Input(placeholder="the date and the preset", id="name", compact=True)
            yield Label("seeds")
            yield Input(placeholder="0 or 0..4", id="seeds", compact=True)
        with Horizontal():
            yield Label("device")
            yield Select(self._options, value="auto", allow_blank=False, compact=True, id="device")
            yield Label("places")
            yield Input("1", id="places", compact=True, tooltip="how many runs may share the device")
            yield Tick("queue", id="queue", tooltip="wait until the device is free")
        yield Static(id="plan", markup=False)

    def fields(self) -> list[Widget]:
        """In the order in which one goes through them."""
        return [self.query_one(f"#{name}") for name in ("name", "seeds", "device", "places", "queue")]

    # -------------------------------------------------------- what they say

    @property
    def form(self) -> Form:
        """As it was typed."""
        name, seeds, places = (self.query_one(f"#{field}", Input).value for field in ("name", "seeds", "places"))
        return Form(name, seeds, self._device, places, self.query_one(Tick).value)

    @property
    def _device(self) -> str:
        return str(self.query_one(Select).value)

    @property
    def plan(self) -> Plan:
        """What they amount to. Raises NotUnderstood."""
        return plan(self.form)

    def _anything_changed(self) -> None:
        self._say()
        self.post_message(self.Changed())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._anything_changed()

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self._anything_changed()

    def on_tick_changed(self, event: Tick.Changed) -> None:
        event.stop()
        self._anything_changed()

    # -------------------------------------------------------- what is free

    def show_devices(self, devices: Sequence[Held]) -> None:
        """There are these, with so many runs on each."""
        self._devices = devices
        self._offer()

    def show_users(self, users: Mapping[str, Sequence[str]]) -> None:
        """Which runs are on which device, by its name."""
        self._users = users
        self._offer()

    def _offer(self) -> None:
        names = [held.device.name for held in self._devices]
        names += [name for name in ("cpu",) if name not in names]
        fares = [(f"auto, {self._fare(self._auto())}", "auto"), *((self._fare(name), name) for name in names)]
        options = [(Content(fare), name) for fare, name in fares]
        select = self.query_one(Select)
        if options != self._options and not select.expanded:
            chosen, self._options = self._device, options
            there = [value for _, value in options]
            with self.prevent(Select.Changed):
                select.set_options(options)
                select.value = there[-1]  # only another value makes it write the new words of the chosen one
                select.value = chosen if chosen in there else "auto"
        self._say()

    def _auto(self) -> str:
        """What `auto` means: the first that is free, or else the first."""
        free = [held.device.name for held in self._devices if not self._on(held.device.name)]
        return next(iter(free), self._devices[0].device.name if self._devices else "cpu")

    def _on(self, device: str) -> Sequence[str]:
        """The runs on a device; of some the name may not be known yet."""
        count = next((held.runs for held in self._devices if held.device.name == device), 0)
        names = list(self._users.get(device, ()))[:count] if count else []
        return [*names, *["a run"] * (count - len(names))]

    def _fare(self, device: str) -> str:
        """`cuda:0 H200: moco-a1, 1 of 2 places`."""
        held = next((held for held in self._devices if held.device.name == device), None)
        gpu = held.gpu if held else None
        users, places = self._on(device), self.query_one("#places", Input).value
        busy = f", {gpu.busy:.0f} % busy" if gpu and gpu.busy is not None and gpu.busy >= 5 else ""
        names = ", ".join(fit(name, width(name, 18), both_ends=True) for name in users[:2])
        fits = places.isdigit() and len(users) <= int(places)
        count = f"{len(users)} of {places} places" if fits else f"{len(users)} run{'s' * (len(users) > 1)}"
        used = f"{names}{' …' if len(users) > 2 else ''} ({count})" if users else "free"
        return safe(f"{device}{f' {gpu.model}' if gpu else ''}: {used}{busy}")

    def _say(self) -> None:
        line = self.query_one("#plan", Static)
        try:
            meant = self.plan
        except NotUnderstood as error:
            line.set_class(True, "-wrong")
            line.update(Content(safe(error)))
            return
        device = self._auto() if meant.device == "auto" else meant.device
        users = {device: self._on(device)}
        line.set_class(False, "-wrong")
        line.update(Content(safe(f"ctrl+r {sentence(meant, device, users)}")))
