"""Text for one cell of a table: whatever a file says, it takes exactly the room that it is given."""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size

from sslterm.tables import safe

SELECTORS = {0xFE0E: None, 0xFE0F: None, **dict.fromkeys(range(0x1F3FB, 0x1F400))}
"""Characters that change how the one before looks; terminals disagree about how wide that makes it."""
PILED = 2
"""Accents on one letter; more of them paint over the lines above and below."""


def clean(text: str, most: int) -> str:
    """One line without control characters; of a text that is much too long the beginning and the end, no less wide
    than `most`."""
    if len(text) > 8 * most:  # 2,000 letters are not looked at one by one
        text = text[: 4 * most] + text[-4 * most :]
    if text.isascii() and text.isprintable():
        return text
    text = safe(text.replace("\n", " ").replace("\t", " ")).translate(SELECTORS)
    return text if len(text) == cell_len(text) else _sparing(text)


def _sparing(text: str) -> str:
    """The same with few accents on each letter, and none without a letter."""
    kept: list[str] = []
    piled = PILED
    for character in text:
        piled = 0 if get_character_cell_size(character) else piled + 1
        if piled <= PILED:
            kept.append(character)
    return "".join(kept)


def width(text: str, most: int) -> int:
    """How many cells a text takes, `most` at most."""
    if text.isascii() and text.isprintable():
        return min(most, len(text))
    return min(most, cell_len(clean(text, most)))


def fit(text: str, room: int, right: bool = False, both_ends: bool = False) -> str:
    """The text in exactly `room` cells: padded, or cut with an ellipsis, at its end or in its middle."""
    whole = clean(text, max(room, 1))
    taken = cell_len(whole)
    if taken > room:
        end = _cut(whole[::-1], (room - 1) // 2)[::-1] if both_ends else ""
        whole = _cut(whole, room - 1 - cell_len(end)) + "…" + end if room > 0 else ""
        taken = cell_len(whole)
    blank = " " * (room - taken)
    return blank + whole if right else whole + blank


def _cut(text: str, room: int) -> str:
    """As much of the beginning as has room; a character of two cells is never halved."""
    if text.isascii():
        return text[:room]
    taken = 0
    for place, character in enumerate(text):
        taken += get_character_cell_size(character)
        if taken > room:
            return text[:place]
    return text
