"""Tiles are drawn as characters or pixels, as far as the terminal is known to show them."""

from __future__ import annotations

import base64
import fcntl
import io
import pty
import struct
import subprocess
import sys
import termios
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.style import Style

from sslterm.tui.terminal import pictures as terminal_pictures
from sslterm.tui.terminal.pictures import Terminal, choose
from sslterm.tui.widgets.tiles import (
    characters,
    pixels,
)

# ---------------------------------------------------------------- characters


def halves(one: str, other: str, across: bool, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, one)
    image.paste(other, (size[0] // 2, 0, *size) if across else (0, size[1] // 2, *size))
    return image


def glyphs(image: Image.Image, how: str, dark: bool = True) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in characters.draw(image, how, Style(), dark)]


def test_half_cells_have_the_colours_of_two_pixels() -> None:
    strips = characters.draw(halves("#102030", "#405060", False, (3, 2)), "halfcell", Style(), True)
    assert [strip.cell_length for strip in strips] == [3]
    segment = next(iter(strips[0]))
    assert segment.text == "▀"
    assert segment.style is not None
    assert segment.style.color is not None
    assert segment.style.bgcolor is not None
    assert segment.style.color.triplet == (0x10, 0x20, 0x30)
    assert segment.style.bgcolor.triplet == (0x40, 0x50, 0x60)


@pytest.mark.parametrize(("across", "glyph"), [(True, "▌"), (False, "▀")])
def test_quarters_find_edges_within_a_cell(across: bool, glyph: str) -> None:
    assert glyphs(halves("red", "blue", across, (2, 2)), "quarters") == [glyph]
    assert glyphs(Image.new("RGB", (4, 2), "red"), "quarters") == ["  "]


def test_dots_and_letters_are_ink_where_it_is_bright_or_dark() -> None:
    assert glyphs(halves("white", "black", True, (4, 4)), "braille") == ["⣿⠀"]
    assert glyphs(halves("white", "black", True, (4, 4)), "braille", dark=False) == ["⠀⣿"]
    assert glyphs(halves("white", "black", True, (2, 1)), "ascii") == ["@ "]
    assert glyphs(halves("white", "black", True, (2, 1)), "ascii", dark=False) == [" @"]


def test_few_colours_are_those_that_terminals_have() -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 24, 3), dtype=np.uint8))
    found = {colour for _, colour in characters.of_few_colours(image).getcolors(1000) or []}
    assert found <= set(characters.PALETTE)
    assert len(found) > 20


# ---------------------------------------------------------------- pixels


class Screen(io.StringIO):
    """A terminal that must not be spoken to past Textual."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_asked_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "__stdout__", screen)
    for name in [name for name in sys.modules if name.split(".")[0] == "textual_image"]:
        monkeypatch.delitem(sys.modules, name)
    written: list[str] = []
    began = time.monotonic()
    picture = pixels.KittyPicture(Image.new("RGB", (40, 40), "red"), 4, 2, written.append)
    assert pixels.sixels(Image.new("RGB", (12, 12), "red")).startswith("\x1bP")
    picture.forget()
    assert screen.getvalue() == ""
    assert sys.__stdout__ is screen
    assert time.monotonic() - began < 5


def test_kitty_is_given_the_pixels_once_and_cells_that_stand_for_them() -> None:
    written: list[str] = []
    image = Image.fromarray(np.random.default_rng(2).integers(0, 255, (240, 240, 3), dtype=np.uint8))
    picture = pixels.KittyPicture(image, 24, 12, written.append)
    parts = "".join(written).split("\x1b_G")[1:]
    sent = "".join(part.partition(";")[2].removesuffix("\x1b\\") for part in parts)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(sent)))), np.asarray(image))
    assert [strip.cell_length for strip in picture.strips] == [24] * 12
    assert all(strip.text.count("\U0010eeee") == 24 for strip in picture.strips)
    picture.forget()
    number = parts[0].split("i=")[1].split(",")[0]
    assert written[-1] == f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


@pytest.mark.parametrize(
    ("liked", "environment", "more", "chosen"),
    [
        ("auto", {"TERM": "xterm-256color"}, {}, "quarters"),
        ("auto", {"TERM": "tmux-256color"}, {"colours": 256}, "halfcell"),
        ("auto", {"TERM": "xterm"}, {"colours": 16}, "braille"),
        ("auto", {"TERM": "xterm-kitty"}, {}, "kitty"),
        ("auto", {"TERM": "xterm-kitty"}, {"cell_known": False}, "quarters"),
        ("auto", {"TERM": "xterm-kitty"}, {"colours": 0}, "braille"),
        ("auto", {"TERM": "xterm-kitty", "TMUX": "/tmp/t,1,0"}, {}, "quarters"),
        ("auto", {"TERM": "screen.xterm-256color", "KITTY_WINDOW_ID": "1"}, {}, "quarters"),
        ("auto", {"TERM": "xterm-ghostty"}, {}, "kitty"),
        ("auto", {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, {}, "sixel"),
        ("auto", {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, {}, "sixel"),
        ("auto", {"TERM": "xterm-256color", "KONSOLE_VERSION": "230401"}, {}, "sixel"),
        ("auto", {"TERM": "xterm-256color", "KONSOLE_VERSION": "210401"}, {}, "quarters"),
        ("auto", {"TERM": "foot"}, {}, "sixel"),
        ("sixel", {"TERM": "tmux-256color", "TMUX": "x"}, {}, "sixel"),
        ("sixel", {}, {"cell_known": False, "colours": 256}, "halfcell"),
        ("halfcell", {"TERM": "xterm-kitty"}, {"colours": 16}, "halfcell"),
        ("quarters", {}, {"colours": 256}, "halfcell"),
        ("ascii", {"TERM": "xterm-kitty"}, {}, "ascii"),
    ],
)
def test_a_terminal_is_known_by_its_names(
    liked: str, environment: dict[str, str], more: dict[str, Any], chosen: str
) -> None:
    assert choose(liked, Terminal(environment, **{"cell_known": True, **more})) == chosen


@pytest.mark.parametrize(
    ("said", "cell"), [((24, 80, 640, 384), (8, 16)), ((24, 80, 0, 0), None), ((0, 0, 640, 384), None)]
)
def test_the_size_of_a_cell_is_what_the_kernel_was_told(
    monkeypatch: pytest.MonkeyPatch, said: tuple[int, int, int, int], cell: tuple[int, int] | None
) -> None:
    there, here = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", *said))
    with open(there, "rb"), open(here, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "__stdout__", terminal)
        assert terminal_pictures.cell_size() == cell
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    assert terminal_pictures.cell_size() is None


def test_textual_image_is_loaded_for_pixels_only() -> None:
    asked = "import sys, sslterm.tui.screens.pictures; print({'textual_image', 'PIL.Image'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "set()\n"
