"""The table of runs: what it says of them, in what order, and that it draws only what is seen and has changed."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from sslterm.errors import UsageError
from sslterm.runs.state import GLYPHS
from sslterm.runs.summary import BLANK, Row
from sslterm.tui.widgets.run_table import (
    COLUMNS,
    USUAL,
    MarksChanged,
    RunHighlighted,
    RunOpened,
    RunTable,
    SortChanged,
    WindowChanged,
    cells,
    groups,
    layout,
)  # fmt: skip
from sslterm.tui.widgets.run_table.columns import chosen, figure
from sslterm.tui.widgets.run_table.listing import Listing, ordered
from sslterm.tui.widgets.state_label import TONES, StateLabel

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


START = time.time()
"""When these tests began: ages are counted up to it, however long others take."""


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslterm.tui.widgets.run_table.columns.now", lambda: START)


def run(name: str, state: str = "finished", *, age: float = 0, best: float | None = None, **more: Any) -> Row:
    """A run as the index tells of it; `age` in minutes."""
    stages = [{"name": "pretrain", "method": "simclr", "epochs": 200}]
    metric = "knn/top1" if best is not None else None
    return {
        **BLANK, "name": name, "path": f"/runs/{name}", "state": state, "created": START - 60 * age,
        "stages": stages, "preset": "simclr", "methods": "simclr", "method": "simclr", "data": "cifar10",
        "encoder": "resnet18", "stage": "pretrain", "epoch": 200, "epochs": 200, "best_metric": metric,
        "best_value": best, **more,
    }  # fmt: skip


RUNS = [
    run("moco-a1", "running", age=9, best=0.812, epoch=118, left=360.0, images_per_second=36_400.0, seed=0),
    run("byol-a1", "queued", age=20, epoch=0),
    run("simclr-a1", age=40, best=0.851, seed=1, note="longer warmup", tags=["paper"], metrics={"train/loss": 2.61}),
    run("simsiam-b2", "failed", age=60, best=0.102, epoch=31, reason="collapsed: std of z fell to 0.0002"),
]


class Watched(RunTable):
    """A table that notes which lines of the screen were asked for, and how many were drawn."""

    def __init__(self, columns: tuple[str, ...] = USUAL, **more: Any) -> None:
        super().__init__(columns, **more)
        self.asked: list[int] = []
        self.drawn = 0

    def render_line(self, y: int) -> Strip:
        self.asked.append(y)
        return super().render_line(y)

    def draw(self, line: int) -> Strip:
        self.drawn += 1
        return super().draw(line)

    @property
    def here(self) -> str | None:
        """The name of the run under the cursor."""
        return self.highlighted["name"] if self.highlighted else None

    def fresh(self) -> None:
        """Begin to count."""
        self.asked, self.drawn = [], 0


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

    def _heard(self, message: Message) -> None:
        self.said.append(message)

    on_run_table_run_highlighted = on_run_table_run_opened = _heard
    on_run_table_marks_changed = on_run_table_sort_changed = on_run_table_window_changed = _heard

    def heard(self, kind: type[Message]) -> list[Any]:
        """The messages of one kind."""
        return [message for message in self.said if type(message) is kind]

    def lines(self) -> list[str]:
        """What is on the screen."""
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]


def many(count: int) -> list[Row]:
    """Runs r0, r1 ..., the newest first, always the same."""
    return [{**run(f"r{i}", best=0.5), "created": 1e9 - i} for i in range(count)]


Play = Callable[[Shown, Watched, Pilot[None]], Awaitable[None]]


def on_screen(play: Play, size: tuple[int, int] = (80, 24), table: Watched | None = None) -> None:
    async def go() -> None:
        app = Shown(table or Watched())
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await play(app, app.table, pilot)

    asyncio.run(go())


def in_colour(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where colours are wanted."""
    monkeypatch.delenv("NO_COLOR")
    on_screen(play)


def names(rows: list[Row]) -> list[str]:
    return [row["name"] for row in rows]


