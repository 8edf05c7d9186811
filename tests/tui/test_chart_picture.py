"""Whole pictures, as text: what a person would see at each size, with every kind of trouble in the data."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from sslterm.tui.widgets.chart import Band, Series
from sslterm.tui.widgets.chart.frame import cell_len, changed, cut, joined, spread
from sslterm.tui.widgets.chart.look import Look
from sslterm.tui.widgets.chart.measure import Reduced
from sslterm.tui.widgets.chart.picture import draw
from sslterm.tui.widgets.chart.request import Request

X = np.arange(101.0)
FALL = np.exp(-X / 20)
LOSS = Series("moco-a1", X, 8 * FALL + 0.5, colour=0)
RISE = Series("byol", X, 6 - 5 * FALL, colour=1)


def text(width: int, height: int, *series: Series, **more: object) -> str:
    """The picture, without the air at the ends of its lines."""
    lines = draw(Request(width, height, series=series, **more)).lines  # type: ignore[arg-type]
    return "\n".join("".join(part for part, _ in line).rstrip() for line in lines)


def same(found: str, expected: str) -> bool:
    return found.splitlines() == dedent(expected).strip("\n").splitlines()


def test_a_line_stands_between_its_axes() -> None:
    assert same(
        text(40, 8, LOSS, title="train/loss"),
        """
        ╭ train/loss ──────────────────── .554 ╮
        │    8 ⢲⡀                              │
        │    6  ⠹⡄                             │
        │        ⠈⠣⡄                           │
        │    4     ⠈⠲⢤⡀                        │
        │    2        ⠉⠓⠦⢤⣀⡀                   │
        │                  ⠈⠉⠙⠒⠒⠒⠲⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⣀⣀⣀│
        ╰──────0──────────────50───────── step ╯
        """,
    )


def test_blocks_do_without_braille() -> None:
    assert same(
        text(40, 8, LOSS, title="train/loss", glyphs="block"),
        """
        ╭ train/loss ──────────────────── .554 ╮
        │    8 ▚                               │
        │    6  ▜▖                             │
        │        ▝▙▖                           │
        │    4     ▝▜▄▖                        │
        │    2        ▀▀▜▄▄▄▖                  │
        │                   ▀▀▀▀▀▀▀▀▙▄▄▄▄▄▄▄▄▄▄│
        ╰──────0──────────────50───────── step ╯
        """,
    )


def test_plain_text_does_without_anything() -> None:
    assert same(
        text(40, 8, LOSS, title="train/loss", glyphs="ascii"),
        """
        + train/loss -------------------- .554 +
        |    8 -.                              |
        |    6  ',                             |
        |        ''.                           |
        |    4     '',.                        |
        |    2        ''-,..                   |
        |                  '''''--------,......|
        +------0--------------50--------- step +
        """,
    )


def test_a_log_axis_makes_an_exponential_almost_straight() -> None:
    assert same(
        text(40, 8, LOSS, title="train/loss", log=True),
        """
        ╭ train/loss  log y ───────────── .554 ╮
        │   10 ⠲⢄⡀                             │
        │        ⠉⠓⢦⣀                          │
        │           ⠈⠙⠒⠤⣀⡀                     │
        │                ⠙⠒⠦⣄⡀                 │
        │    1               ⠈⠉⠓⠢⠤⣄⣀⡀          │
        │                           ⠉⠉⠙⠒⠒⠒⠦⠤⠤⠤⠤│
        ╰──────0──────────────50───────── step ╯
        """,
    )


def test_a_tiny_chart_keeps_title_value_and_line() -> None:
    assert same(
        text(20, 3, LOSS, title="train/loss"),
        """
        train/loss      .554
        ⠓⠦⣀
          ⠈⠉⠓⠒⠦⠤⠤⠤⠤⣀⣀⣀⣀⣀⣀⣀⣀⣀
        """,
    )


def test_an_empty_chart_says_so() -> None:
    assert same(
        text(30, 5, Series("a", [], []), title="train/loss"),
        """
        ╭ train/loss ────────────────╮
        │                            │
        │        no data yet         │
        │                            │
        ╰────────────────────── step ╯
        """,
    )


def test_two_lines_are_named_at_their_ends() -> None:
    assert same(
        text(60, 8, LOSS, RISE, title="compare"),
        """
        ╭ compare ─────────────────────────────────────────────────╮
        │    8 ⠲⡄                                                  │
        │    6  ⠙⢦                                                 │
        │         ⠙⢦⡀    ⣀⣀⡤⠤⠤⠔⠒⠒⠒⠒⠒⠋⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ byol     5.97│
        │    4     ⢀⣨⠶⢶⣋⠉                                          │
        │    2  ⣀⡴⠚⠁   ⠈⠉⠒⠦⢤⣀⣀                                     │
        │      ⠒⠁            ⠈⠉⠉⠙⠒⠒⠒⠒⠦⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀ moco-a1  .554│
        ╰──────0─────────────────50────────────────100─────── step ╯
        """,
    )


def test_two_lines_differ_without_colour() -> None:
    assert same(
        text(60, 8, LOSS, RISE, title="compare", patterns=True),
        """
        ╭ compare ─────────────────────────────────────────────────╮
        │    8 ⢲⡀                                                  │
        │    6  ⠹⢄                                                 │
        │        ⠈⠳⡄    ⣀⣠ ⠤⠔ ⠒⠒ ⠋⠉ ⠉⠉ ⠉⠉ ⠉⠉ ⠉⠉  ⠒⠒ ⠒ byol     5.97│
        │    4     ⣨⠓⢶⡋                                            │
        │    2  ⣠ ⠋   ⠈⠑⠲⢤⣀⣀                                       │
        │      ⠚⠁          ⠈⠉⠉⠓⠒⠒⠒⠦⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⣀⣀⣀ ⠒⠒⠒⠒ moco-a1  .554│
        ╰──────0───────────────50─────────────100──────────── step ╯
        """,
    )


def test_the_crosshair_reads_every_line() -> None:
    assert same(
        text(60, 8, LOSS, RISE, title="compare", crosshair=30.0),
        """
        ╭ compare ──────────────────────────────────────── step 30 ╮
        │    8 ⠲⡄         │                                        │
        │    6  ⠙⢦        │                                        │
        │         ⠙⢦⡀    ⣀●⡤⠤⠤⠔⠒⠒⠒⠒⠒⠋⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ byol     4.88│
        │    4     ⢀⣨⠶⢶⣋⠉ │                                        │
        │    2  ⣀⡴⠚⠁   ⠈⠉⠒●⢤⣀⣀                        moco-a1  2.29│
        │      ⠒⠁         │  ⠈⠉⠉⠙⠒⠒⠒⠒⠦⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀              │
        ╰──────0─────────────────50────────────────100─────── step ╯
        """,
    )


def test_a_band_without_colour_is_thin_dots() -> None:
    assert same(
        text(40, 8, Series("m", X, FALL), title="seeds", bands=[Band(X, FALL - 0.2, FALL + 0.2)], tints=False),
        """
        ╭ seeds ─────────────────────── .00674 ╮
        │    1 ⡀⠄                              │
        │      ⠘⢦⡀⠄                            │
        │       ⠁⠙⠦⣄⠄⠄                         │
        │         ⠁⠈⠑⠢⣄⣀⠅⠄⠄⠄⠄                  │
        │           ⠁⠁⠅⠅⠉⠙⠒⠒⠤⠤⠤⢤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠅⠅⠅⠅│
        │    0           ⠁⠁⠁⠁⠁⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠈⠉⠉⠉⠉│
        ╰──────0──────────────50───────── step ╯
        """,
    )


def test_nan_infinity_best_and_stages_are_marked() -> None:
    y = np.array(LOSS.y)
    y[50], y[80] = np.nan, np.inf
    assert same(
        text(40, 8, Series("a", X, y, best=(100, y[-1])), title="loss", marks=[(60, "probe")]),
        """
        ╭ loss  NaN at step 50 ────────── .554 ╮
        │    8 ⢲⡀                 ┊probe▲      │
        │    6  ⠹⡄                ┊     ⣿      │
        │        ⠈⠣⡄              ┊     ⣿      │
        │    4     ⠈⠲⢤⡀           ┊     ⣿      │
        │    2        ⠉⠓⠦⢤⣀⡀      ┊     ⣿      │
        │                  ⠈⠉⠙⠒×⠒⠲⠤⠤⠤⠤⠤⠤⠿⠤⠤⠤⣀⣀★│
        ╰──────0──────────────50───────── step ╯
        """,
    )


@pytest.mark.parametrize("width", [1, 2, 3, 7, 20, 23, 24, 29, 30, 47, 48, 60, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 6, 20])
@pytest.mark.parametrize("count", [0, 1, 3, 30])
def test_every_line_has_the_width_of_the_chart(width: int, height: int, count: int) -> None:
    series = [Series(f"日本語-run-{i}", X, FALL * i) for i in range(count)]
    for more in ({}, {"crosshair": 50.0, "patterns": True, "factor": 0.9}, {"glyphs": "ascii", "marks": [(3, "語")]}):
        asked = Request(width, height, "[b]train/損失 🎉\x1b[31m", series, **more)  # type: ignore[arg-type]
        lines = draw(asked).lines
        assert len(lines) == height
        assert {sum(cell_len(part) for part, _ in line) for line in lines} == {width}
        assert not any("\x1b" in part for line in lines for part, _ in line)


def test_nothing_but_ascii_where_nothing_else_is_shown() -> None:
    y = np.array(LOSS.y)
    y[50], y[80] = np.nan, np.inf
    series = [Series("a", X, y, best=(3, 2)), Series("b", X, y + 1)]
    assert text(80, 12, *series, glyphs="ascii", crosshair=30.0, marks=[(60, "probe")], patterns=True).isascii()


def test_several_smoothed_lines_are_all_there() -> None:
    noise = np.random.default_rng(0).normal(size=101)
    lines = draw(Request(60, 12, series=[LOSS, Series("n", X, FALL + noise, colour=2)], factor=0.9)).lines
    kinds = {(look.kind, look.colour) for line in lines for _, look in line}
    assert {("line", 0), ("line", 2), ("faint", 2)} <= kinds


def test_later_lines_take_the_colour_of_a_cell_but_leave_its_dots() -> None:
    flat, other = Series("a", [0, 1], [1.0, 1.0], 0), Series("b", [0, 1], [1.1, 1.1], 1)
    both = draw(Request(30, 4, series=[flat, other])).lines
    alone = draw(Request(30, 4, series=[other])).lines
    looks = {look.colour for line in both for part, look in line if look.kind == "line" and part.strip()}
    assert 1 in looks
    assert sum(part.count("⠉") for line in both for part, _ in line) or both != alone


def test_a_band_is_a_background_where_there_are_colours() -> None:
    lines = draw(Request(40, 8, series=[LOSS], bands=[Band(X, LOSS.y - 1, LOSS.y + 1, 3)])).lines
    assert any(look.band == 3 for line in lines for _, look in line)


def test_a_value_beyond_a_robust_range_is_marked_at_the_edge() -> None:
    y = np.array(RISE.y)
    y[40] = 1e6
    assert "▲" not in text(60, 8, Series("a", X, y))
    assert "▲" in text(60, 8, Series("a", X, y), robust=True).splitlines()[1]


def test_flags_say_how_the_chart_differs_from_the_plain_one() -> None:
    title = text(90, 8, LOSS, log=True, factor=0.97, robust=True, view=(10, 20), title="loss").splitlines()[0]
    assert title.startswith("╭ loss  log y  smooth .97  robust  zoomed ───")


def test_more_lines_than_rows_are_counted() -> None:
    assert "and 8 more" in text(60, 8, *(Series(f"run-{i}", X, FALL + i) for i in range(13)))


def test_a_view_shows_its_part_only() -> None:
    axis = text(60, 8, LOSS, view=(50, 60)).splitlines()[-1]
    assert axis.startswith("╰──────50")
    assert "58" in axis


def test_columns_are_remembered_from_picture_to_picture() -> None:
    reduced, asked = Reduced(), Request(60, 8, series=[LOSS])
    draw(asked, reduced)
    first = reduced.get(LOSS, LOSS.y, (0.0, 100.0, 104), 0.0, False)
    draw(asked, reduced)
    draw(Request(60, 8, series=[LOSS], crosshair=3.0), reduced)
    assert reduced.get(LOSS, LOSS.y, (0.0, 100.0, 104), 0.0, False) is first


def test_labels_are_spread_over_rows_in_their_order() -> None:
    assert spread([0.2, 0.1, 0.3], 5) == [1, 0, 2]
    assert spread([4.9, 4.9, 4.9], 5) == [2, 3, 4]
    assert spread([2.0, 2.0, 0.0], 3) == [1, 2, 0]


def test_text_is_cut_by_cells() -> None:
    assert [cut("train/loss", cells) for cells in (20, 10, 6, 1, 0)] == ["train/loss", "train/loss", "train…", "…", ""]
    assert cell_len(cut("日本語日本語", 6)) <= 6


def test_what_changed_in_a_line_is_known_by_cells() -> None:
    a, b = Look("line", 0), Look("line", 1)
    assert changed([("abcdef", a)], [("abXdef", a)], 6) == (2, 3)
    assert changed([("abc", a), ("def", b)], [("abcd", a), ("ef", b)], 6) == (3, 4)
    assert changed([("abc", a)], [("abd", a)], 3) == (2, 3)


def test_air_joins_what_stands_before_it_unless_it_has_a_background() -> None:
    line, air, tinted = Look("line", 0), Look("blank"), Look("blank", band=1)
    assert joined([("ab", line), ("  ", air), ("c", line)]) == [("ab  c", line)]
    assert joined([("ab", line), ("  ", tinted)]) == [("ab", line), ("  ", tinted)]


EXTREME = [0, -0.0, 1, 5e-324, 1e-300, 1.7e308, -1.7e308, np.nan, np.inf, -np.inf, 1 + 1e-15, 1e15, 1e16, 0.1]


@pytest.mark.parametrize("seed", range(60))
def test_no_numbers_whatever_break_a_picture(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y, low, high = random.choice(EXTREME, size=(4, int(random.integers(1, 30))))
    series = [Series("a", x, y, best=(x[0], y[-1])), Series("b", np.arange(float(len(y))), y)]
    width, height = int(random.integers(1, 130)), int(random.integers(1, 30))
    for kind in ("step", "epoch", "relative", "wall"):
        more = {"kind": kind, "bands": [Band(x, low, high)], "marks": [(x[0], "m")], "live": bool(seed % 2)}
        for rest in (
            {},
            {"log": True, "factor": 0.9},
            {"robust": True, "crosshair": 3.0},
            {"robust": True, "log": True},
        ):
            lines = draw(Request(width, height, "t", series, **more, **rest)).lines  # type: ignore[arg-type]
            assert {sum(cell_len(part) for part, _ in line) for line in lines} == {width}
