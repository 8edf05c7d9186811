"""Lines of points become dots without holes and without losing a spike; dots become glyphs."""

from __future__ import annotations

import numpy as np
import pytest

from sslterm.tui.widgets.chart.columns import AT_ONCE, columns
from sslterm.tui.widgets.chart.raster import ASCII, BLOCK, BRAILLE, GLYPHS, PATTERNS, filled, packed, sample, spans
from sslterm.tui.widgets.chart.smoothing import ema

MILLION = 1_000_000


def dots(y: list[float] | np.ndarray, width: int, height: int, low: float, high: float, **more: object) -> list[str]:
    """A line over 0, 1, 2, ... as rows of `#` and `.`"""
    x = np.arange(float(len(y)))
    found = columns(x, np.asarray(y, float), 0, max(len(y) - 1, 1), width, **more)
    return [
        "".join("#" if dot else "." for dot in row) for row in filled(spans(found, width, height, low, high), height)
    ]


def test_a_diagonal_is_one_dot_a_column() -> None:
    assert dots([0, 1, 2, 3], 4, 4, 0, 3) == ["...#", "..#.", ".#..", "#..."]
    assert dots([3, 2, 1, 0], 4, 4, 0, 3) == ["#...", ".#..", "..#.", "...#"]


def test_few_points_are_joined_by_straight_lines() -> None:
    assert dots([0, 3], 7, 4, 0, 3) == ["......#", "....##.", "..##...", "##....."]


def test_a_steep_line_meets_half_way() -> None:
    assert dots([0, 5], 2, 6, 0, 5) == [".#", ".#", ".#", "#.", "#.", "#."]


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("points", [2, 5, 37, 240, 1000, 50_000])
def test_a_monotone_line_has_no_holes(points: int, rising: bool) -> None:
    y = np.cumsum(np.random.default_rng(points).random(points) ** 8)
    y = y if rising else -y
    found = spans(columns(np.arange(float(points)), y, 0, points - 1, 240), 240, 120, y.min(), y.max())
    assert (found.top <= found.bottom).all()
    apart = np.maximum(found.top[1:], found.top[:-1]) - np.minimum(found.bottom[1:], found.bottom[:-1])
    assert apart.max() <= 1  # neighbours touch, at least at a corner


def test_a_spike_of_one_in_a_million_is_seen_to_its_tip() -> None:
    y = np.zeros(MILLION)
    y[123_456] = 1.0
    picture = dots(y, 240, 40, 0, 1)
    assert [row.count("#") for row in picture] == [1] * 39 + [240]
    assert picture[0].index("#") == round(123_456 / (MILLION - 1) * 239)


def test_columns_are_first_least_greatest_last() -> None:
    found = columns(np.arange(8.0), np.array([1.0, 9, 0, 2, 3, 4, -1, 5]), 0, 7, 2)
    assert [found.first.tolist(), found.low.tolist()] == [[1, 3], [0, -1]]
    assert [found.high.tolist(), found.last.tolist()] == [[9, 5], [2, 5]]


def test_nan_is_a_gap_and_is_counted() -> None:
    x, y = np.arange(9.0), np.ones(9)
    y[4] = np.nan
    found = columns(x, y, 0, 8, 9)
    assert found.at.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert found.nans.tolist() == [4]
    assert found.joined.tolist() == [True] * 3 + [False] + [True] * 3 + [False]
    assert dots(y, 9, 1, 0, 2) == ["####.####"]


def test_nan_among_many_points_of_a_column_loses_none_of_the_others() -> None:
    y = np.arange(1000.0)
    y[[0, 499, 999]] = np.nan
    found = columns(np.arange(1000.0), y, 0, 999, 10)
    assert (found.low[0], found.high[-1]) == (1, 998)
    assert found.nans.tolist() == [0, 4, 9]


def test_nothing_but_nan_is_nothing() -> None:
    assert dots([np.nan] * 5, 5, 2, 0, 1) == [".....", "....."]
    assert dots([], 5, 2, 0, 1) == [".....", "....."]


