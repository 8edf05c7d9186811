"""The moving average equals the loop that defines it, whatever the factor, the length and the gaps."""

from __future__ import annotations

import numpy as np
import pytest

from sslterm.tui.widgets.chart.smoothing import ema, memory

RANDOM = np.random.default_rng(0)


def looped(values: np.ndarray, factor: float) -> np.ndarray:
    """The definition: an average over what is finite, corrected for its beginning at zero."""
    found, average, count = np.array(values), 0.0, 0
    for index, value in enumerate(values):
        if np.isfinite(value):
            average, count = factor * average + (1 - factor) * value, count + 1
            found[index] = average / (1 - factor**count)
    return found


@pytest.mark.parametrize("factor", [1e-9, 0.01, 0.1, 0.5, 0.9, 0.97, 0.99])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 4096, 20_000])
def test_equals_the_loop(factor: float, count: int) -> None:
    values = RANDOM.normal(size=count) * 10 + 3
    np.testing.assert_allclose(ema(values, factor), looped(values, factor), rtol=1e-12, atol=1e-12)


def test_a_constant_stays_itself_from_the_first_value_on() -> None:
    np.testing.assert_allclose(ema(np.full(5000, 7.0), 0.99), 7.0, rtol=1e-12)


def test_nothing_is_smoothed_by_zero() -> None:
    values = RANDOM.normal(size=10)
    assert ema(values, 0.0) is values
    assert len(ema(np.empty(0), 0.9)) == 0


def test_what_is_not_finite_stays_where_it_is_and_harms_nobody() -> None:
    values = RANDOM.normal(size=3000)
    values[[0, 10, 11, 500]], values[[20, 2999]] = np.nan, np.inf
    np.testing.assert_allclose(ema(values, 0.95), looped(values, 0.95), rtol=1e-12)
    assert np.isnan(ema(np.full(3, np.nan), 0.9)).all()


def test_what_lies_further_back_than_memory_changes_nothing() -> None:
    values = RANDOM.normal(size=9000)
    run_up = memory(0.99)
    np.testing.assert_allclose(ema(values[5000 - run_up :], 0.99)[run_up:], ema(values, 0.99)[5000:], atol=1e-14)
