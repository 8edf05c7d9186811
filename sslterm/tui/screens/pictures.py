"""Pictures: what images look like to a preset, what a run took them for, and which ones look alike to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sslterm.tables import duration, safe
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.room import House, Room
from sslterm.tui.widgets.key_line import KeyLine
from sslterm.tui.widgets.tiles import Answer, PictureError, Tiles, answer_of, open_sheet
from sslterm.tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = {
    "views": ("v", "makes the views"),
    "mistakes": ("m", "looks for mistakes"),
    "neighbours": ("n", "looks for neighbours"),
    "painted": ("p", "looks for what was painted"),
}
"""Each with its key, and what is being done while it is made."""
OF_A_RUN = ("mistakes", "neighbours", "painted")
WITH_CHECKPOINT = ("mistakes", "neighbours")
NOT_FOUND = 3
"""The exit code of a command that has nothing to look at."""


@dataclass
class Page:
    """One kind of pictures, as far as it got."""

    options: tuple[str, ...] = ()
    answer: Answer | None = None
    sheet: Image | None = field(default=None, repr=False)
    began: float | None = None
    """When the command was started that is at work on it."""
    problem: str = ""


class Opened(Message):
    """A thread has read an answer and its sheet, or says why not."""

    def __init__(self, kind: str, answer: Answer | None, sheet: Image | None, problem: str = "") -> None:
        super().__init__()
        self.kind, self.answer, self.sheet, self.problem = kind, answer, sheet, problem


class PicturesScreen(Room):
    """Images as the preset augments them (v), images that the run took for something else (m), images that look alike
    to its encoder (n), and what its method painted while it learned (p). `r` makes them anew."""

    name_in_registry: ClassVar[str] = "pictures"
    CSS = """
    PicturesScreen #kinds { background: $background; color: $text-muted; padding: 0; }
    PicturesScreen #says { height: auto; max-height: 5; padding: 0 1; display: none; }
    PicturesScreen #says.on { display: block; }
    PicturesScreen #says.wrong { color: $text-error; }
    PicturesScreen Tiles { margin: 1 0 0 1; }
    PicturesScreen.-short Tiles { margin: 0 0 0 1; }
    """

    def __init__(self, house: House, of: Path, kind: str = "views", options: tuple[str, ...] = ()) -> None:
        super().__init__(house)
        self.of, self.kind, self.options = of, kind, options
        self.is_preset = of.suffix == ".toml" and of.parent != house.place.runs_dir
        self.pages = {name: Page(self._options(name)) for name in KINDS}
        self._place = ""

    def _options(self, kind: str) -> tuple[str, ...]:
        """Those that were given for a kind; a checkpoint is meant for all that look at one."""
        if kind == self.kind or kind not in WITH_CHECKPOINT or "--checkpoint" not in self.options:
            return self.options if kind == self.kind else ()
        place = self.options.index("--checkpoint")
        return self.options[place : place + 2]

    def compose(self) -> ComposeResult:
        yield TopLine(id="top")
        yield TopLine(id="kinds")
        yield Static(id="says", markup=False)
        yield Tiles()
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self._turn(self.kind)

    # -------------------------------------------------------- what is asked for

    def _turn(self, kind: str) -> None:
        """Show a kind of pictures; have them made if they never were."""
        self.kind = kind
        page = self.pages[kind]
        if page.answer is None and page.began is None:
            self._ask()
        self._show_tiles()
        self._say()

    def _ask(self) -> None:
        page = self.pages[self.kind]
        page.began, page.problem = time.monotonic(), ""
        data = self.kind != "painted"  # which is all in the run
        self.command("pictures", "pictures", self.kind, str(self.of), *page.options, "--json", data=data)

    def command_ended(self, message: CommandEnded) -> None:
        """The command has made its sheet, or says why not."""
        if message.title != "pictures":
            super().command_ended(message)
            return
        kind = message.arguments[1]
        if message.code:
            self.post_message(Opened(kind, None, None, _advice(kind, message)))
        else:
            self.run_worker(self._reader(kind, message.out), thread=True, exit_on_error=False)

    def _reader(self, kind: str, out: str) -> Callable[[], None]:
        def read() -> None:
            try:
                answer = answer_of(out, self.house.place.runs_dir)
                opened = Opened(kind, answer, open_sheet(answer.sheet, answer.rows))
            except PictureError as error:
                opened = Opened(kind, None, None, str(error))
            self.post_from_thread(opened)

        return read

    def on_opened(self, message: Opened) -> None:
        """There are new pictures, or none; then the old ones keep standing."""
        page = self.pages[message.kind]
        page.began, page.problem = None, message.problem
        if message.answer is not None:
            page.answer, page.sheet = message.answer, message.sheet
            if message.kind == self.kind:
                self._show_tiles()
        self._say()

    # -------------------------------------------------------- what is seen

    def _show_tiles(self) -> None:
        page = self.pages[self.kind]
        rows = page.answer.rows if page.answer else ()
        self._place = ""
        self.query_one(Tiles).show(rows, page.sheet, flowing=self.kind == "mistakes")

    def on_tiles_seen(self, message: Tiles.Seen) -> None:
        """Others are in sight."""
        seen = f"{message.first}–{message.last}" if message.last > message.first else f"{message.first}"
        self._place = f"{seen} of {message.of}" if message.of else ""
        self._head()

    def _tick(self) -> None:
        if self.pages[self.kind].began is not None:
            self._say()

    def _say(self) -> None:
        """What is being done, or why it could not be."""
        page = self.pages[self.kind]
        text = f"✗ {page.problem}" if page.problem else ""
        if not page.problem and page.answer is not None and not any(row.tiles for row in page.answer.rows):
            text = "there are none"
        says = self.query_one("#says", Static)
        says.set_class(bool(text), "on")
        says.set_class(bool(page.problem), "wrong")
        says.update(Content(safe(text)))
        self._head()

    def _head(self) -> None:
        name = safe(self.of.stem if self.is_preset else self.of.name)
        page = self.pages[self.kind]
        parts = page.answer.title.split(" · ") if page.answer is not None else []
        titles = [" · ".join(parts[start:]) for start in range(len(parts))]
        left = [Content.assemble((name, "bold"), f"  {title}") for title in titles]
        left += [*map(Content, titles), Content.styled(name, "bold")]
        self.query_one("#top", TopLine).show(left, [self._place])
        kinds = Content(" ").join(
            Content.styled(f" {key} {kind} ", "reverse" if kind == self.kind else "")
            for kind, (key, _) in KINDS.items()
        )
        self.query_one("#kinds", TopLine).show([kinds], self._progress(page))

    def _progress(self, page: Page) -> list[str]:
        if page.began is None:
            return []
        for_so_long = duration(time.monotonic() - page.began)
        return [f"… {KINDS[self.kind][1]}, {for_so_long} ", f"… {for_so_long} "]

    # -------------------------------------------------------- doing

    def why_not(self, name: str) -> str | None:
        """Presets make no mistakes; and once at a time is enough."""
        if name in OF_A_RUN and self.is_preset:
            return "needs a run that was trained; a preset alone knows only views"
        if name == "again" and self.pages[self.kind].began is not None:
            return "they are being made just now"
        return super().why_not(name)

    def do_views(self) -> None:
        """As the preset augments them."""
        self._turn("views")

    def do_mistakes(self) -> None:
        """Taken for something else."""
        self._turn("mistakes")

    def do_neighbours(self) -> None:
        """Alike to the encoder."""
        self._turn("neighbours")

    def do_painted(self) -> None:
        """Painted while it learned."""
        self._turn("painted")

    def do_again(self) -> None:
        """Make them anew."""
        self._ask()
        self._say()

    def do_down(self) -> None:
        """The next line of tiles."""
        self.query_one(Tiles).move(1)

    def do_up(self) -> None:
        """The line before."""
        self.query_one(Tiles).move(-1)

    def do_page_down(self) -> None:
        """As many as are in sight."""
        self.query_one(Tiles).page(1)

    def do_page_up(self) -> None:
        """The same, back."""
        self.query_one(Tiles).page(-1)

    def do_first(self) -> None:
        """The first line."""
        self.query_one(Tiles).first()

    def do_last(self) -> None:
        """The last line."""
        self.query_one(Tiles).last()


def _advice(kind: str, message: CommandEnded) -> str:
    """A command's last words, and how to do here what it says."""
    if message.code == NOT_FOUND and kind == "mistakes" and "sslterm eval" in message.sentence:
        return f"{message.sentence}\nhere: esc goes back to the run, e evaluates it, r on this screen looks again"
    return message.sentence
