"""What a chart is given; colours; bands over seeds; zoom and pan; sparklines."""

from __future__ import annotations

import numpy as np
import pytest

from sslterm.tui.widgets.chart import Band, Palette, Series, colour_of, mean_and_band, sparkline
from sslterm.tui.widgets.chart.crosshair import neighbour, readings, snapped
from sslterm.tui.widgets.chart.series import COLOURS
from sslterm.tui.widgets.chart.view import View


def test_columns_of_a_run_are_not_copied() -> None:
    values = np.arange(5.0)
    series = Series("a", memoryview(values), memoryview(values))
    assert np.shares_memory(series.x, values)
    assert np.shares_memory(series.y, values)


def test_points_are_put_in_order_and_those_without_a_place_are_left_out() -> None:
    series = Series("a", [3, np.nan, 1, 2], [30, 99, 10, 20])
    assert (series.x.tolist(), series.y.tolist()) == ([1, 2, 3], [10, 20, 30])
    band = Band([2, 1], [0, 1], [5, 6])
    assert (band.x.tolist(), band.low.tolist(), band.high.tolist()) == ([1, 2], [1, 0], [6, 5])


def test_the_first_nan_is_known() -> None:
    assert Series("a", [1, 2, 3], [1, np.nan, np.nan]).first_nan == 2
    assert Series("a", [1, 2], [1, np.inf]).first_nan is None
    assert Series("a", [], []).first_nan is None


def test_the_nearest_point_and_its_neighbours() -> None:
    one, other = Series("a", [0, 10, 20], [1, 2, 3]), Series("b", [4, 14], [5, 6])
    assert [one.nearest(x) for x in (-5, 0, 4.9, 5.1, 99)] == [0, 0, 0, 1, 2]
    assert snapped([one, other], 5) == 4
    assert snapped([], 5) is None
    assert [neighbour([one, other], 10, way) for way in (1, -1)] == [14, 4]
    assert neighbour([one], 20, 1) == 20
    assert [(found.name, found.x, found.y) for found in readings([one, other], 13, 0)] == [("a", 10, 2), ("b", 14, 6)]
    assert readings([one], 20, 0.5)[0].shown == pytest.approx((0.25 * 1 + 0.5 * 2 + 1 * 3) / 1.75)


def test_a_name_has_one_colour_everywhere_and_shares_it_late() -> None:
    palette, names = Palette(), [f"run-{i}" for i in range(COLOURS)]
    assert sorted(palette.of(name) for name in names) == list(range(COLOURS))
    assert [palette.of(name) for name in names] == [palette.of(name) for name in names]
    assert Palette().of("moco-a1") == colour_of("moco-a1") == Palette().of("moco-a1")
    assert palette.of("one more") in range(COLOURS)


def test_seeds_become_a_mean_and_a_band() -> None:
    mean, band = mean_and_band("moco ×2", [Series("0", [1, 2, 3], [1, 2, 3]), Series("1", [1, 2], [3, 4])], colour=2)
    assert (mean.x.tolist(), mean.y.tolist()) == ([1, 2], [2, 3])
    spread = 2**0.5  # of 1 and 3, and of 2 and 4, with n - 1
    assert band.low.tolist() == pytest.approx([2 - spread, 3 - spread])
    assert band.high.tolist() == pytest.approx([2 + spread, 3 + spread])
    assert (mean.colour, band.colour) == (2, 2)
    assert len(mean_and_band("none", [Series("0", [], [])])[0]) == 0


def test_zoom_stays_within_the_data_and_comes_back() -> None:
    view = View()
    view.data((0, 100), live=False, points=1000)
    assert view.zoom(2, around=25)
    assert view.zoomed == (12.5, 62.5)
    assert view.zoom(2, around=None)
    assert view.zoomed == (25, 50)
    assert view.pan(-9)
    assert view.zoomed == (0, 25)
    assert not view.pan(-1)
    assert view.zoom(0.25, around=None)
    assert view.zoomed is None
    assert not view.pan(1)
    assert not view.reset()


def test_zoom_leaves_a_few_points_in_sight() -> None:
    view = View()
    view.data((0, 100), live=False, points=101)
    while view.zoom(10, around=50):
        pass
    assert view.zoomed is not None
    assert 3 < view.zoomed[1] - view.zoomed[0] < 5


def test_a_view_of_the_end_goes_with_a_line_that_grows() -> None:
    view = View()
    view.data((0, 100), live=True, points=1000)
    view.zoom(4, around=None)
    assert view.zoomed is not None
    assert view.zoomed[1] >= 100
    before = view.zoomed
    view.data((0, 110), live=True, points=1100)
    assert view.zoomed == (before[0] + 10, before[1] + 10)
    view.set((0, 50))
    view.data((0, 120), live=True, points=1200)
    assert view.zoomed == (0, 50)
    view.data(None, live=True, points=0)
    assert (view.zoomed, view.zoom(2, None)) == (None, False)


@pytest.mark.parametrize(
    ("values", "width", "text"),
    [
        ([], 5, ""), ([1, 2], 0, ""), (range(8), 8, "▁▂▃▄▅▆▇█"), (range(16), 8, "▁▂▃▄▅▆▇█"), ([5, 5, 5], 8, "▄▄▄"),
        ([0, np.nan, 1], 8, "▁ █"), ([np.nan], 8, " "), ([1, np.inf, 2], 8, "▁ █"), ([1], 8, "▄"),
    ],
)  # fmt: skip
def test_a_sparkline_is_blocks_in_one_row(values: object, width: int, text: str) -> None:
    assert sparkline(list(values), width) == text  # type: ignore[call-overload]