class TestOrder:
    @pytest.mark.parametrize("falling", [False, True])
    def test_missing_values_come_last_either_way_and_the_newest_of_them_first(self, falling: bool) -> None:
        rows = [run("old", age=9), run("low", best=0.1), run("new", age=1), run("high", best=0.9)]
        rows.append(run("nan", age=5, best=math.nan))
        known = ["high", "low"] if falling else ["low", "high"]
        assert names(ordered(rows, COLUMNS["best"], falling)) == [*known, "new", "nan", "old"]

    def test_equals_are_newest_first_either_way(self) -> None:
        rows = [run("old", age=9, best=0.5), run("new", age=1, best=0.5)]
        assert names(ordered(rows, COLUMNS["best"], True)) == ["new", "old"]
        assert names(ordered(rows, COLUMNS["best"], False)) == ["new", "old"]

    def test_states_that_ask_for_a_person_come_before_those_that_are_done(self) -> None:
        rows = [run(state, state) for state in ("finished", "failed", "queued", "running")]
        assert names(ordered(rows, COLUMNS["state"], False)) == ["running", "queued", "failed", "finished"]

    def test_every_state_has_its_place_and_its_tone(self) -> None:
        assert {row["state"] for row in ordered([run(s, s) for s in GLYPHS], COLUMNS["state"], False)} == set(GLYPHS)
        assert set(TONES) == set(GLYPHS)
        assert all(COLUMNS["state"].value(run(s, s)) is not None for s in GLYPHS)  # type: ignore[misc]

    @pytest.mark.parametrize("key", COLUMNS)
    def test_every_column_bears_a_run_of_which_nothing_is_known(self, key: str) -> None:
        rows = [BLANK, run("known", best=0.5, seed=3, left=1.0), {**BLANK, "path": "/b"}]
        assert len(ordered(rows, COLUMNS[key], True)) == 3
        assert key == "state" or COLUMNS[key].text(BLANK) == ""

    def test_a_column_that_is_not_there_is_named_beside_those_that_are(self) -> None:
        with pytest.raises(UsageError, match="there is no column 'speeed'; there are state, name"):
            chosen(["state", "speeed"])


class TestFigures:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.812, ".812"), (0.9996, "1.00"), (2.614, "2.61"), (36.44, "36.4"), (412.6, "413"), (-0.5, "-.500"),
         (0.0, ".000"), (123456.0, "1e+05"), (math.nan, "nan"), (math.inf, "inf"), (99.96, "100"), (9999.0, "9999")],
    )  # fmt: skip
    def test_three_digits_whatever_the_size(self, value: float, text: str) -> None:
        assert figure(value) == text

    def test_speed_and_time_left_are_said_of_runs_that_work_only(self) -> None:
        working = run("a", "running", left=360.0, images_per_second=36_400.0)
        assert [COLUMNS[key].text(working) for key in ("speed", "left")] == ["36,400", "6m"]
        assert [COLUMNS[key].text({**working, "state": "failed"}) for key in ("speed", "left")] == ["", ""]

    def test_a_loss_that_is_no_number_is_said(self) -> None:
        assert COLUMNS["loss"].text(run("a", metrics={"train/loss": math.nan})) == "nan"


