"""Asks how to evaluate: who classifies, with which augmentation, on which images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from sslterm.tables import safe

PROTOCOLS = {
    "auto": "the run's own head where it has one, else a linear probe",
    "head": "the classifier that was trained in the run",
    "knn": "the nearest training images vote; nothing is trained",
    "linear": "a linear probe is trained on the frozen encoder",
}
FLIPS = {
    "no": "each image as it is",
    "yes": "also averaged over each image and its mirror image; both answers are kept",
}
SPLITS = {"test": "images that were never looked at", "valid": "images that training was judged by"}
SCALES = "sizes in pixels, as 36,40: also averaged over these; may be left empty"


@dataclass(frozen=True)
class How:
    """What `sslterm eval` is told beside the checkpoints."""

    protocol: str = "auto"
    flip: bool = False
    scales: str = ""
    split: str = "test"

    def options(self) -> list[str]:
        """As the command takes them."""
        said = [] if self.protocol == "auto" else ["--protocol", self.protocol]
        said += ["--tta"] if self.flip else []
        said += ["--tta-scales", self.scales] if self.scales else []
        return said + (["--split", self.split] if self.split != "test" else [])


def sizes(text: str) -> str:
    """`36, 40` as the command takes it. Raises ValueError with a sentence."""
    parts = [part for part in text.replace(",", " ").split() if part]
    for part in parts:
        if not (part.isascii() and part.isdigit() and 0 < int(part) <= 4096):
            raise ValueError(f"scales: {part[:20]!r} is no size; write pixels, as in 36,40")
    return ",".join(parts)


class Choice(Static, can_focus=True):
    """One of a few words; arrows and space go to the next."""

    DEFAULT_CSS = """
    Choice { width: 1fr; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "turn(1)", "Next"),
        Binding("left,h", "turn(-1)", "Previous"),
    ]

    class Changed(Message):
        """Another word was chosen, or the focus came."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, words: Sequence[str], *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.words = list(words)
        self.chosen = self.words[0]

    def on_mount(self) -> None:
        self._draw()

    def action_turn(self, by: int) -> None:
        """The next word, or the one before."""
        self.choose(self.words[(self.words.index(self.chosen) + by) % len(self.words)])

    def choose(self, word: str) -> None:
        """This one."""
        self.chosen = word
        self._draw()
        self.post_message(self.Changed(self))

    def on_focus(self) -> None:
        """Show that the keys are for this one."""
        self._draw()
        self.post_message(self.Changed(self))

    def on_blur(self) -> None:
        """They are for another one."""
        self._draw(focused=False)

    def on_click(self, event: object) -> None:
        """The word under the pointer."""
        x, at = getattr(event, "x", 0), 2
        for word in self.words:
            if at <= x < at + len(word) + 4:
                self.choose(word)
            at += len(word) + 4

    def _draw(self, focused: bool | None = None) -> None:
        focused = self.has_focus if focused is None else focused
        text = Text("› " if focused else "  ", "bold")
        for word in self.words:
            here = word == self.chosen
            text.append(f"{'●' if here else '○'} {word}  ", "bold" if here else "dim")
        self.update(text)


class EvaluateDialog(ModalScreen[How | None]):
    """How to evaluate; escape gives none."""

    DEFAULT_CSS = """
    EvaluateDialog { align: center middle; }
    EvaluateDialog > Vertical {
        width: 72; max-width: 96%; height: auto; max-height: 100%; border: round $accent; padding: 0 2;
        background: $surface;
    }
    EvaluateDialog Horizontal { height: 1; }
    EvaluateDialog Horizontal Label { width: 11; color: $text-muted; }
    EvaluateDialog Input { width: 1fr; height: 1; border: none; padding: 0 2; background: $boost; }
    EvaluateDialog #what {
        width: 1fr; margin: 0 0 1 0; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis;
    }
    EvaluateDialog #about { height: 2; margin-top: 1; color: $text-muted; }
    EvaluateDialog #about.wrong { color: $text-error; }
    EvaluateDialog #keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("enter", "start", "Start"),
        Binding("down", "app.focus_next", "Next"),
        Binding("up", "app.focus_previous", "Previous"),
    ]

    def __init__(self, what: str, how: How | None = None) -> None:
        """`what`: the checkpoints, in words; `how`: what is chosen at first."""
        super().__init__()
        self.what, self.how = what, how or How()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(safe(self.what)), id="what")
            for title, words in (("protocol", PROTOCOLS), ("flip", FLIPS)):
                with Horizontal():
                    yield Label(title)
                    yield Choice(list(words), id=title)
            with Horizontal():
                yield Label("scales")
                yield Input(self.how.scales, placeholder="36,40", id="scales")
            with Horizontal():
                yield Label("split")
                yield Choice(list(SPLITS), id="split")
            yield Static(id="about")
            yield Label("tab next   ← → choose   enter start   esc leave", id="keys")

    def on_mount(self) -> None:
        self.query_one("#protocol", Choice).choose(self.how.protocol)
        self.query_one("#flip", Choice).choose("yes" if self.how.flip else "no")
        self.query_one("#split", Choice).choose(self.how.split)
        self.query_one("#protocol", Choice).focus()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Say what it means."""
        if message.choice.has_focus:
            meanings = {"protocol": PROTOCOLS, "flip": FLIPS, "split": SPLITS}[str(message.choice.id)]
            self._say(f"{message.choice.chosen}: {meanings[message.choice.chosen]}")

    def on_descendant_focus(self) -> None:
        """Say what belongs into the field."""
        if isinstance(self.focused, Input):
            self._say(SCALES)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong while it is typed."""
        try:
            sizes(event.value)
        except ValueError as error:
            self._say(str(error), wrong=True)
        else:
            if isinstance(self.focused, Input):
                self._say(SCALES)

    def on_input_submitted(self) -> None:
        """Enter starts from the field, too."""
        self.action_start()

    def _say(self, text: str, wrong: bool = False) -> None:
        about = self.query_one("#about", Static)
        about.set_class(wrong, "wrong")
        about.update(Text(("✗ " if wrong else "") + safe(text)))

    def action_start(self) -> None:
        """As it is chosen now."""
        field = self.query_one("#scales", Input)
        try:
            scales = sizes(field.value)
        except ValueError as error:
            field.focus()
            self.call_after_refresh(self._say, str(error), True)
            return
        protocol, flip, split = (self.query_one(f"#{name}", Choice).chosen for name in ("protocol", "flip", "split"))
        self.dismiss(How(protocol, flip == "yes", scales, split))

    def action_leave(self) -> None:
        """Not at all."""
        self.dismiss(None)
