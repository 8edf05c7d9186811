"""Ratios turn by turn, and differences that are none; no figure of a clock is asserted."""

from __future__ import annotations

import pytest

from sslterm.bench.timing import Figure, in_turns, ratio


def test_a_rate_is_better_the_higher_and_a_time_the_lower() -> None:
    fast, slow = Figure("fast", (200.0, 220.0), "images/s"), Figure("slow", (100.0, 110.0), "images/s")
    assert ratio(fast, slow).value == pytest.approx(2.0)
    short, long = Figure("short", (1.0, 2.0), "ms"), Figure("long", (4.0, 8.0), "ms")
    assert ratio(short, long).value == pytest.approx(4.0)


def test_ratios_are_taken_turn_by_turn_so_that_a_busy_machine_does_not_count() -> None:
    busy = 10.0
    mine, theirs = Figure("m", (30.0, 3.0, 30.0, 3.0), "views/s"), Figure("t", (10.0, 1.0, 10.0, 1.0), "views/s")
    found = ratio(mine, theirs)
    assert (found.value, found.low, found.high) == (3.0, 3.0, 3.0)
    assert found.told_apart
    assert max(mine.values) / min(mine.values) == busy


def test_a_difference_within_the_spread_is_called_none() -> None:
    mine, theirs = Figure("m", (9.0, 11.0, 10.0, 10.5, 9.5), "views/s"), Figure("t", (10.0,) * 5, "views/s")
    found = ratio(mine, theirs)
    assert not found.told_apart
    assert str(found).startswith("no difference (")


def test_two_turns_are_told_apart_only_where_both_agree() -> None:
    reference = Figure("t", (10.0, 10.0), "views/s")
    assert ratio(Figure("m", (20.0, 30.0), "views/s"), reference).told_apart
    assert not ratio(Figure("m", (9.0, 30.0), "views/s"), reference).told_apart


def test_rivals_take_turns_and_the_first_time_does_not_count() -> None:
    order: list[str] = []
    taken = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert {name: len(times) for name, times in taken.items()} == {"a": 3, "b": 3}
