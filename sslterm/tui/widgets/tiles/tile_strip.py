"""TileStrip: a few images in a few lines, each with its views beneath each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from sslterm.tables import safe
from sslterm.tui.widgets.tiles.answer import PictureError, Row, answer_of, rows_of
from sslterm.tui.widgets.tiles.drawn import Drawn
from sslterm.tui.widgets.tiles.layout import GAP, Line, Plan, Said, cut, wrapped
from sslterm.tui.widgets.tiles.painting import COMPONENTS, CSS, Painting, hand
from sslterm.tui.widgets.tiles.sheet import open_sheet

if TYPE_CHECKING:
    from PIL.Image import Image

DEEP = 2
"""Views of an image that are shown, of methods that make many."""
SAID = 3
"""Lines that a sentence may take."""
LEAST = 10
"""Cells that an image needs at least: fewer images are shown rather than narrower ones."""


class TileStrip(Widget, can_focus=False):
    """As high as what it shows: nothing, a sentence, images."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = f"""
    TileStrip {{
        width: 1fr; height: auto;
        {CSS}
    }}
    """

    class Opened(Message):
        """A thread has read a sheet, or says why not."""

        def __init__(self, number: int, rows: tuple[Row, ...], sheet: Image | None, problem: str = "") -> None:
            super().__init__()
            self.number, self.rows, self.sheet, self.problem = number, rows, sheet, problem

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._said = ""
        self._asked = 0
        self._rows: tuple[Row, ...] = ()
        self._sheet: Image | None = None
        self._painting: Painting | None = None

    # -------------------------------------------------------- what is shown

    def say(self, text: str) -> None:
        """A sentence above the images, which keep standing; nothing takes it away."""
        self._said = safe(text)
        self.refresh(layout=True)

    def show(self, rows: Sequence[Mapping[str, Any]], sheet: Path) -> None:
        """The rows of an answer and their sheet, which is read beside the screen."""
        self._open(lambda: (rows_of(rows), sheet))

    def answer(self, out: str, within: Path) -> None:
        """The same from what `sslterm pictures --json` printed; its sheet must lie in `within`."""

        def read() -> tuple[tuple[Row, ...], Path]:
            said = answer_of(out, within)
            return said.rows, said.sheet

        self._open(read)

    def clear(self) -> None:
        """Show nothing, and forget what is being read."""
        self._asked += 1
        self._take((), None)
        self.say("")

    def _open(self, read: Any) -> None:
        self._asked += 1
        number = self._asked

        def work() -> None:
            try:
                rows, path = read()
                self.post_message(self.Opened(number, rows, open_sheet(path, rows)))
            except PictureError as error:
                self.post_message(self.Opened(number, (), None, str(error)))
            except (ValueError, KeyError, TypeError) as error:
                self.post_message(self.Opened(number, (), None, f"these are no tiles ({error})"))

        self.run_worker(work, thread=True, exit_on_error=False)

    def on_tile_strip_opened(self, message: Opened) -> None:
        """Show it, unless something else was asked for meanwhile."""
        message.stop()
        if message.number != self._asked:
            return
        if message.sheet is not None:
            self._take(message.rows, message.sheet)
        self.say(message.problem)

    def _take(self, rows: tuple[Row, ...], sheet: Image | None) -> None:
        self._forget()
        self._rows, self._sheet = rows, sheet

    def _forget(self) -> None:
        if self._painting is not None:
            self._painting.drawn.forget()
        self._painting = None

    # -------------------------------------------------------- drawing

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for what is said, and what the images need."""
        said = len(self._words(width))
        return said + columns(self._rows, width, self._room(viewport.height, said)).tall

    def _words(self, width: int) -> list[str]:
        return wrapped(self._said, width, SAID) if self._said else []

    def _room(self, height: int, said: int) -> int:
        """Lines that the images may take."""
        limit = self.styles.max_height
        most = int(limit.value) if limit is not None and limit.is_cells else height
        return min(most - said, max(12, height * 2 // 5))

    def on_unmount(self) -> None:
        """The terminal need not keep pictures any longer."""
        self._forget()

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        if self._painting is not None and self._painting.drawn.hand != hand(self, with_sixels=False):
            self._forget()
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of text."""
        width = self.size.width
        words = self._words(width)
        if y < len(words):
            style = self.get_component_rich_style("tiles--beneath")
            return Strip([Segment(words[y], style)]).adjust_cell_length(width, self.rich_style)
        painting = self._painted(width, len(words))
        if painting is None or y - len(words) >= painting.plan.tall:
            return Strip.blank(width, self.rich_style)
        return painting.line(y - len(words), width, self)

    def _painted(self, width: int, said: int) -> Painting | None:
        if self._sheet is None:
            return None
        if self._painting is None:
            self._painting = Painting(Plan(2, 1), Drawn(self._sheet, hand(self, with_sixels=False), self._write))
        laid = columns(self._rows, width, self._room(self.screen.size.height, said))
        if laid != self._painting.plan:
            self._painting.drawn.forget()
            self._painting.plan = laid
        return self._painting

    def _write(self, text: str) -> None:
        driver: Any = self.app._driver
        if driver is not None and text:
            driver.write(text)


def columns(rows: Sequence[Row], width: int, height: int) -> Plan:
    """Each row as a column: its caption, and its views beneath each other, without the original before them."""
    views = [row.tiles[1 : 1 + DEEP] or row.tiles for row in rows if row.tiles]
    if not views or width < 2 or height < 3:
        return Plan(2, 1)
    deep = max(map(len, views))
    high = max(1, (height - deep) // deep)
    count = max(1, min(len(views), (width + GAP) // (LEAST + GAP)))
    size = max(2, min((width + GAP) // count - GAP, 2 * high, 32) // 2 * 2)
    places = [number * (size + GAP) for number in range(min(len(views), (width + GAP) // (size + GAP)))]
    lines: list[Line] = []
    top = 0
    for number in range(deep):
        above = tuple(Said(x, size, _short(row.caption, size)) for x, row in zip(places, rows, strict=False))
        above = () if number else above
        tiles = tuple((x, view[number]) for x, view in zip(places, views, strict=False) if number < len(view))
        lines.append(Line(top, above, tiles, (), bool(above) + size // 2 + 1))
        top += lines[-1].height
    return Plan(size, size // 2, tuple(lines))


def _short(caption: str, width: int) -> str:
    """`star`, where there is no room for `star · image 4024`."""
    return cut(caption if cell_len(caption) <= width else caption.split(" · ")[0], width)
