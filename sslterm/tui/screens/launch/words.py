"""What the launch screen says: of a preset, in the list and above its text; beneath it what is wrong or different."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.widgets.option_list import Option

from sslterm.tables import safe
from sslterm.tui.screens.launch.judging import About, Found
from sslterm.tui.screens.launch.shelf import Choice
from sslterm.tui.widgets.run_table.cells import clean

SHOWN = 200
"""Lines of a difference that are shown."""


def option(choice: Choice) -> Option:
    """A preset in the list: its name, then its title; a draft says that it is one."""
    name = Content.styled(clean(choice.name, 60), "bold" if choice.fits else "")
    misfit = choice.encoder if not choice.fits and choice.encoder != choice.name else ""
    sort = Content.styled(f"  {'draft' if choice.draft else misfit}", "dim")
    title = Content.styled(clean(choice.title, 80) or "no title", "dim")
    return Option(Content.assemble(name, sort, "\n", title), id=choice.key)


def about(said: About) -> Content:
    """Three lines above the text."""
    lines = [
        Content.assemble((_line(said.title) or "no title", "bold"), (f"  {_line(said.paper)}", "dim")),
        Content(_line(said.method)),
        Content.styled(
            f"expected {_line(said.expected) or 'not measured'}{f' · {_line(said.time)}' if said.time else ''}",
            "dim",
        ),
    ]
    return Content("\n").join(lines)


def _line(text: str) -> str:
    return clean(text, 300)


class Beneath(VerticalScroll):
    """Every problem, each with its line; what is being done; what differs from the shipped preset."""

    DEFAULT_CSS = """
    Beneath { height: auto; padding: 0 1; scrollbar-size-vertical: 1; background: $background; }
    Beneath Static { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.found: Sequence[Found] = ()
        """What is wrong with the text, as far as it is known."""
        self._difference: Sequence[str] = ()
        self._checking = False
        self._settled = False
        self._failure = ""
        self._said = ""

    def compose(self) -> ComposeResult:
        yield Static(id="said", markup=False)

    def judge(self, found: Sequence[Found], difference: Sequence[str]) -> None:
        """What a quick look found."""
        self.found, self._difference = found, difference
        self._settled, self._failure = False, ""
        self._show()

    def check(self) -> None:
        """A longer look began."""
        self._checking = True
        self._show()

    def settle(self, found: Sequence[Found]) -> None:
        """What the longer look found, which is everything; the quick one may know of weights that it does not."""
        others = [one for one in self.found if one.key == "encoder" and one not in found]
        self.found, self._settled, self._checking = [*found, *others], True, False
        self._show()

    def fail(self, sentence: str) -> None:
        """Something could not be done."""
        self._failure, self._checking = sentence, False
        self._show()

    def say(self, sentence: str) -> None:
        """What is being done; nothing: nothing is."""
        self._said = sentence
        self._failure = "" if sentence else self._failure
        self._show()

    def _show(self) -> None:
        lines = [Content.styled(f"✗ {line}", "$text-error") for line in safe(self._failure).splitlines()]
        lines += [Content.styled(f"… {safe(self._said)}", "bold")] if self._said else []
        lines += [_finding(one) for one in self.found]
        lines += [self._verdict()]
        lines += [Content.styled(safe(line), _tone(line)) for line in self._difference[:SHOWN]]
        self.query_one(Static).update(Content("\n").join(lines))

    def _verdict(self) -> Content:
        """Whether it can run, as far as is known."""
        changed = sum(line.startswith("+") for line in self._difference)
        gone = sum(line.startswith("-") for line in self._difference)
        words = f" · lines added: {changed}, taken away: {gone}" if changed or gone else ""
        differs = Content.styled(words, "dim")
        if any(not one.warning for one in self.found):
            return Content.assemble(("cannot run like this", "dim"), differs)
        if self._settled:
            return Content.assemble(("✓ can run", "$text-success"), differs)
        if self._failure and not self._checking:
            return Content.assemble(("not checked", "dim"), differs)
        return Content.assemble(("… the method's settings are being checked", "dim"), differs)


def _finding(one: Found) -> Content:
    sign, tone = ("!", "$text-warning") if one.warning else ("✗", "$text-error")
    return Content.styled(f"{sign} {safe(one)}", tone)


def _tone(line: str) -> str:
    return "$text-success" if line.startswith("+") else "dim"
