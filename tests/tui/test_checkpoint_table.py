"""The table of checkpoints: what it says of them, in what order, and that only what has changed is drawn."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from sslterm.runs.summary import Row
from sslterm.runs.wholeness import VERIFIED, Finding
from sslterm.tui.widgets.checkpoint_table import (
    CheckpointHighlighted,
    CheckpointOpened,
    CheckpointsInView,
    CheckpointTable,
    MarksChanged,
)
from sslterm.tui.widgets.checkpoint_table.columns import columns, ordered
from sslterm.tui.widgets.checkpoint_table.words import amount, epoch, line, state, whole

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
START = time.time()
DAMAGED = Finding("damaged", 12_000)
NASTY = ["[bold red]x[/]", "日本語の実験", "\x1b[31mred\x07", "x" * 2000, "two\nlines", "👩‍👩‍👧 family"]


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslterm.tui.widgets.checkpoint_table.columns.now", lambda: START)


def asked(protocol: str, top1: float, augmented: str = "", split: str = "test") -> Row:
    return {"protocol": protocol, "split": split, "augmented": augmented, "top1": top1, "n": 10, "time": 1.0}


def checkpoint(name: str, run: str = "moco-a1", *, knn: Any = None, age: float = 0.0, **more: Any) -> Row:
    """A checkpoint as the inventory tells of it; `age` in minutes."""
    return {
        "run": run, "path": f"/runs/{run}/checkpoints/{name}.pt", "file": f"{name}.pt", "stage": "pretrain",
        "stage_index": 0, "epoch": 8, "step": 0, "total_steps": 40, "ended": False, "time": START - 60 * age,
        "size": 43_000_000, "sha256": "40e7b14e" * 8, "metrics": {} if knn is None else {"knn/top1": knn},
        "best": False, "latest": False, "evaluations": [], **more,
    }  # fmt: skip


ANSWERS = [asked("head", 0.851), asked("head", 0.858, "flip"), asked("linear", 0.5, split="valid")]
FOUR = [
    checkpoint("pretrain-0116", knn=0.812, best=True, age=1),
    checkpoint("pretrain-0100", knn=0.801, age=5),
    checkpoint("probe-0050", stage="probe", best=True, latest=True, age=0, evaluations=ANSWERS),
    checkpoint("pretrain-0060", knn="nan", age=9),
]


class Watched(CheckpointTable):
    """A table that notes how many lines were drawn."""

    drawn = 0

    def draw(self, line: int) -> Strip:
        self.drawn += 1
        return super().draw(line)

    @property
    def here(self) -> str | None:
        return self.highlighted["file"].removesuffix(".pt") if self.highlighted else None


class Shown(App[None]):
    """A table alone on the screen; notes what it says."""

    def __init__(self, table: Watched) -> None:
        super().__init__()
        self.table = table
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def note(self, message: Message) -> None:
        self.said.append(message)

    on_checkpoint_table_checkpoint_highlighted = note
    on_checkpoint_table_checkpoint_opened = note
    on_checkpoint_table_checkpoints_in_view = note
    on_checkpoint_table_marks_changed = note

    def last(self, kind: type[Message]) -> Any:
        return next((message for message in reversed(self.said) if isinstance(message, kind)), None)

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]

    def listed(self) -> list[str]:
        return [row["file"].removesuffix(".pt") for row in self.table.listed]


Play = Callable[[Shown, Watched, Pilot[None]], Awaitable[None]]


def on_screen(play: Play, size: tuple[int, int] = (80, 24), several: bool = False) -> None:
    async def go() -> None:
        app = Shown(Watched(several))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await play(app, app.table, pilot)

    asyncio.run(go())


class TestWords:
    @pytest.mark.parametrize(
        ("size", "said"),
        [(0, "0 bytes"), (999, "999 bytes"), (12_000, "12 KB"), (999_600, "1.0 MB"), (1_602_709, "1.6 MB"),
         (43_000_000, "43 MB"), (1.25e9, "1.2 GB"), (9.99e15, "9990 TB")],
    )  # fmt: skip
    def test_sizes_are_said_in_few_digits(self, size: float, said: str) -> None:
        assert amount(size) == said

    @pytest.mark.parametrize(
        ("finding", "said"),
        [
            (None, "…"), (VERIFIED, "✓ verified"), (DAMAGED, "✗ damaged: 12 KB of 43 MB"),
            (Finding("damaged", 43_000_000), "✗ damaged: sha256 differs"), (Finding("gone"), "? gone"),
            (Finding("damaged", 43_000_001), "✗ damaged: 43,000,001 of 43,000,000 bytes"),
            (Finding("damaged", problem="Permission denied"), "✗ damaged: Permission denied"),
            (Finding("changed"), "… changed"),
        ],
    )  # fmt: skip
    def test_a_state_is_glyph_and_word_and_why(self, finding: Finding | None, said: str) -> None:
        assert state(FOUR[0], finding) == said

    def test_a_line_tells_answers_and_what_flip_gains(self) -> None:
        first, second = line(FOUR[2], VERIFIED).plain.splitlines()
        assert first.startswith("probe-0050 of moco-a1 · ★ best latest · ✓ verified · 43 MB · ")
        assert second == "test head .851 · flip .858 +.007 · valid linear .500 · sha256 40e7b14e"

    def test_at_length_every_metric_and_answer_has_a_line(self) -> None:
        said = whole(FOUR[2] | {"metrics": {"train/loss": 0.25, "health/rank": "inf"}}, DAMAGED, 46).plain
        lines = [" ".join(one.split()) for one in said.splitlines()]
        for one in (
            "★ best of its stage · latest of the run", "✗ damaged: 12 KB of 43 MB · 43,000,000 bytes",
            "sslterm repair moco-a1 puts it aside", "train/loss 0.2500", "health/rank inf",
            "test head flip 0.8580 +0.0070", "valid linear 0.5000", "/runs/moco-a1/checkpoints/probe-0050.pt",
        ):  # fmt: skip
            assert one in lines
        assert "40e7b14e" * 4 in said
        assert max(map(len, said.splitlines())) <= 48

    @pytest.mark.parametrize("text", NASTY)
    def test_whatever_a_file_says_is_safe_and_not_too_long(self, text: str) -> None:
        odd = checkpoint("a", run=text, stage=text, metrics={text: 1e300}, sha256=text, evaluations=[asked(text, 0.5)])
        for said in (line(odd, None), whole(odd, DAMAGED, 46)):
            assert "\x1b" not in said.plain
            assert len(said.plain) < 1500
        assert len(line(odd, None).plain.splitlines()) == 2

    def test_steps_of_an_epoch_that_was_not_done_are_said(self) -> None:
        assert epoch({**FOUR[0], "epoch": 21, "step": 466}) == "21+466"


class TestOrder:
    @pytest.mark.parametrize("column", columns({}, True), ids=lambda column: column.key)
    def test_every_column_bears_the_least_and_the_oddest(self, column: Any) -> None:
        odd = checkpoint("odd", size=2**62, time=-(2**62), epoch=2**62, metrics={"knn/top1": [], "train/loss": "inf"})
        assert len(ordered([checkpoint("least"), odd, *FOUR], column, True)) == 6
        for row in (checkpoint("least"), odd):
            assert isinstance(column.text(row), str)

    def test_what_has_no_value_comes_last_either_way(self) -> None:
        column = next(one for one in columns({}, False) if one.key == "metric knn")
        for falling, first in ((True, 0.812), (False, 0.801)):
            said = [row["metrics"].get("knn/top1") for row in ordered(FOUR, column, falling)]
            assert said[0] == first
            assert set(said[2:]) == {None, "nan"}

    def test_the_damaged_come_first_when_sorted_by_state(self) -> None:
        paths = [row["path"] for row in FOUR]
        findings = {paths[1]: VERIFIED, paths[3]: DAMAGED}
        column = next(one for one in columns(findings, False) if one.key == "state")
        assert [row["file"] for row in ordered(FOUR, column, column.falling)][:2] == [
            "pretrain-0060.pt", "pretrain-0100.pt",
        ]  # fmt: skip


class TestTable:
    @pytest.mark.parametrize("size", SIZES)
    def test_names_states_and_what_was_measured_are_seen_at_every_size(self, size: tuple[int, int]) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            table.found({row["path"]: VERIFIED for row in FOUR[:3]} | {FOUR[3]["path"]: DAMAGED})
            head, *lines = app.lines()
            assert "checkpoint" in head
            assert "state" in head
            assert lines[0].startswith(" ★ pretrain-0116")
            assert "✓ verified" in lines[0]
            assert ".812" in lines[0]
            assert "✗ damaged" in lines[3]
            assert "nan" in lines[3]
            if size[0] >= 80:
                assert ".858 +.007" in lines[2]
            if size[0] >= 120:
                assert "✗ damaged: 12 KB of 43 MB" in lines[3]
                assert "best latest" in lines[2]
                assert "43 MB" in lines[0]
            assert max(cell_len(one) for one in app.lines()) <= size[0]

        on_screen(play, size)

    @pytest.mark.parametrize("text", NASTY)
    def test_nasty_names_take_no_more_room_than_they_have(self, text: str) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show([checkpoint("a", run=text, stage=text), *FOUR])
            lines = app.lines()
            assert all(cell_len(one) <= 80 for one in lines)
            assert "\x1b" not in "".join(lines)
            assert "pretrain-0116" in lines[2]

        on_screen(play, several=True)

    def test_the_cursor_stays_with_its_checkpoint_and_tells_what_it_is_on(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            table.move(1)
            table.show([checkpoint("new"), *FOUR])
            await pilot.pause()
            assert table.here == "pretrain-0100"
            assert app.last(CheckpointHighlighted).row is FOUR[1]
            table.show([FOUR[0], FOUR[2]])
            assert table.here in ("pretrain-0116", "probe-0050")
            table.show([])
            await pilot.pause()
            assert table.here is None
            assert app.last(CheckpointHighlighted).row is None
            table.open()
            table.toggle_mark()
            table.page(1)
            table.sort_next()

        on_screen(play)

    def test_what_is_learnt_of_the_file_under_the_cursor_is_told(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            await pilot.pause()
            app.said.clear()
            table.found({FOUR[1]["path"]: VERIFIED})
            await pilot.pause()
            assert app.last(CheckpointHighlighted) is None
            table.found({FOUR[0]["path"]: VERIFIED})
            await pilot.pause()
            assert app.last(CheckpointHighlighted).row is FOUR[0]
            table.unknown(FOUR)
            assert table.said(FOUR[0]) == "…"

        on_screen(play)

    def test_marks_go_with_what_they_were_on(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            table.toggle_mark()
            table.move(2)
            table.toggle_mark()
            assert [row["file"] for row in table.marked] == ["pretrain-0116.pt", "probe-0050.pt"]
            assert app.lines()[1].startswith("●★ pretrain-0116")
            await pilot.pause()
            app.said.clear()
            table.show(FOUR[1:])
            await pilot.pause()
            assert [row["file"] for row in table.marked] == ["probe-0050.pt"]
            assert app.last(MarksChanged)
            table.mark_all()
            assert len(table.marked) == 3
            assert table.unmark_all()
            assert not table.unmark_all()

        on_screen(play)

    def test_only_those_in_the_window_are_told_of_the_one_under_the_cursor_first(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show([checkpoint(f"c-{place:04d}") for place in range(15_000)])
            table.first()
            table.move(3)
            await pilot.pause()
            rows = app.last(CheckpointsInView).rows
            assert [row["file"] for row in rows[:3]] == ["c-0003.pt", "c-0000.pt", "c-0001.pt"]
            assert len(rows) == 23
            table.last()
            await pilot.pause()
            assert app.last(CheckpointsInView).rows[0]["file"] == "c-14999.pt"

        on_screen(play)

    def test_a_finding_draws_one_line(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = [checkpoint(f"c-{place:04d}") for place in range(1000)]
            table.show(rows)
            await pilot.pause()
            table.drawn = 0
            table.found({rows[5]["path"]: VERIFIED, rows[900]["path"]: VERIFIED})
            assert table.drawn == 1
            table.move(1)
            assert table.drawn == 3

        on_screen(play)

    def test_more_of_the_same_is_listed_without_measuring_all_again(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = [checkpoint(f"c-{place:04d}", knn=0.5) for place in range(15_000)]
            table.show(rows)
            began = time.process_time()
            table.show([checkpoint("a-much-longer-name-0001"), *rows])
            assert time.process_time() - began < 0.5
            assert "a-much-longer-name-0001" in app.lines()[1]

        on_screen(play)

    def test_o_goes_through_the_columns_and_back_to_the_given_order(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            given, keys = app.listed(), []
            table.sort_next()
            while table.sorting[0]:
                keys.append(table.sorting[0])
                table.sort_next()
            assert {"name", "metric knn", "head", "flip head", "size", "state"} <= set(keys)
            assert app.listed() == given
            table.turn_order()
            assert table.sorting == ("age", False)
            assert app.listed() == ["probe-0050", "pretrain-0116", "pretrain-0100", "pretrain-0060"]
            table.turn_order()
            assert app.listed()[0] == "pretrain-0060"

        on_screen(play, (120, 24))

    def test_the_mouse_sorts_moves_and_opens(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(FOUR)
            await pilot.click(table, offset=(8, 3))
            assert table.here == "probe-0050"
            await pilot.click(table, offset=(8, 2), times=2)
            await pilot.pause()
            assert app.last(CheckpointOpened).row is FOUR[1]
            await pilot.click(table, offset=(5, 0))
            assert table.sorting[0] == "name"
            await pilot.click(table, offset=(5, 20))
            assert table.here == "pretrain-0100"

        on_screen(play)

    def test_where_there_is_nothing_it_says_what_it_was_told_to_say(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.empty = "no checkpoint yet\n\npress n"
            await pilot.pause()
            assert [one.strip() for one in app.lines() if one] == ["no checkpoint yet", "press n"]
            await pilot.resize_terminal(30, 5)
            table.show(FOUR)
            await pilot.resize_terminal(8, 2)
            await pilot.resize_terminal(100, 30)
            assert "pretrain-0116" in app.lines()[1]

        on_screen(play)


def test_no_figure_is_wider_than_its_column() -> None:
    for one in columns({}, False):
        if one.key.startswith("flip"):
            values = [asked(key.removeprefix("flip "), 1.0, "flip") for key in [one.key]]
            values += [asked(values[0]["protocol"], math.ulp(0.0))]
            assert len(one.text(checkpoint("a", evaluations=values))) <= one.most