def test_one_point_is_one_dot_that_asks_for_a_sign() -> None:
    found = spans(columns(np.array([5.0]), np.array([1.0]), 4.5, 5.5, 9), 9, 3, 0, 2)
    assert filled(found, 3).sum() == 1
    assert np.flatnonzero(found.single).tolist() == [4]


def test_infinities_leave_the_picture_and_say_so() -> None:
    y = np.array([1.0, np.inf, 1, -np.inf, 1])
    found = spans(columns(np.arange(5.0), y, 0, 4, 5), 5, 5, 0, 2)
    assert np.flatnonzero(found.above).tolist() == [1]
    assert np.flatnonzero(found.below).tolist() == [3]


def test_values_beyond_a_robust_range_leave_the_picture_too() -> None:
    found = spans(columns(np.arange(4.0), np.array([0.0, 1, 90, 1]), 0, 3, 4), 4, 4, 0, 3)
    assert np.flatnonzero(found.above).tolist() == [2]


def test_on_a_log_axis_what_is_not_positive_is_a_gap() -> None:
    found = columns(np.arange(5.0), np.array([1.0, 10, 0, -5, 100]), 0, 4, 5, log=True)
    assert found.at.tolist() == [0, 1, 4]
    assert found.last.tolist() == [0, 1, 2]
    assert found.joined.tolist() == [True, False, False]
    assert not len(found.nans)


def test_a_part_of_a_line_enters_and_leaves_at_the_edges() -> None:
    x = np.array([0.0, 10, 20])
    found = columns(x, x, 4, 16, 13)
    assert found.at.tolist() == [-4, 6, 16]
    assert filled(spans(found, 13, 13, 4, 16), 13)[::-1].tolist() == np.eye(13, dtype=bool).tolist()


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.99])
def test_smoothing_in_portions_equals_smoothing_everything(factor: float) -> None:
    y = np.random.default_rng(1).normal(size=3 * AT_ONCE + 17)
    x = np.arange(float(len(y)))
    some, whole = columns(x, y, 0, len(y), 50, factor), columns(x, ema(y, factor), 0, len(y), 50)
    for name in ("first", "low", "high", "last"):
        np.testing.assert_allclose(getattr(some, name), getattr(whole, name), atol=1e-12)


def test_glyphs_show_their_dots() -> None:
    corners = np.zeros((4, 2), dtype=bool)
    corners[0, 0] = corners[3, 1] = True
    assert BRAILLE.table[packed(corners, BRAILLE)].tolist() == [["⢁"]]
    assert BLOCK.table[packed(corners[[0, 3]], BLOCK)].tolist() == [["▚"]]
    assert ASCII.table[packed(np.array([[True], [False], [False]]), ASCII)].tolist() == [["'"]]
    assert ASCII.table[packed(np.ones((3, 1), dtype=bool), ASCII)].tolist() == [["|"]]


@pytest.mark.parametrize("name", GLYPHS)
def test_every_number_of_a_cell_has_a_glyph_and_no_dots_are_a_space(name: str) -> None:
    glyphs = GLYPHS[name]  # type: ignore[index]
    assert len(glyphs.table) == 2 ** (glyphs.across * glyphs.down)
    assert glyphs.table[0] == " "
    assert name != "ascii" or all(glyph.isascii() for glyph in [*glyphs.table.tolist(), *glyphs.signs.values()])


@pytest.mark.parametrize("glyphs", [BRAILLE, BLOCK, ASCII])
def test_patterns_differ(glyphs: object) -> None:
    assert len({sample(pattern, glyphs) for pattern in PATTERNS}) == len(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_never_hides_a_spike(pattern: str) -> None:
    for place in range(30):
        y = np.zeros(30)
        y[place] = 1.0
        found = spans(columns(np.arange(30.0), y, 0, 29, 60), 60, 20, 0, 1)
        assert filled(found, 20, pattern)[0].any()
