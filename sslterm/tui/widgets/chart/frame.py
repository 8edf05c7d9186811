"""What stands around the dots: the line of the title, the line of the x axis, labels of ticks and of lines' ends.

Everything here is cells of text with a look; nothing knows of colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from sslterm.tables import safe
from sslterm.tui.widgets.chart.look import AXIS, BLANK, FLAG, FRAME, TITLE, VALUE, Line, Look
from sslterm.tui.widgets.chart.request import Request


def cut(text: object, cells: int) -> str:
    """Text from outside, in one line of at most so many cells; what is longer ends with `…`."""
    plain = safe(text).replace("\n", " ")
    if cell_len(plain) <= cells:
        return plain
    return set_cell_size(plain, cells - 1).rstrip() + "…" if cells > 0 else ""


def title_line(asked: Request, flags: Sequence[tuple[str, Look]], values: Sequence[str]) -> Line:
    """`╭ train/loss  log y ──────── 2.61 ╮`: the first value that fits, the flags that fit; then the title is cut."""
    left, fill, right = ("+ ", "-", " +") if asked.plain else ("╭ ", "─", " ╮")
    room = asked.width - (4 if asked.framed else 0)
    whole = cell_len(cut(asked.title, room))
    value = cut(next((value for value in values if whole + cell_len(safe(value)) + 3 <= room), values[-1]), room)
    title = cut(asked.title, max(0, room - cell_len(value) - 3))
    shown: Line = [(title, TITLE)]
    rest = room - cell_len(title) - cell_len(value)
    for text, look in flags:
        if cell_len(text) + 5 <= rest:
            shown += [("  ", FLAG), (text, look)]
            rest -= cell_len(text) + 2
    if not asked.framed:
        return [*shown, (" " * rest, BLANK), (value, VALUE)]
    if not value:
        return [(left, FRAME), *shown, (" " + fill * rest + right[1:], FRAME)]
    return [(left, FRAME), *shown, (f" {fill * (rest - 2)} ", FRAME), (value, VALUE), (right, FRAME)]


def axis_line(asked: Request, labels: Sequence[tuple[int, str]]) -> Line:
    """`╰────0──────50──────100─── epoch ╯`: labels below their cells, as far as they do not touch one another."""
    begin, fill, end = ("+", "-", "+") if asked.plain else ("╰", "─", "╯")
    width = asked.width
    cells, looks = [begin, *fill * (width - 2), end], [FRAME] * width
    name = f" {asked.kind} "
    for start, text in [
        (width - 1 - len(name), name),
        *((min(max(cell - (len(text) - 1) // 2, 1), width - 1 - len(text)), text) for cell, text in labels),
    ]:
        after = start + len(text)
        if start >= 1 and all(look == FRAME for look in looks[start - 1 : after + 1]):
            cells[start:after], looks[start:after] = list(text), [AXIS] * len(text)
    return runs("".join(cells), looks)


def runs(text: str, looks: Sequence[Look]) -> Line:
    """Neighbours that look alike, together."""
    line: Line = []
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or looks[index] != looks[start]:
            line.append((text[start:index], looks[start]))
            start = index
    return line


def spread(wanted: Sequence[float], rows: int) -> list[int]:
    """A row for each label, near the one it wants, in the same order from top to bottom; they fit."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places: list[int] = []
    for index in order:
        places.append(max(int(wanted[index]), places[-1] + 1 if places else 0))
    for back, position in enumerate(reversed(range(len(places)))):
        places[position] = min(places[position], rows - 1 - back)
    found = [0] * len(wanted)
    for index, row in zip(order, places, strict=True):
        found[index] = row
    return found


def changed(old: Line, new: Line, width: int) -> tuple[int, int]:
    """Which cells of a line differ, as (from, before)."""
    start = _alike(old, new)
    end = width - _alike(
        [(text[::-1], look) for text, look in old[::-1]], [(text[::-1], look) for text, look in new[::-1]]
    )
    return (start, end) if start < end else (0, width)


def _alike(old: Line, new: Line) -> int:
    """How many cells two lines have in common from their beginning."""
    cells = 0
    for (letter, look), other in zip(_letters(old), _letters(new), strict=False):
        if (letter, look) != other:
            break
        cells += cell_len(letter)
    return cells


def _letters(line: Line) -> Iterator[tuple[str, Look]]:
    return ((letter, look) for text, look in line for letter in text)


def joined(line: Line) -> Line:
    """The same, with empty runs joined to the run before them: every run costs some forty bytes on its way."""
    found: Line = line[:1]
    for text, look in line[1:]:
        before, last = found[-1]
        if look == last or (text.isspace() and look.plain and last.plain):
            found[-1] = (before + text, last)
        else:
            found.append((text, look))
    return found
