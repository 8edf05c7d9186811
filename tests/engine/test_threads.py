"""When the number of threads changes: only under duress, and back again."""

from __future__ import annotations

import pytest
import torch

from sslterm.engine.threads import AGAIN, Threads, Tuner, candidates


def take(threads: Threads, seconds: dict[int, float], steps: int) -> list[int]:
    """Steps that take as long as their number of threads says; gives back the numbers they ran in."""
    ran = []
    for _ in range(steps):
        ran.append(threads_now := getattr(threads, "_next", threads.now))
        threads._next = threads.step(seconds[threads_now])  # type: ignore[attr-defined]
    return ran


@pytest.mark.parametrize(("most", "tried"), [(2, [2, 1]), (4, [4, 3, 2, 1]), (16, [16, 15, 8, 1]), (1, [1])])
def test_some_numbers_are_worth_a_trial(most: int, tried: list[int]) -> None:
    assert candidates(most) == tried


def test_steps_of_even_length_change_nothing() -> None:
    assert set(take(Threads(2), {2: 0.1, 1: 0.19}, 500)) == {2}


def test_one_slow_step_changes_nothing() -> None:
    threads = Threads(2)
    take(threads, {2: 0.1}, 20)
    for _ in range(10):
        assert set(take(threads, {2: 1.0}, 1) + take(threads, {2: 0.1}, 3)) == {2}
    assert threads.settled


def test_a_core_that_others_take_is_left_to_them() -> None:
    threads = Threads(2)
    take(threads, {2: 0.1}, 20)
    ran = take(threads, {2: 1.7, 1: 0.19}, 40)
    assert ran[-20:] == [1] * 20
    assert ran.count(2) <= 6  # three to suspect, three to try


def test_fewer_threads_that_are_no_faster_are_not_taken() -> None:
    threads = Threads(2)
    take(threads, {2: 0.1}, 20)
    ran = take(threads, {2: 0.5, 1: 0.45}, 60)
    assert ran[-20:] == [2] * 20


def test_the_full_number_comes_back_when_the_cores_are_free() -> None:
    threads = Threads(2)
    take(threads, {2: 0.1}, 20)
    take(threads, {2: 1.7, 1: 0.2}, 40)
    ran = take(threads, {2: 0.1, 1: 0.2}, int(AGAIN / 0.2) + 40)
    assert ran[-20:] == [2] * 20


def test_while_others_go_on_every_trial_ends_with_fewer() -> None:
    threads = Threads(4)
    take(threads, dict.fromkeys(range(1, 5), 0.1), 20)
    busy = {4: 2.0, 3: 0.4, 2: 0.15, 1: 0.3}
    assert take(threads, busy, 60)[-10:] == [2] * 10
    later = take(threads, busy, int(2 * AGAIN / 0.15))
    assert later.count(2) > 0.9 * len(later)


def test_who_sets_the_number_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    said: list[str] = []
    tuner = Tuner(torch.device("cpu"), said.append)
    before = torch.get_num_threads()
    for seconds in [0.1] * 20 + [5.0] * 20:
        tuner.step(seconds)
    assert torch.get_num_threads() == before
    assert said == []


def test_a_change_is_made_and_told_and_taken_back_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        said: list[str] = []
        with Tuner(torch.device("cpu"), said.append) as tuner:
            for _ in range(20):
                tuner.step(0.1)
            for _ in range(20):
                tuner.step(1.7 if torch.get_num_threads() == 2 else 0.2)
            assert torch.get_num_threads() == 1
        assert len(said) == 1
        assert said[0].startswith("computes in 1 thread from here, for others use the cores")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
