"""An editor for a preset: TOML in colours, and what is wrong with a line said behind it.

    editor.mark({12: Remark("no such setting; did you mean lr?")}, changed={12, 13})

In the margin `✗` marks a line with a problem, `!` one with a note, `▎` one that differs from the shipped preset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widgets import TextArea

from sslterm.tui.reckoning.toml_look import KINDS, parts
from sslterm.tui.widgets.run_table.cells import fit, width

LEAST = 16
"""Cells that a sentence needs behind a line; where there are fewer the mark in the margin is all."""
MARGIN = 2
"""Cells between the numbers and the text: Textual leaves them blank."""


@dataclass(frozen=True)
class Remark:
    """What is said of a line."""

    text: str
    warning: bool = False

    @property
    def sign(self) -> str:
        """For the margin, and before the sentence."""
        return "!" if self.warning else "✗"


class PresetEditor(TextArea):
    """TOML, with remarks by line (from 1 on)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"preset-editor--{kind}" for kind in KINDS), "preset-editor--wrong", "preset-editor--note",
        "preset-editor--changed",
    }  # fmt: skip
    DEFAULT_CSS = """
    PresetEditor {
        height: 1fr; border: round $foreground 28%; padding: 0; background: $background;
        scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
        & > .preset-editor--comment { text-style: dim italic; }
        & > .preset-editor--table { color: $text-primary; text-style: bold; }
        & > .preset-editor--key { color: $foreground; }
        & > .preset-editor--text { color: $text-success; }
        & > .preset-editor--number, & > .preset-editor--word { color: $text-warning; }
        & > .preset-editor--wrong { color: $text-error; }
        & > .preset-editor--note { color: $text-warning; }
        & > .preset-editor--changed { color: $primary; }
        &:ansi { border: round ansi_bright_black; }
        &:focus { border: round $accent; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            "", id=id, soft_wrap=False, tab_behavior="focus", show_line_numbers=True, highlight_cursor_line=True
        )
        self.cursor_blink = False  # a still terminal sends nothing
        self._remarks: Mapping[int, Remark] = {}
        self._changed: Collection[int] = ()
        self._marked_lines = 0

    def mark(self, remarks: Mapping[int, Remark], changed: Collection[int] = ()) -> None:
        """Say this beside these lines, and that those are changed."""
        self._remarks, self._changed, self._marked_lines = remarks, changed, self.document.line_count
        self.refresh()

    def go_to(self, line: int) -> None:
        """Put the cursor to the first letter of a line, from 1 on."""
        text = self.document.get_line(min(line, self.document.line_count) - 1)
        self.move_cursor((line - 1, len(text) - len(text.lstrip())), center=True)

    def get_line(self, line_index: int) -> Text:
        """A line in its colours."""
        line = super().get_line(line_index)
        for part in parts(line.plain):
            line.stylize(self._look(part.kind), part.start, part.end)
        return line

    def render_line(self, y: int) -> Strip:
        """A line of the screen, with its mark in the margin and its remark at the end."""
        strip = super().render_line(y)
        number = self.scroll_offset.y + y + 1  # lines are never wrapped
        if self.document.line_count != self._marked_lines or number > self._marked_lines:
            return strip  # lines have moved since
        remark = self._remarks.get(number)
        if number in self._changed or remark:
            strip = self._with_mark(strip, remark)
        return self._with_remark(strip, number, remark) if remark else strip

    def _with_mark(self, strip: Strip, remark: Remark | None) -> Strip:
        look = ("note" if remark.warning else "wrong") if remark else "changed"
        at = self.gutter_width - MARGIN
        mark = Segment(f"{remark.sign if remark else '▎'} ", _style_at(strip, at) + self._look(look))
        return Strip.join([strip.crop(0, at), Strip([mark], MARGIN), strip.crop(at + MARGIN)])

    def _with_remark(self, strip: Strip, number: int, remark: Remark) -> Strip:
        written = cell_len(self.document.get_line(number - 1).expandtabs(self.indent_width))
        begin = max(self.gutter_width + written - self.scroll_offset.x, self.gutter_width) + 3
        seen = self.scrollable_content_region.width  # the strip is as wide as the longest line
        room = seen - begin
        if room < LEAST:
            return strip
        said = fit(f"{remark.sign} {remark.text}", width(f"{remark.sign} {remark.text}", room))
        end = begin + cell_len(said)
        ground = _style_at(strip, seen - 1)
        sentence = Segment(said, ground + self._look("note" if remark.warning else "wrong"))
        return Strip.join([strip.crop(0, begin), Strip([sentence], cell_len(said)), strip.crop(end)])

    def _look(self, part: str) -> Style:
        return self.get_component_rich_style(f"preset-editor--{part}", partial=True)


def _style_at(strip: Strip, cell: int) -> Style:
    """What is written upon a line keeps its ground: the cursor's line has another one."""
    return next((segment.style for segment in strip.crop(cell, cell + 1) if segment.style), Style())
