"""A run in small: state and why, how far, what to do next, its main curves, its health; of a group mean and spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from sslterm.tui.looking.close_look import Points, Small
from sslterm.tui.widgets import in_words
from sslterm.tui.widgets.chart import LineChart, Palette, Series, mean_and_band
from sslterm.tui.widgets.in_words import Row


class Preview(Vertical):
    """What the list shows of the run, or the group, under the cursor."""

    DEFAULT_CSS = """
    Preview {
        padding: 0 1; border-left: vkey $panel;
        & > #about { height: auto; max-height: 50%; overflow: hidden; margin-bottom: 1; }
        & > #figures { height: auto; max-height: 8; overflow: hidden; }
        & > LineChart { height: 1fr; min-height: 4; max-height: 13; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Row] = ()
        self._small = Small(())
        self._palette = Palette()

    def compose(self) -> ComposeResult:
        yield Static(id="about", markup=False)
        yield LineChart(kind="epoch", palette=self._palette, id="loss")
        yield LineChart(kind="epoch", palette=self._palette, id="score")
        yield Static(id="figures", markup=False)

    def show(self, rows: Sequence[Row]) -> None:
        """Show a run, the runs of a group, or none. Curves follow as soon as they were read (`show_curves`)."""
        self._rows = rows
        self._write()
        if not rows:
            self.show_curves(Small(()))

    def show_curves(self, small: Small) -> None:
        """Draw what was read, unless the cursor has moved on."""
        if small.paths != tuple(row["path"] for row in self._rows[: max(len(small.paths), 1)]):
            return
        self._small = small
        self._draw("#loss", small.loss_name, small.loss)
        self._draw("#score", small.score_name, small.score)
        self._write()

    def on_resize(self) -> None:
        """Names have more room, or less."""
        self._write()

    def _write(self) -> None:
        rows, width = self._rows, self.content_size.width
        small = self._small if rows and rows[0]["path"] in self._small.paths else Small(())
        if not rows:
            about, figures = Content(""), Content("")
        elif len(rows) == 1:
            about, figures = in_words.run(rows[0], small.alarm, width), in_words.figures(rows[0], small)
        else:
            about, figures = in_words.group(rows, width), in_words.members(rows, width)
        self.query_one("#about", Static).update(about)
        self.query_one("#figures", Static).update(figures)

    def _draw(self, which: str, name: str, points: Points) -> None:
        chart = self.query_one(which, LineChart)
        chart.display = bool(points)
        lines = [Series(run, x, y) for run, (x, y) in points.items()]
        if len(lines) > 1:
            with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all bounds has no band
                mean, band = mean_and_band(f"mean ± std of {len(lines)}", lines)
            chart.title = f"{name}  mean ± std ×{len(lines)}"
            chart.show([mean], [band])
        else:
            chart.title = name
            chart.show(lines)
