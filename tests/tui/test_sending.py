"""Only what differs is sent, and the terminal shows what it would have shown had everything been sent."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.segment import ControlType, Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region
from textual.strip import Strip

from sslterm.tui.app import SSLTerm
from sslterm.tui.terminal import sgr
from sslterm.tui.terminal.sending import Sent, changes

WIDTH, HEIGHT = 40, 6
CONSOLE = Console(color_system="truecolor", force_terminal=True)
STYLES = [
    None,
    Style.parse("red"),
    Style.parse("bold #ff0000 on #101010"),
    Style.parse("on #101010"),
    Style.parse("dim white on #202020"),
    Style.parse("underline blue on #101010"),
    Style.parse("reverse green"),
    Style.parse("italic bright_yellow on color(17)"),
]
WORD = re.compile(r"\x1b\[([0-9;]*)([HCm])|([^\x1b])")


class Shown:
    """A terminal: what it shows of what it is sent."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, sgr.Look]] = {}
        self.line = self.column = 0
        self.look = sgr.Look()

    def write(self, text: str) -> None:
        for said, final, letter in WORD.findall(text):
            if letter:
                self.cells[self.line, self.column] = (letter, seen(letter, self.look))
                self.column += 1
            elif final == "H":
                self.line, self.column = (int(number) - 1 for number in said.split(";"))
            elif final == "C":
                self.column += int(said)
            else:
                self.look = worn(self.look, said)


def worn(look: sgr.Look, said: str) -> sgr.Look:
    """The look after more words."""
    if not said or said.split(";")[0] == "0":
        look = sgr.Look()
    more = sgr._read(said)
    words = said.split(";")
    return sgr.Look(
        look.flags | (more.flags - {"0"}),
        more.letter or ("" if "39" in words else look.letter),
        more.ground or ("" if "49" in words else look.ground),
    )


def seen(letter: str, look: sgr.Look) -> sgr.Look:
    """What of a look is seen: a blank has no colour."""
    return look if letter != " " or look.flags & sgr.SEEN_ON_BLANKS else sgr.Look(ground=look.ground)


def whole(strips: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, WIDTH, len(strips)))


def sent(sent: Sent, update: LayoutUpdate | ChopsUpdate) -> str:
    return changes(update, sent).render_segments(CONSOLE)


def some_line(chance: random.Random) -> Strip:
    """A line of pieces with random looks, its letters so few that neighbours in time are often the same."""
    pieces, left = [], WIDTH
    while left:
        length = min(left, chance.randint(1, 15))
        text = "".join(chance.choices("  ab⣿│", k=length))
        pieces.append(Segment(text, chance.choice(STYLES)))
        left -= length
    return Strip(pieces)


def expected(strips: list[Strip]) -> dict[tuple[int, int], tuple[str, sgr.Look]]:
    looks = sgr.Looks()
    cells = {}
    for line, strip in enumerate(strips):
        column = 0
        for text, style, _ in strip:
            look = looks.look(looks.number(style))
            for letter in text:
                cells[line, column] = (letter, seen(letter, look))
                column += 1
    return cells


@pytest.mark.parametrize("seed", range(8))
def test_the_terminal_shows_every_update_as_if_all_of_it_had_been_sent(seed: int) -> None:
    chance = random.Random(seed)
    terminal, known = Shown(), Sent()
    lines = [some_line(chance) for _ in range(HEIGHT)]
    for _ in range(30):
        for line in range(HEIGHT):
            if chance.random() < 0.5:
                lines[line] = some_line(chance)
        terminal.write(sent(known, whole(lines)))
        assert terminal.cells == expected(lines)
        assert terminal.look == sgr.Look()  # whatever is written next is not coloured by us


