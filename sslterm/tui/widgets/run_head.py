"""The head of a run's screen: its name and state, how far it is, what it takes, why it is so and what to do next.

Two lines while all is well, a third where there is something to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from sslterm.runs.state import ALIVE
from sslterm.tables import WORDS, duration, safe
from sslterm.tui.looking.usage import Usage
from sslterm.tui.widgets.progress_line import ProgressLine
from sslterm.tui.widgets.run_table.cells import fit, width
from sslterm.tui.widgets.state_label import StateLabel, label

Row = Mapping[str, Any]
TRAINING = ALIVE - {"queued", "starting"}
"""States in which figures of speed are those of now."""
LEAST_BAR, LEAST_NAME = 8, 16
"""Cells below which a bar says nothing, and below which no name is cut."""
GIB, MIB = 1 << 30, 1 << 20


class RunHead(Vertical):
    """`show` it a run's summary, its heartbeat, and what its trainer takes."""

    DEFAULT_CSS = """
    RunHead {
        height: auto; max-height: 3; padding: 0 1; background: $panel;
        & Horizontal { height: 1; }
        & Static { width: auto; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #head-name { text-style: bold; }
        & #head-place { padding: 0 0 0 3; }
        & ProgressLine { margin: 0 1; }
        & #head-facts { width: 1fr; color: $text-muted; }
        & #head-why { width: 1fr; color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._row: Row | None = None
        self._beat: Row = {}
        self._usage = Usage()
        self._said: dict[str, str | Content] = {}

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(id="head-name", markup=False)
            yield StateLabel(id="head-state")
            yield Static(id="head-place", markup=False)
            yield ProgressLine(id="head-bar")
            yield Static(id="head-left", markup=False)
        yield Static(id="head-facts", markup=False)
        yield Static(id="head-why", markup=False)

    def show(self, row: Row, beat: Row) -> None:
        """A run, as it is now."""
        self._row, self._beat = row, beat
        self._draw()

    def show_usage(self, usage: Usage) -> None:
        """What its trainer takes."""
        self._usage = usage
        self._draw()

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._draw()

    def _draw(self) -> None:
        row, room = self._row, self.content_size.width
        if row is None or room < 1:
            return
        where, left, share = place(row, self._beat), remaining(row), progress(row, self._beat)
        others = 2 + cell_len(label(row["state"])) + 3 + cell_len(where) + 2 + cell_len(left)
        for_name = max(room - others - (LEAST_BAR if share is not None else 0), LEAST_NAME)
        name = fit(row["name"], width(row["name"], for_name), both_ends=True)
        self._say("name", name + "  ")
        self.query_one(StateLabel).show(row["state"])
        self._say("place", where)
        bar = self.query_one(ProgressLine)
        bar.display = share is not None and room - cell_len(name) - others >= LEAST_BAR
        bar.show(share or 0.0)
        self._say("left", left if bar.display else f"  {left}" if left else "")
        self._say("facts", fitting(facts(row, self._usage), room))
        why = Content(safe(reason(row)))
        self.query_one("#head-why").display = bool(why.plain)
        self._say("why", why)

    def _say(self, part: str, text: str | Content) -> None:
        """Only what is new is drawn again."""
        if self._said.get(part) != text:
            self._said[part] = text
            self.query_one(f"#head-{part}", Static).update(text)


# ---------------------------------------------------------------- in words


def place(row: Row, beat: Row) -> str:
    """`pretrain 1/2 · epoch 118/200`, or what it prepares."""
    if row["state"] == "starting":
        return safe(f"prepares {beat['title']}") if isinstance(beat.get("title"), str) else ""
    if not row["stage"]:
        return ""
    stages = [stage["name"] for stage in row["stages"]]
    number = f" {stages.index(row['stage']) + 1}/{len(stages)}" if row["stage"] in stages and len(stages) > 1 else ""
    total = f"/{row['epochs']}" if row["epochs"] is not None else ""
    return safe(f"{row['stage']}{number} · epoch {row['epoch'] or 0}{total}")


def progress(row: Row, beat: Row) -> float | None:
    """How much of the stage is trained, steps of this epoch among it; or how much of its data is prepared."""
    if row["state"] == "starting":
        return _share(beat.get("done"), beat.get("total"))
    whole = _share(row["epoch"], row["epochs"])
    if whole is None or row["state"] not in ALIVE:
        return whole
    inside = _share(beat.get("step"), beat.get("steps")) or 0.0
    return min(whole + inside / row["epochs"], 1.0) if beat.get("stage") == row["stage"] else whole


def _share(done: Any, total: Any) -> float | None:
    known = isinstance(done, int | float) and isinstance(total, int | float) and total > 0
    return done / total if known else None


def remaining(row: Row) -> str:
    """`6m left`; `≥6m left`, where other stages follow this one."""
    if row["state"] not in TRAINING or not isinstance(row["left"], int | float):
        return ""
    several = len(row["stages"]) > 1 and row["left_of"] == "stage"
    return f"{'≥' if several else ''}{duration(row['left'])} left"


def facts(row: Row, usage: Usage) -> list[str]:
    """What is good to know of it, the most wanted first."""
    trains, speed = row["state"] in TRAINING, row["images_per_second"]
    found = [_best(row)]
    found += [f"{speed:,.0f} images/s"] if isinstance(speed, int | float) and trains else []
    found += [str(row["device"])] if row["device"] else []
    if usage.gpu is not None:
        gpu = usage.gpu
        found += [f"{gpu.model} {gpu.busy:.0f} %"] if gpu.busy is not None else [gpu.model]
        found += [f"{gpu.used:.0f}/{gpu.total:.0f} GB"] if gpu.used is not None and gpu.total else []
    found += [f"memory {size(usage.memory)}"] if usage.memory is not None else []
    found += [f"CPU {usage.cpu} %"] if usage.cpu is not None else []
    found += [" ".join(f"#{tag}" for tag in row["tags"])] if row["tags"] else []
    found += [f"“{row['note']}”"] if row["note"] else []
    return [safe(fact).replace("\n", " ") for fact in found if fact]


def _best(row: Row) -> str:
    """`best kNN .812 @116`, of the newest stage that has one."""
    value, metric = row["best_value"], row["best_metric"]
    if not isinstance(value, int | float):
        return ""
    file = next((one["file"] for one in reversed(list(row["best"].values())) if one["value"] == value), None)
    epoch = re.search(r"-0*(\d+)\.pt$", file or "")
    return f"best {WORDS.get(metric, metric)} {value:.3f}{f' @{epoch.group(1)}' if epoch else ''}"


def size(count: float) -> str:
    """Bytes as people read them."""
    return f"{count / GIB:.1f} GB" if count >= GIB else f"{count / MIB:.0f} MB"


def reason(row: Row) -> str:
    """Why it is in this state, and what to do. Of what simply trains there is nothing to say."""
    if row["state"] == "running" and row["reason"] == "trains":
        return ""
    said = str(row["reason"]).replace(row["path"], row["name"])
    advice = str(row["advice"]).replace(row["path"], row["name"])
    return (f"{said} · next: {advice}" if advice and advice not in said else said).replace("\n", " ")


def fitting(words: list[str], room: int) -> str:
    """As many as there is room for, with dots between."""
    said = ""
    for word in words:
        longer = f"{said} · {word}" if said else word
        if said and cell_len(longer) > room:
            break
        said = longer
    return said
