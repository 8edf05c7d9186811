"""What each side of a comparison reached, beside the baseline's: in as many bands of columns as the width asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from sslterm.tui.reckoning import side_by_side
from sslterm.tui.reckoning.side_by_side import Difference, Metric, Reached, Side
from sslterm.tui.widgets.run_table.cells import fit, width
from sslterm.tui.widgets.state_label import TONES, label

Cell = tuple[str, str]
"""A text and its tone."""

GLYPHS = {"better": "▲", "worse": "▼", "alike": "≈", "": " "}
PIN = "◆"
GAP = 3
"""Blanks between two metrics."""
NAME, LEAST, PAPER = 30, 8, 200
"""Cells for a name, at most and at least, and for the whole where it is copied."""
WIDE = 66
"""Cells from which all glyphs are explained in one line."""


class VerdictTable(Widget):
    """`show` it the sides and what they are compared by."""

    DEFAULT_CSS = """
    VerdictTable {
        height: auto; width: 1fr;
        & > .verdict--title { text-style: bold; }
        & > .verdict--head { color: $foreground 60%; }
        & > .verdict--better { color: $text-success; text-style: bold; }
        & > .verdict--worse { color: $text-error; }
        & > .verdict--alike { color: $foreground 60%; }
        & > .verdict--pin { color: $text-primary; text-style: bold; }
        & > .verdict--working { color: $text-success; }
        & > .verdict--waiting { color: $text-warning; }
        & > .verdict--trouble { color: $text-error; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"verdict--{tone}" for tone in (
            "title", "head", "better", "worse", "alike", "pin", "working", "waiting", "trouble",
        )
    }  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sides: Sequence[Side] = ()
        self._metrics: Sequence[Metric] = ()

    def show(self, sides: Sequence[Side], metrics: Sequence[Metric]) -> None:
        """Compare these."""
        before, count = self._lines(), len(self._sides)
        self._sides, self._metrics = sides, metrics
        after = self._lines()
        if before != after or count != len(sides):
            self.refresh(layout=len(before) != len(after))

    def plain(self) -> str:
        """The same as text, for other programs."""
        drawn = lines(self._sides, self._metrics, PAPER)
        return "\n".join("".join(text for text, _ in line).rstrip() for line in drawn)

    def render(self) -> Text:
        """All bands, one beneath the other."""
        drawn = [Text.assemble(*((text, self._style(tone)) for text, tone in line)) for line in self._lines()]
        return Text("\n", no_wrap=True, overflow="crop").join(drawn)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are."""
        return len(lines(self._sides, self._metrics, width))

    def _lines(self) -> list[list[Cell]]:
        return lines(self._sides, self._metrics, self.content_size.width)

    def _style(self, tone: str) -> Style:
        known = f"verdict--{tone}" in self.COMPONENT_CLASSES
        return self.get_component_rich_style(f"verdict--{tone}", partial=True) if known else Style()


def lines(sides: Sequence[Side], metrics: Sequence[Metric], room: int) -> list[list[Cell]]:
    """The table in lines of cells: names at the left of each band, states in the first."""
    if not sides:
        return []
    blocks, states = [_block(sides, metric) for metric in metrics], [_state(side) for side in sides]
    spare = room - max(map(_wide, blocks), default=0) - GAP - len(PIN) - 1
    wide = max(len(text) for text, _ in states) + 2
    wide = wide if spare - wide >= LEAST else 0
    name = max(width(side.name, max(min(NAME, spare - wide), LEAST)) for side in sides)
    first = [[*_lead(side, name), (f"  {text}".ljust(wide)[:wide], tone)]
             for side, (text, tone) in zip(sides, states, strict=True)]  # fmt: skip
    found: list[list[Cell]] = []
    while blocks or not found:
        lead = [_lead(side, name) for side in sides] if found else first
        taken: list[list[list[Cell]]] = []
        used = sum(len(text) for text, _ in lead[0])
        while blocks and (not taken or used + GAP + _wide(blocks[0]) <= room):
            used += GAP + _wide(blocks[0])
            taken.append(blocks.pop(0))
        found += [] if not found else [[]]
        found += _band(lead, taken)
    return [*found, [], *_legend(sides, room)]


def _band(lead: Sequence[list[Cell]], blocks: Sequence[list[list[Cell]]]) -> list[list[Cell]]:
    """Two lines of heads, and a line a side."""
    blank: list[Cell] = [(" " * sum(len(text) for text, _ in lead[0]), "")]
    band = []
    for place, left in enumerate([blank, blank, *lead]):
        band.append([*left, *(cell for block in blocks for cell in [(" " * GAP, ""), *block[place]])])
    return band


def _lead(side: Side, name: int) -> list[Cell]:
    return [(f"{PIN} " if side.baseline else "  ", "pin"), (fit(side.name, name, both_ends=True), "")]


def _state(side: Side) -> Cell:
    row = side.row
    return f"{label(row['state'])} {row.get('state_of', '')}".rstrip(), TONES.get(row["state"], "trouble")


def _block(sides: Sequence[Side], metric: Metric) -> list[list[Cell]]:
    """One metric's columns: last, best, and how far the best is from the baseline's."""
    columns = [_column("best", [_reached(side_by_side.best(side, metric)) for side in sides])]
    if metric.test is None:
        columns.insert(0, _column("last", [_reached(side_by_side.last(side, metric)) for side in sides]))
    else:
        columns[0] = _column("", [_reached(side_by_side.best(side, metric)) for side in sides])
    base = next(side for side in sides if side.baseline)
    columns.append(_column(f"vs {PIN}", [_told(side_by_side.difference(side, base, metric)) for side in sides]))
    rows = [
        [cell for column in columns for cell in (column[place], ("  ", ""))][:-1] for place in range(len(sides) + 1)
    ]
    wide = max(sum(len(text) for text, _ in rows[0]), len(metric.title))
    rows = [[*row, (" " * (wide - sum(len(text) for text, _ in row)), "")] for row in rows]
    return [[(metric.title.ljust(wide), "title")], *rows]


def _column(head: str, cells: Sequence[Cell]) -> list[Cell]:
    wide = max(len(head), *(len(text) for text, _ in cells))
    return [(head.rjust(wide), "head"), *((text.rjust(wide), tone) for text, tone in cells)]


def _wide(block: Sequence[Sequence[Cell]]) -> int:
    return len(block[0][0][0])


def _reached(found: Reached | None) -> Cell:
    if found is None:
        return "–", "head"
    return precise(found.value) + ("" if found.spread is None else f"±{precise(found.spread)}"), ""


def _told(found: Difference | None) -> Cell:
    if found is None:
        return "", ""
    return f"{GLYPHS[found.means]} {precise(found.value, '+')}", found.means


def _legend(sides: Sequence[Side], room: int) -> list[list[Cell]]:
    """What the glyphs mean."""
    signs = [(PIN, "pin"), (" baseline   ", "head"), ("▲", "better"), (" better   ", "head"), ("▼", "worse")]
    words: list[list[Cell]] = [[*signs, (" worse", "head")]]
    if any(side.several for side in sides):
        words.append([("± std over seeds   ≈ within it", "head")])
    return [[*words[0], ("   ", ""), *words[1]]] if len(words) > 1 and room >= WIDE else words


def precise(value: float, sign: str = "") -> str:
    """Four digits, so that what augmentation gains is seen: `.8512`, `+.0071`, `2.614`."""
    if abs(value) >= 1:
        return f"{value:{sign}#.4g}".rstrip(".")
    return f"{value:{sign}.4f}".replace("0.", ".", 1)
