"""The filter of the list of runs: it holds while it is typed. Settings are asked for beside the screen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from textual.message import Message
from textual.widgets import Input

from sslterm.runs import index
from sslterm.runs.filters import Filter, FilterError
from sslterm.tui.screens.room import Room

Row = dict[str, Any]
SHARE = 0.02
"""How much of the time may go into asking runs for their settings while the list changes."""
EVERY = 2.0
"""Seconds between two such questions, at least."""


class Matched(Message):
    """The paths of the runs that a filter means, or why it means none; `took` seconds."""

    def __init__(self, wanted: Filter, paths: set[str], problem: str, took: float) -> None:
        super().__init__()
        self.wanted, self.paths, self.problem, self.took = wanted, paths, problem, took


class Filtering(Room):
    """A screen of runs with an Input `#filter`; `show_rows` shows those that fit."""

    wanted = Filter("")
    _paths: set[str] | None = None
    """The runs whose settings fit, where settings are asked for; None: not known yet."""
    _asking = _stale = False

    def show_rows(self) -> None:
        """Show the runs that fit."""
        raise NotImplementedError

    def done_filtering(self) -> None:
        """The filter's line was closed."""
        raise NotImplementedError

    def fitting(self, rows: Sequence[Row]) -> list[Row]:
        """The runs that the filter means, as far as that is known."""
        if not self.wanted.settings:
            return [row for row in rows if self.wanted.fits(row)]
        self._ask()
        return [row for row in rows if self._paths is None or row["path"] in self._paths]

    def _ask(self) -> None:
        """Settings are files of their own: one question at a time, and once more where rows changed meanwhile."""
        if self._asking:
            self._stale = True
            return
        self._asking, self._stale, wanted = True, False, self.wanted
        self.run_worker(lambda: self._match(wanted), thread=True, group="filter", exit_on_error=False)

    def _match(self, wanted: Filter) -> None:
        began, paths, problem = time.monotonic(), set[str](), ""
        try:
            paths = {row["path"] for row in index.matching(self.house.place.runs_dir, wanted)}
        except (FilterError, OSError) as error:
            problem = str(error)
        self.post_from_thread(Matched(wanted, paths, problem, time.monotonic() - began))

    def on_matched(self, message: Matched) -> None:
        """Which runs have these settings."""
        if message.wanted is not self.wanted:
            self._rest(0.01)  # another filter was typed meanwhile
            return
        if message.problem and self._paths is None:
            self.tell(message.problem, "warning")
        before, self._paths, stale = self._paths, message.paths, self._stale
        if before != self._paths:
            self.show_rows()
        self._stale = stale  # what is shown now needs no question
        self._rest(max(EVERY, message.took / SHARE))

    def _rest(self, seconds: float) -> None:
        def rested() -> None:
            self._asking = False
            if self._stale:
                self.show_rows()

        self.set_timer(seconds, rested)

    # -------------------------------------------------------- typing

    def do_filter(self) -> None:
        """Type a filter."""
        field = self.query_one("#filter", Input)
        field.value = self.wanted.text
        field.add_class("open")
        field.focus()

    def use_filter(self, text: str) -> None:
        """Show what it means. Raises FilterError."""
        if text != self.wanted.text:
            self.wanted, self._paths = Filter(text), None
            self.show_rows()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A filter that is not whole yet leaves the list as it is."""
        try:
            self.use_filter(event.value)
        except FilterError:
            return

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, or say what is wrong with it."""
        try:
            self.use_filter(event.value)
        except FilterError as error:
            self.tell(str(error), "warning")
            return
        self.close_filter()

    def close_filter(self) -> None:
        """Put the line away; the filter holds."""
        self.query_one("#filter", Input).remove_class("open")
        self.done_filtering()
