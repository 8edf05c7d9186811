"""Ticks are nice and few, numbers are short, times are as a clock says them, ranges move seldom."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np
import pytest

from sslterm.tui.widgets.chart import scale


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("low", "high", "count", "places"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (0, 1, 4, [0, 0.5, 1]),
        (2.31, 8.3, 3, [4, 6, 8]),
        (-3, 3, 3, [-2, 0, 2]),
        (0.81, 0.84, 3, [0.81, 0.82, 0.83, 0.84]),
        (3.1, 4.9, 1, [3.5, 4, 4.5]),
    ],
)
def test_ticks_are_multiples_of_one_two_or_five(low: float, high: float, count: int, places: list[float]) -> None:
    np.testing.assert_allclose(scale.ticks(low, high, count), places)


@pytest.mark.parametrize(("low", "high"), [(0, 1e-9), (1, 1 + 1e-9), (-1e12, 1e12), (0, 7), (5, 6)])
def test_there_are_always_two_ticks_and_never_many(low: float, high: float) -> None:
    assert 2 <= len(scale.ticks(low, high, 4)) <= 6


def test_ticks_are_as_short_as_they_may_be() -> None:
    assert scale.labels([0, 0.2, 0.4]) == ["0", ".2", ".4"]
    assert scale.labels([0, 500, 1000, 1500]) == ["0", "500", "1k", "1.5k"]
    assert scale.labels([-0.5, 0, 0.5]) == ["-.5", "0", ".5"]
    assert scale.labels([0, 2e-4, 4e-4]) == ["0", "2e-4", "4e-4"]
    assert scale.labels([2e6, 4e6]) == ["2M", "4M"]
    assert scale.labels([4000]) == ["4k"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.8123, ".812"), (2.612, "2.61"), (8, "8"), (36_400, "36.4k"), (3.14e-4, "3.1e-4"), (0, "0"), (-0.5, "-.500"),
        (999.9, "1k"), (1204, "1.2k"), (1e6, "1M"), (123.4, "123"), (math.nan, "NaN"), (math.inf, "inf"),
    ],
)  # fmt: skip
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert scale.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (754, "12m34s"), (720, "12m"), (11_100, "3h05m"), (187_200, "2d04h"), (-60, "-1m")],
)
def test_elapsed_times(seconds: float, text: str) -> None:
    assert scale.elapsed(seconds) == text


def test_x_ticks_speak_of_what_x_is() -> None:
    assert [text for _, text in scale.x_ticks(0, 4000, 4, "step")] == ["0", "1k", "2k", "3k", "4k"]
    assert [text for _, text in scale.x_ticks(4.5, 5.5, 4, "step")] == ["5"]
    assert [text for _, text in scale.x_ticks(0, 2, 4, "epoch")] == ["0", ".5", "1.0", "1.5", "2.0"]
    assert [text for _, text in scale.x_ticks(0, 11_000, 4, "relative")] == ["0s", "1h", "2h", "3h"]


@pytest.mark.usefixtures("utc")
def test_wall_times_are_those_of_the_clock_here() -> None:
    noon = 1_795_003_200 // 86_400 * 86_400 + 43_200
    assert [text for _, text in scale.x_ticks(noon, noon + 3 * 3600, 4, "wall")] == ["12:00", "13:00", "14:00", "15:00"]
    assert [text for _, text in scale.x_ticks(noon, noon + 60, 4, "wall")][:2] == ["12:00:00", "12:00:15"]
    assert "18 Nov" not in [text for _, text in scale.x_ticks(noon, noon + 10 * 3600, 4, "wall")]
    over_night = [text for _, text in scale.x_ticks(noon, noon + 24 * 3600, 4, "wall")]
    assert over_night[1:] == ["18:00", time.strftime("%-d %b", time.gmtime(noon + 43_200)), "06:00", "12:00"]


def test_log_ticks_are_decades_or_parts_of_them() -> None:
    assert [text for _, text in scale.y_ticks(-4, 0, 5, log=True)] == ["1e-4", ".001", ".01", ".1", "1"]
    assert [text for _, text in scale.y_ticks(0, 2, 8, log=True)] == ["1", "2", "5", "10", "20", "50", "100"]
    assert [text for _, text in scale.y_ticks(math.log10(2), math.log10(8), 3, log=True)] == ["2", "4", "6", "8"]
    assert len(scale.y_ticks(-30, 0, 5, log=True)) <= 7


def test_a_constant_lies_in_the_middle() -> None:
    assert scale.y_range(2.0, 2.0) == (1.8, 2.2)
    assert scale.y_range(0.0, 0.0) == (-1.0, 1.0)
    assert scale.y_range(math.nan, math.nan) == (0.0, 1.0)
    assert scale.x_range(5, 5, live=False) == (4.5, 5.5)


def test_a_range_holds_its_values_and_little_more() -> None:
    low, high = scale.y_range(2.313, 8.297)
    assert 2.313 - 0.6 < low <= 2.313
    assert 8.297 <= high < 8.297 + 0.6


def test_a_live_axis_moves_seldom() -> None:
    ends = {scale.x_range(1, now, live=True)[1] for now in range(1000, 2000)}
    assert len(ends) < 12
    assert min(ends) >= 1000
    assert scale.x_range(1, 1000, live=False) == (0, 1000)


def test_a_robust_range_ignores_what_lies_far_off() -> None:
    values = np.random.default_rng(0).random(100_000)
    values[::5000] = 1e6
    values[7] = np.nan
    low, high = scale.robust(values, log=False)
    assert -0.1 < low < 0.1
    assert 0.9 < high < 1.1
    assert scale.robust(np.array([0.0, -1, 10, 1000]), log=True) == pytest.approx((1.0, 3.0), abs=0.1)
    assert all(map(math.isnan, scale.robust(np.array([np.nan]), log=False)))