class TestCells:
    @pytest.mark.parametrize(
        "text",
        [
            "plain", "", "日本語の実験", "🚀 up", "👩‍👩‍👧 family", "❤️ heart", "👍🏽", "🇩🇪", "تجربة-7",
            "x" * 2000, "日" * 2000, "[bold red]x[/]", "\x1b[31mred\x07", "two\nlines\tand", "\u202eabc",
            "e\u0301" * 9, "a" + "\u0300" * 900, "\u0300x",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("right", [False, True])
    @pytest.mark.parametrize("both_ends", [False, True])
    def test_any_text_takes_exactly_its_room(self, text: str, right: bool, both_ends: bool) -> None:
        for room in range(1, 30):
            shown = cells.fit(text, room, right, both_ends)
            assert cell_len(shown) == room
            assert sum(map(cell_len, shown)) == room  # terminals that know no joined characters agree
            assert shown.isprintable() or "\u0300" in shown
            assert len(shown) <= 3 * room + 2

    def test_names_keep_both_ends(self) -> None:
        assert cells.fit("2026-11-22_1403_simclr", 16, both_ends=True) == "2026-11-…_simclr"

    def test_no_text_is_wider_than_it_is_measured(self) -> None:
        for text in ("日本語", "plain", "👩‍👩‍👧", "x" * 99):
            assert cells.fit(text, cells.width(text, 40)).count("…") == (len(text) == 99)


class TestGroups:
    def test_runs_that_differ_in_their_seed_only_are_of_one_kind(self) -> None:
        first = run("a", seed=0)
        assert groups.kind(first) == groups.kind(run("b", "failed", seed=1, best=0.5))
        for key in ("preset", "methods", "data", "encoder"):
            assert groups.kind(first) != groups.kind({**run("b"), key: "other"})
        longer = [{"name": "pretrain", "method": "simclr", "epochs": 800}]
        assert groups.kind(first) != groups.kind(run("b", stages=longer))

    def test_a_run_without_a_preset_stands_alone(self) -> None:
        assert groups.kind(run("a", preset=None)) is None
        assert len(groups.fold([run("a", preset=None), run("b", preset=None)])) == 2

    def test_a_group_tells_mean_and_deviation(self) -> None:
        (row,) = groups.fold([run(f"s{seed}", seed=seed, best=best) for seed, best in enumerate((0.845, 0.848, 0.851))])
        assert (row["name"], COLUMNS["best"].text(row)) == ("simclr ×3", "kNN .848±.003")
        assert math.isclose(row["best_spread"], 0.003)
        assert (row["data"], row["seed"], len(row["members"])) == ("cifar10", None, 3)

    def test_only_values_of_one_metric_are_averaged(self) -> None:
        rows = [run("a", best=0.8), run("b", best=0.9), run("c", best=0.1, best_metric="valid/top1"), run("d")]
        (row,) = groups.fold(rows)
        assert (row["best_metric"], round(row["best_value"], 3)) == ("knn/top1", 0.85)

    def test_one_value_has_no_deviation(self) -> None:
        (row,) = groups.fold([run("a", best=0.8), run("b")])
        assert (row["best_value"], row["best_spread"]) == (0.8, None)

    def test_the_state_of_a_group_is_that_which_matters_most(self) -> None:
        (row,) = groups.fold([run("a"), run("b", "running"), run("c", "failed")])
        assert COLUMNS["state"].text(row) == "● running 1/3"

    @pytest.mark.parametrize(
        ("names", "name"),
        [
            (["moco-lr3-s0", "moco-lr3-s1"], "moco-lr3 ×2"), (["moco-seed1", "moco-seed2"], "moco ×2"),
            (["2026-11-22_1403_byol", "2026-11-22_1405_byol-2"], "byol ×2"), (["a", "b"], "simclr ×2"),
        ],
    )  # fmt: skip
    def test_it_is_called_what_its_runs_are_called_or_else_as_its_preset(self, names: list[str], name: str) -> None:
        assert groups.folded([run(one) for one in names])["name"] == name

    def test_other_settings_make_other_groups_where_they_are_known(self) -> None:
        rows = [run(name) for name in ("a", "b", "c", "d")]
        likeness = {row["path"]: place // 2 for place, row in enumerate(rows)}
        folded = groups.Folds().fold(rows, likeness)
        assert [names(row["members"]) for row in folded] == [["a", "b"], ["c", "d"]]

    def test_a_group_whose_runs_stay_the_same_is_not_worked_out_again(self) -> None:
        folds, rows = groups.Folds(), [run("a"), run("b")]
        (first,) = folds.fold(rows, {})
        assert folds.fold(rows, {})[0] is first
        assert folds.fold([rows[0], run("b", "running")], {})[0]["state"] == "running"

    def test_an_opened_group_shows_its_runs_sorted_beneath_it(self) -> None:
        listing = Listing([run("low", best=0.1), run("high", best=0.9), run("alone", preset="moco")], "best", True)
        listing.grouped = True
        listing.arrange()
        assert [entry.row["name"] for entry in listing.entries] == ["simclr ×2", "alone"]
        listing.opened.add(listing.entries[0].row["path"])
        listing.arrange()
        assert [entry.row["name"] for entry in listing.entries] == ["simclr ×2", "high", "low", "alone"]
        assert listing.group_of(2) == 0


def placed(width: int, rows: list[Row] = RUNS, keys: tuple[str, ...] = USUAL, by: str = "age") -> dict[str, Any]:
    found = layout.place(layout.wanted(chosen(keys), rows, by), width, by)
    return {one.column.key: one for one in found}


class TestLayout:
    @pytest.mark.parametrize("width", range(30, 240, 7))
    def test_columns_never_overlap_nor_leave_the_window(self, width: int) -> None:
        rows = [*RUNS, run("n" * 2000, best=0.5, note="word " * 90)]
        ends = layout.GUTTER
        for one in placed(width, rows, tuple(COLUMNS)).values():
            assert one.x >= ends
            ends = one.x + one.width + layout.GAP
        assert width < 48 or ends - layout.GAP < width

    def test_what_tells_least_goes_first_and_state_and_name_stay(self) -> None:
        assert list(placed(10)) == ["state", "name"]
        assert list(placed(60)) == ["state", "name", "epoch", "best", "loss", "left"]
        assert "data" in placed(120)
        assert "data" not in placed(80)

    def test_what_is_sorted_by_stays_longest(self) -> None:
        assert "loss" not in placed(50)
        assert "loss" in placed(50, by="loss")

    def test_columns_with_nothing_to_say_take_no_room(self) -> None:
        assert "left" in placed(200)
        assert "left" not in placed(200, RUNS[1:])

    def test_figures_are_never_cut(self) -> None:
        wishes = {column.key: wish for column, wish in layout.wanted(list(COLUMNS.values()), RUNS, "age")}
        for width in range(30, 200):
            shown = placed(width, keys=tuple(COLUMNS))
            assert all(one.width == wishes[key] for key, one in shown.items() if one.column.right)


AT_60 = """
   state        name           epoch       best     left
   ● running    moco-a1      118/200   kNN .812       6m
   ◷ queued     byol-a1
   ✓ finished   simclr-a1    200/200   kNN .851
   ✗ failed     simsiam-b2    31/200   kNN .102
     collapsed: std of z fell to 0.0002"""
AT_80 = """
   state        name         method     epoch       best   curve          left
   ● running    moco-a1      simclr   118/200   kNN .812                    6m
   ◷ queued     byol-a1      simclr
   ✓ finished   simclr-a1    simclr   200/200   kNN .851   ▁▃▅▆▇▇
   ✗ failed     simsiam-b2   simclr    31/200   kNN .102
     collapsed: std of z fell to 0.0002"""
AT_120 = """
   state       name        method  data     stage       epoch      best  curve        loss  images/s    left   ▴ age
   ● running   moco-a1     simclr  cifar10  pretrain  118/200  kNN .812                       36,400      6m      9m
   ◷ queued    byol-a1     simclr  cifar10  pretrain                                                             20m
   ✓ finished  simclr-a1   simclr  cifar10  pretrain  200/200  kNN .851  ▁▃▅▆▇▇       2.61                       40m
   ✗ failed    simsiam-b2  simclr  cifar10  pretrain   31/200  kNN .102                                          60m
     collapsed: std of z fell to 0.0002"""
AT_200 = """
   state         name          method    data       stage         epoch        best    curve          loss    images/s      left     ▴ age    note
   ● running     moco-a1       simclr    cifar10    pretrain    118/200    kNN .812                             36,400        6m        9m
   ◷ queued      byol-a1       simclr    cifar10    pretrain                                                                           20m
   ✓ finished    simclr-a1     simclr    cifar10    pretrain    200/200    kNN .851    ▁▃▅▆▇▇         2.61                             40m    #paper longer warmup
   ✗ failed      simsiam-b2    simclr    cifar10    pretrain     31/200    kNN .102                                                    60m
     collapsed: std of z fell to 0.0002"""  # noqa: E501


class TestScreen:
    @pytest.mark.parametrize("size", SIZES)
    def test_every_line_is_as_wide_as_the_window(self, size: tuple[int, int]) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            odd = [
                "日本語の実験 🚀",
                "x" * 2000,
                "[bold red]no markup[/] \x1b[31mred\x07",
                "تجربة-7",
                "a\u0300\u0300\u0300",
                "",
            ]
            table.reasons = True
            table.show(
                [run(name, random.choice(list(GLYPHS)), reason=name, note=name, best=0.5) for name in odd] + RUNS
            )
            await pilot.pause()
            for y in range(len(odd) + len(RUNS) + 1):
                assert table.render_line(y).cell_length == table.room.width
            assert any("[bold red]" in line for line in app.lines())
            assert not any("\x1b" in line or "\x07" in line for line in app.lines())

        on_screen(play, size)

    def test_60_columns(self) -> None:
        self._shows((60, 20), AT_60)

    def test_80_columns(self) -> None:
        self._shows((80, 24), AT_80)

    def test_120_columns(self) -> None:
        self._shows((120, 40), AT_120)

    def test_200_columns(self) -> None:
        self._shows((200, 60), AT_200)

    def _shows(self, size: tuple[int, int], expected: str) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.reasons = True
            table.show(RUNS)
            table.show_curves({"/runs/simclr-a1": "▁▃▅▆▇▇"})
            await pilot.pause()
            assert "\n".join(["", *app.lines()]).rstrip() == expected

        on_screen(play, size)

    def test_an_empty_list_says_what_it_was_told_in_the_middle(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show([])
            assert app.lines()[9].strip() == "no [b]runs[/b] yet"
            assert app.lines()[11].strip() == "press n"
            table.show(RUNS)
            assert "moco-a1" in app.lines()[1]

        on_screen(play, (60, 21), Watched(empty="no [b]runs[/b] yet\n\npress n"))

    def test_reasons_are_left_out_where_there_is_no_room(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.reasons = True
            table.show(RUNS)
            assert "collapsed" in app.lines()[5]
            await pilot.resize_terminal(60, 10)
            await pilot.pause()
            assert not any("collapsed" in line for line in app.lines())

        on_screen(play)

    def test_a_storm_of_resizes_leaves_a_whole_screen_and_the_cursor_in_it(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.reasons = table.grouped = True
            table.show([run(f"r{i}", preset=f"p{i // 2}", best=i / 99, age=i) for i in range(99)])
            table.last()
            dice = random.Random(3)
            for _ in range(30):
                await pilot.resize_terminal(dice.randrange(1, 200), dice.randrange(1, 60))
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            assert "r98" in app.lines()[-1]
            assert all(table.render_line(y).cell_length == table.room.width for y in range(24))

        on_screen(play)

    def test_colours_follow_theme_and_focus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(RUNS)
            await pilot.pause()
            for change in (lambda: setattr(app, "theme", "textual-light"), lambda: app.set_focus(None)):
                before = list(table.render_line(1))
                change()
                await pilot.pause()
                assert [part.style for part in table.render_line(1)] != [part.style for part in before]
                assert table.render_line(1).text == "".join(part.text for part in before)

        in_colour(play, monkeypatch)

    def test_without_colour_the_cursor_is_reversed(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(RUNS)
            await pilot.pause()
            assert all(part.style and part.style.reverse for part in table.render_line(1))
            assert not any(part.style and part.style.reverse for part in table.render_line(2))

        on_screen(play)

    def test_the_state_has_a_tone_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show([run("first"), run("a", "running", age=1), run("b", "failed", age=2), run("c", age=3)])
            await pilot.pause()
            tones = {str(table.render_line(y)._segments[3].style) for y in (2, 3, 4)}
            assert len(tones) == 3

        in_colour(play, monkeypatch)


class TestCursor:
    def test_it_moves_and_stops_at_both_ends(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(100))
            seen = []
            for step in (
                lambda: table.move(3), lambda: table.move(-9), lambda: table.last(), lambda: table.move(1),
                lambda: table.page(-1), lambda: table.first(), lambda: table.page(1), lambda: table.page(99),
            ):  # fmt: skip
                step()
                seen.append(table.here)
            assert seen == ["r3", "r0", "r99", "r99", "r77", "r0", "r22", "r99"]
            await pilot.pause()
            rows = [message.row["name"] for message in app.heard(RunHighlighted)]
            assert rows == ["r0", "r3", "r0", "r99", "r77", "r0", "r22", "r99"]

        on_screen(play)

    def test_it_stays_with_its_run_and_its_line_while_runs_come_and_go(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = many(100)
            table.show(rows)
            await pilot.pause()
            table.move(50)
            line = next(y for y, text in enumerate(app.lines()) if "r50 " in text + " ")
            table.show([run("new", age=-1), *rows[7:]])
            await pilot.pause()
            assert table.here == "r50"
            assert "r50" in app.lines()[line]

        on_screen(play)

    def test_a_new_run_appears_on_top_of_a_list_seen_from_its_beginning(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(100))
            table.move(1)
            table.show([run("new", age=-1), *many(100)])
            await pilot.pause()
            assert "new" in app.lines()[1]
            assert table.here == "r1"

        on_screen(play)

    def test_a_run_that_vanishes_leaves_it_on_the_next(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = many(3)
            table.show(rows)
            table.move(1)
            table.show([rows[0], rows[2]])
            assert table.here == "r2"
            table.show([])
            assert table.highlighted is None
            for act in (table.first, table.last, table.open, table.open_group, table.close_group, table.toggle_mark):
                act()
            for act in (table.mark_all, table.unmark_all, table.sort_next, lambda: table.page(1)):
                act()
            await pilot.pause()
            assert app.heard(RunHighlighted)[-1].row is None

        on_screen(play)

    def test_a_run_that_trains_under_it_is_told_of(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show([run("a", "running", epoch=1)])
            rows = [{**table.highlighted, "epoch": 2}] if table.highlighted else []
            table.show(rows)
            table.show([dict(row) for row in rows])
            await pilot.pause()
            assert [message.row["epoch"] for message in app.heard(RunHighlighted)] == [1, 2]

        on_screen(play)


class TestWhatIsDrawn:
    def test_of_5000_runs_a_window_is_drawn_and_a_move_draws_two_lines(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(5000))
            await pilot.pause()
            assert table.drawn <= 3 * 39
            table.fresh()
            table.move(1)
            await pilot.pause()
            assert (table.drawn, sorted(set(table.asked))) == (2, [1, 2])

        on_screen(play, (120, 40))

    def test_a_run_that_trains_refreshes_its_line_only(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = many(5000)
            table.show(rows)
            await pilot.pause()
            table.fresh()
            rows[7] = {**rows[7], "best_value": 0.999}
            table.show(rows)
            await pilot.pause()
            assert set(table.asked) == {8}
            assert ".999" in app.lines()[8]

        on_screen(play, (120, 40))

    def test_the_same_runs_again_refresh_nothing(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(5000))
            await pilot.pause()
            table.fresh()
            table.show([dict(row) for row in many(5000)])
            await pilot.pause()
            assert table.asked == []

        on_screen(play, (120, 40))

    def test_a_curve_refreshes_one_line(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(5000))
            await pilot.pause()
            table.fresh()
            table.show_curves({"/runs/r4": "▁▃▇", "/runs/r4000": "▇▃▁"})
            await pilot.pause()
            assert set(table.asked) == {5}
            assert "▁▃▇" in app.lines()[5]

        on_screen(play)

    def test_it_tells_which_runs_are_in_the_window_and_of_a_group_the_first_few(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(100))
            await pilot.pause()
            table.last()
            await pilot.pause()
            table.move(-1)
            table.grouped = True
            await pilot.pause()
            told = [names(message.rows) for message in app.heard(WindowChanged)]
            assert told == [[f"r{i}" for i in part] for part in (range(23), range(77, 100), range(3))]

        on_screen(play)

    def test_a_mark_refreshes_one_line(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(50))
            await pilot.pause()
            table.fresh()
            table.toggle_mark()
            await pilot.pause()
            assert set(table.asked) == {1}
            assert app.lines()[1].startswith("●")

        on_screen(play)


class TestMarks:
    def test_they_stay_with_their_runs_and_only_listed_ones_count(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            rows = many(4)
            table.show(rows)
            table.toggle_mark()
            table.last()
            table.toggle_mark()
            assert table.marked == ("/runs/r0", "/runs/r3")
            table.show(rows[1:])  # a filter hides the first
            assert table.marked == ("/runs/r3",)
            table.show(rows)
            assert table.marked == ("/runs/r0", "/runs/r3")
            table.toggle_mark()
            table.mark_all()
            table.unmark_all()
            await pilot.pause()
            told = [[path[-2:] for path in message.paths] for message in app.heard(MarksChanged)]
            every = ["r0", "r1", "r2", "r3"]
            assert told == [["r0"], ["r0", "r3"], ["r3"], ["r0", "r3"], ["r0"], every, []]

        on_screen(play)

    def test_the_baseline_is_pinned(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(3))
            table.baseline = "/runs/r1"
            table.mark_all()
            assert [line[:2] for line in app.lines()[1:4]] == ["● ", "●◆", "● "]

        on_screen(play)


class TestGroupsOnScreen:
    RUNS = (
        run("a0", best=0.84, seed=0), run("b", best=0.9, age=1, preset="moco"), run("a1", best=0.86, age=2, seed=1),
    )  # fmt: skip

    def test_they_fold_open_and_close(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(self.RUNS)
            table.last()
            table.grouped = True
            await pilot.pause()
            assert [line[15:27].rstrip() for line in app.lines()[1:3]] == ["▸ simclr ×2", "  b"]
            assert (table.highlighted, app.heard(RunHighlighted)[-1].row) == (None, None)
            assert names(app.heard(RunHighlighted)[-1].group) == ["a0", "a1"]
            table.open()
            table.move(2)
            assert [line[15:27].rstrip() for line in app.lines()[1:5]] == ["▾ simclr ×2", "│ a0", "│ a1", "  b"]
            assert table.here == "a1"
            table.close_group()
            assert table.highlighted is None
            table.grouped = False
            assert table.here == "a0"

        on_screen(play)

    def test_means_stand_in_line_with_values(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(self.RUNS)
            table.grouped = True
            assert ".850±.014" in app.lines()[1]
            assert app.lines()[1].index(".850") == app.lines()[2].index(".900")

        on_screen(play)

    def test_marking_a_group_marks_its_runs(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(self.RUNS)
            table.grouped = True
            table.toggle_mark()
            assert table.marked == ("/runs/a0", "/runs/a1")
            table.open_group()
            table.move(1)
            table.toggle_mark()
            assert [line[0] for line in app.lines()[1:4]] == ["○", " ", "●"]

        on_screen(play)


class TestSorting:
    def test_the_head_says_by_what_and_which_way(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(RUNS)
            table.sort("best")
            assert "▾ best" in app.lines()[0]
            assert [line.split()[2] for line in app.lines()[1:5]] == ["simclr-a1", "moco-a1", "simsiam-b2", "byol-a1"]
            table.turn_order()
            assert "▴ best" in app.lines()[0]
            assert [line.split()[2] for line in app.lines()[1:5]] == ["simsiam-b2", "moco-a1", "simclr-a1", "byol-a1"]
            assert table.here == "moco-a1"
            await pilot.pause()
            assert [(said.key, said.falling) for said in app.heard(SortChanged)] == [("best", True), ("best", False)]

        on_screen(play)

    def test_next_goes_through_the_columns_that_are_seen(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(RUNS)
            by = []
            for _ in range(4):
                table.sort_next()
                by.append(table.sorting[0])
            assert by == ["state", "name", "best", "state"]
            table.columns = ["name", "seed"]
            assert app.lines()[0].split() == ["name", "seed"]

        on_screen(play, (60, 20), Watched(("state", "name", "best")))


class TestMouse:
    def test_a_click_selects_two_open_and_a_head_sorts(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(100))
            await pilot.pause()
            await pilot.click(table, offset=(20, 3))
            assert table.here == "r2"
            await pilot.click(table, offset=(20, 4), times=2)
            assert [said.row["name"] for said in app.heard(RunOpened)] == ["r3"]
            await pilot.click(table, offset=(app.lines()[0].index("best"), 0))
            assert table.sorting == ("best", True)
            await pilot.click(table, offset=(0, 0))
            assert table.sorting == ("best", True)

        on_screen(play)

    def test_the_wheel_scrolls_and_leaves_the_cursor(self) -> None:
        async def play(app: Shown, table: Watched, pilot: Pilot[None]) -> None:
            table.show(many(100))
            await pilot.pause()
            for _ in range(5):
                await pilot._post_mouse_events([events.MouseScrollDown], table, (5, 5))
            await pilot.pause()
            top = table.top
            assert top > 0
            assert f"r{top}" in app.lines()[1]
            assert table.here == "r0"
            table.show([run("new", age=-1), *many(100)])
            await pilot.pause()
            assert f"r{top}" in app.lines()[1]
            table.move(1)
            assert "r1" in app.lines()[1]

        on_screen(play)


def test_a_label_of_a_state_changes_its_word_and_its_tone() -> None:
    class Labels(App[None]):
        def compose(self) -> ComposeResult:
            yield StateLabel("running")

    async def go() -> None:
        app = Labels()
        async with app.run_test() as pilot:
            label = app.query_one(StateLabel)
            assert label.has_class("-working")
            label.show("failed")
            await pilot.pause()
            assert (label.has_class("-trouble"), label.has_class("-working")) == (True, False)
            assert str(label.render()) == "✗ failed"

    asyncio.run(go())
