"""Looks of cells as the words a terminal takes (SGR), and the fewest of them that lead from one look to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style

PLAIN = 0
"""The number of the look that a terminal has by itself."""
SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""What shows where there is no letter: lines under, over and through it, and colours turned round."""


class Look(NamedTuple):
    """Words for bold and its like, for the letter's colour and for the background; an empty one is the terminal's."""

    flags: frozenset[str] = frozenset()
    letter: str = ""
    ground: str = ""


class Looks:
    """Looks by number: the same number is the same look on the terminal, however it came about."""

    def __init__(self, system: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self.system = system
        """How many colours there are."""
        self._known: list[Look] = [Look()]
        self._numbers: dict[Look, int] = {Look(): PLAIN}
        self._of_styles: dict[Style, int] = {}
        self._blanks: dict[int, int] = {PLAIN: PLAIN}
        self._ways: dict[tuple[int, int], str] = {}

    def number(self, style: Style | None) -> int:
        """The look of a style."""
        if style is None:
            return PLAIN
        found = self._of_styles.get(style)
        if found is None:
            words = style.render("_", color_system=self.system).partition("_")[0]
            found = self._of_styles[style] = self._numbered(_read(words))
        return found

    def look(self, number: int) -> Look:
        """The look of a number."""
        return self._known[number]

    def blank(self, number: int) -> int:
        """The look of a cell without a letter, in the place of one with this look."""
        found = self._blanks.get(number)
        if found is None:
            look = self._known[number]
            kept = look if look.flags & SEEN_ON_BLANKS else Look(ground=look.ground)
            found = self._blanks[number] = self._numbered(kept)
        return found

    def way(self, before: int, after: int) -> str:
        """What to send between two looks."""
        found = self._ways.get((before, after))
        if found is None:
            found = self._ways[before, after] = _way(self._known[before], self._known[after])
        return found

    def _numbered(self, look: Look) -> int:
        found = self._numbers.setdefault(look, len(self._known))
        if found == len(self._known):
            self._known.append(look)
        return found


def _read(words: str) -> Look:
    """`ESC[1;38;2;255;0;0m` taken apart."""
    flags, letter, ground = set(), "", ""
    rest = iter(words.removeprefix("\x1b[").removesuffix("m").split(";"))
    for word in rest:
        if word == "38":
            letter = ";".join([word, *_colour(rest)])
        elif word == "48":
            ground = ";".join([word, *_colour(rest)])
        elif word.startswith(("3", "9")) and len(word) == 2:
            letter = "" if word == "39" else word
        elif (word.startswith("4") and len(word) == 2) or word.startswith("10"):
            ground = "" if word == "49" else word
        elif word:
            flags.add(word)
    return Look(frozenset(flags), letter, ground)


def _colour(rest: Iterator[str]) -> list[str]:
    """`2;R;G;B` or `5;N`."""
    kind = next(rest)
    return [kind, *(next(rest) for _ in range(3 if kind == "2" else 1))]


def _way(before: Look, after: Look) -> str:
    words: list[str] = []
    if before.flags - after.flags:
        words, before = ["0"], Look()  # there are words to end each alone; terminals disagree about them
    words += sorted(after.flags - before.flags)
    if after.letter != before.letter:
        words.append(after.letter or "39")
    if after.ground != before.ground:
        words.append(after.ground or "49")
    return f"\x1b[{';'.join(words) if words != ['0'] else ''}m" if words else ""