def test_what_is_there_already_is_not_sent() -> None:
    known = Sent()
    lines = [Strip([Segment("loss ", STYLES[1]), Segment("2.61", STYLES[2])])]
    assert "loss" in sent(known, whole(lines))
    assert sent(known, whole(lines)) == ""
    lines = [Strip([Segment("loss ", STYLES[1]), Segment("2.60", STYLES[2])])]
    assert sent(known, whole(lines)) == "\x1b[1;9H\x1b[1;38;2;255;0;0;48;2;16;16;16m0\x1b[m"


def test_a_blank_takes_no_word_for_a_colour_that_nobody_sees() -> None:
    known = Sent()
    ground = Style.parse("white on #101010")
    assert sent(known, whole([Strip([Segment("a", STYLES[2]), Segment("   ", ground)])])).count("\x1b[") == 3
    assert sent(known, whole([Strip([Segment("a", STYLES[2]), Segment("   ", STYLES[3])])])) == ""


def test_letters_in_the_terminals_own_colour_do_not_take_that_of_their_neighbours() -> None:
    terminal = Shown()
    lines = [Strip([Segment("a", Style.parse("red on #101010")), Segment(" b", STYLES[3])])]
    terminal.write(sent(Sent(), whole(lines)))
    assert terminal.cells == expected(lines)


def test_a_line_with_wide_letters_is_sent_from_its_beginning() -> None:
    known = Sent()
    sent(known, whole([Strip([Segment("🦊 fox and friends", None)])]))
    again = sent(known, whole([Strip([Segment("🦊 fox and friendz", None)])]))
    assert again == "\x1b[1;1H🦊 fox and friendz"
    assert sent(known, whole([Strip([Segment("🦊 fox and friendz", None)])])) == ""


def test_pictures_and_links_go_out_as_they_are_and_make_everything_unknown() -> None:
    for special in (
        Segment("pixels", None, [(ControlType.CURSOR_FORWARD, 0)]),  # type: ignore[list-item]
        Segment("\x1bPq#0\x1b\\", None),
        Segment("here", Style(link="https://example.org")),
    ):
        known = Sent()
        plain = whole([Strip([Segment("text", STYLES[1])])])
        first = sent(known, plain)
        picture = whole([Strip([special])])
        assert sent(known, picture) == picture.render_segments(CONSOLE)
        assert sent(known, plain) == first


def test_a_part_of_a_line_is_sent_to_where_it_was_meant_to_end() -> None:
    known = Sent()
    sent(known, whole([Strip([Segment("abcdefgh", None)])]))
    part = ChopsUpdate([{0: Strip([Segment("ABCD", None)]), 4: Strip([Segment("EFGH", None)])}], [(0, 0, 6)], [[4, 8]])
    assert sent(known, part) == "\x1b[1;1HABCDEF"
    beside = ChopsUpdate([{0: None, 4: Strip([Segment("EFGH", None)])}], [(0, 4, 8)], [[4, 8]])
    assert sent(known, beside) == "\x1b[1;7HGH"


class Counting(HeadlessDriver):
    """A terminal that keeps what it is sent."""

    said: str = ""

    @property
    def is_headless(self) -> bool:
        return False  # or nothing would be sent

    def write(self, data: str) -> None:
        Counting.said += data


def test_drawing_anew_sends_all_of_the_screen(tmp_path: Path) -> None:
    async def go() -> None:
        app = SSLTerm(tmp_path / "runs", tmp_path / "data")
        app.driver_class = Counting
        async with app.run_test(headless=False, size=(60, 20)) as pilot:
            while "no run yet" not in Counting.said:
                await pilot.pause()
            await pilot.pause(0.2)
            Counting.said = ""
            app.screen.refresh()
            await pilot.pause()
            assert "no run yet" not in Counting.said
            await pilot.press("ctrl+l")
            await pilot.pause()
            assert "no run yet" in Counting.said
            Counting.said = ""
            await pilot.resize_terminal(61, 20)
            while "no run yet" not in Counting.said:
                await pilot.pause()

    asyncio.run(go())
