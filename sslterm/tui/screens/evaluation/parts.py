"""The parts of the screen: all at once or a page at a time, which one has the keys, and what arrows do there."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.css.query import QueryType
from textual.widget import Widget
from textual.widgets import Static

from sslterm.tui.screens.evaluation import layout
from sslterm.tui.screens.room import House, Room
from sslterm.tui.widgets.answer_list import AnswerList
from sslterm.tui.widgets.chart import LineChart
from sslterm.tui.widgets.class_bars import ClassBars
from sslterm.tui.widgets.confusion import ConfusionMatrix
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.panel import Panel
from sslterm.tui.widgets.reliability import Reliability
from sslterm.tui.widgets.scores import Scores


class Parts(Room):
    """A screen of parts, of which one has the keys. tab and shift+tab go from part to part, so from page to page."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    Parts {
        #head { height: 1; padding: 0 1; background: $panel; }
        #question, #pages { height: 1; padding: 0 1; }
        #pages { display: none; }
        #head, #question, #pages, #words { text-wrap: nowrap; text-overflow: ellipsis; }
        #words { height: 2; padding: 0 2; }
        #empty { height: 1fr; padding: 1 2; content-align: center middle; text-align: center; display: none; }
        #body { height: 1fr; }
        AnswerList { width: 30; }
        #first, #rest, #more { width: 1fr; height: 1fr; layout: vertical; }
        Scores { height: 17; }
        &.-listed #question { display: none; }
        &.-pages #pages, &.-single #pages { display: block; }
        &.-pages #first, &.-pages #more { layout: horizontal; }
        &.-pages Scores { height: 1fr; width: 37; }
        &.-single Scores { height: 1fr; }
        &.-columns #more { layout: horizontal; height: 40%; }
        &.-empty #empty { display: block; }
        &.-empty #body, &.-empty #question, &.-empty #pages, &.-empty #words { display: none; }
    }
    """

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.layout_now = layout.layout(80, 24)
        self.part = "matrix"
        """The part that has the keys, or had them last."""

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="question")
        yield Static(id="pages")
        yield Static(id="empty")
        with Horizontal(id="body"):
            yield AnswerList(id="answers")
            with Container(id="first"):
                yield Scores(id="scores")
                yield ConfusionMatrix(id="matrix")
            with Container(id="rest"):
                yield ClassBars(id="classes")
                with Container(id="more"):
                    yield Reliability(id="reliability")
                    yield LineChart("top-1", kind="epoch", id="epochs")
        yield Static(id="words")
        yield KeyLine()

    def say_words(self) -> None:
        """Say what is under the cursor of the part that has the keys."""
        raise NotImplementedError

    # -------------------------------------------------------- what is seen together

    def on_resize(self, event: events.Resize) -> None:
        """There is other room."""
        self.layout_now = layout.layout(*event.size)
        if self.query("#body"):
            self.lay_out()

    def lay_out(self) -> None:
        """Show the parts of the page."""
        now = self.layout_now
        for name in layout.ALL:
            self.set_class(name == now.name, name)
        page = now.pages[now.page_of(self.part)]
        for part in layout.PARTS:
            self.query_one(f"#{part}").display = part in page
        for container, parts in layout.CONTAINERS.items():
            self.query_one(f"#{container}").display = not parts.isdisjoint(page)
        self.query_one("#answers").display = now.answers
        self.set_class(now.answers, "-listed")
        self._say_pages()
        if self.focused is not None and not self.focused.display:
            self.go_to_part(self.part)

    def _say_pages(self) -> None:
        now = self.layout_now
        line = Text()
        for place, parts in enumerate(now.pages):
            line.append(f" {layout.title(parts)} ", "reverse" if place == now.page_of(self.part) else "")
            line.append(" ")
        line.append(" tab: next part", "dim")
        self.query_one("#pages", Static).update(line)

    # -------------------------------------------------------- which part has the keys

    def go_to_part(self, part: str) -> None:
        """Give a part the keys, and show its page."""
        now = self.layout_now
        if part in layout.PARTS:
            turned = now.page_of(part) != now.page_of(self.part)
            self.part = part
            if turned:
                self.lay_out()
        self.query_one(f"#{part}").focus()

    def do_next(self) -> None:
        """The next part."""
        self._step(+1)

    def focus_next(self, selector: str | type[QueryType] = "*") -> Widget | None:
        """What tab does."""
        self._step(+1)
        return self.focused

    def focus_previous(self, selector: str | type[QueryType] = "*") -> Widget | None:
        """What shift+tab does."""
        self._step(-1)
        return self.focused

    def _step(self, by: int) -> None:
        if self.has_class("-empty"):
            return
        order = [*(["answers"] if self.layout_now.answers else []), *layout.PARTS]
        here = self.focused.id if self.focused and self.focused.id in order else self.part
        self.go_to_part(order[(order.index(here or self.part) + by) % len(order)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Also where the mouse did it."""
        if event.widget.id in layout.PARTS:
            self.part = event.widget.id or self.part
            self.say_words()

    # -------------------------------------------------------- what arrows do there

    def _move(self, columns: int, rows: int) -> None:
        if isinstance(self.focused, Panel):
            self.focused.move(columns, rows)
        elif isinstance(self.focused, LineChart) and columns:
            self.focused.move_crosshair(columns)

    def do_left(self) -> None:
        """A cell to the left."""
        self._move(-1, 0)

    def do_right(self) -> None:
        """A cell to the right."""
        self._move(1, 0)

    def do_up(self) -> None:
        """A line up."""
        self._move(0, -1)

    def do_down(self) -> None:
        """A line down."""
        self._move(0, 1)

    def do_page_up(self) -> None:
        """By what is seen."""
        if isinstance(self.focused, Panel):
            self.focused.page(-1)

    def do_page_down(self) -> None:
        """By what is seen."""
        if isinstance(self.focused, Panel):
            self.focused.page(1)

    def do_first(self) -> None:
        """To the beginning."""
        if isinstance(self.focused, Panel):
            self.focused.first()

    def do_last(self) -> None:
        """To the end."""
        if isinstance(self.focused, Panel):
            self.focused.last()
