"""How many threads a step computes in, while others may want the same cores.

When another process takes one of the cores, threads that wait for each other at every layer all wait for the slowest:
a step on two cores was seen to take 17 times as long, while one thread alone lost nothing. So a step that takes far
longer than usual, again and again, begins a trial of fewer threads, and the full number is tried again now and then.

Sums in another number of threads differ in their last digits. So the number only ever changes under such duress, it is
said in the log when it does, and `OMP_NUM_THREADS` fixes it for good: whoever wants every bit sets it.
"""

from __future__ import annotations

import os
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

SLOW = 2.0
"""Times its usual length that a step takes before anything is suspected."""
PATIENCE = 3
"""Slow steps one after another that begin a trial: one alone may be a checkpoint, or the disk."""
TRIED = 3
"""Steps that are timed for each number of threads; the shortest counts."""
GAIN = 1.3
"""How much faster fewer threads have to be."""
REMEMBERED = 20
"""Steps whose median is the usual length."""
AGAIN = 30.0
"""Seconds after which the full number is tried again."""


@dataclass
class Threads:
    """Told how long each step took, says how many threads the next one takes. Knows nothing of torch."""

    most: int
    """As many as there are cores to use."""
    now: int = field(init=False)
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _slow: int = 0
    _trial: dict[int, list[float]] = field(default_factory=dict)
    _waiting: list[int] = field(default_factory=list)
    _since: float = 0.0
    """Seconds of steps since the last trial."""

    def __post_init__(self) -> None:
        self.now = self.most

    def step(self, seconds: float) -> int:
        """A step took so long. Gives back the number of threads for the next one."""
        if self._trial:
            return self._tried(seconds)
        self._since += seconds
        usual = statistics.median(self._recent) if len(self._recent) >= PATIENCE else None
        if usual is not None and seconds > SLOW * usual:
            self._slow += 1
        else:
            self._slow = 0
            self._recent.append(seconds)
        if self._slow >= PATIENCE or (self.now < self.most and self._since > AGAIN):
            return self._begin()
        return self.now

    @property
    def settled(self) -> bool:
        """Whether no trial is under way."""
        return not self._trial

    def _begin(self) -> int:
        """Try the present number first, then the others from the most on."""
        numbers = [self.now, *(n for n in candidates(self.most) if n != self.now)]
        self._waiting, self._trial = numbers[1:], {numbers[0]: []}
        return numbers[0]

    def _tried(self, seconds: float) -> int:
        number = list(self._trial)[-1]
        self._trial[number].append(seconds)
        if len(self._trial[number]) < TRIED:
            return number
        if self._waiting:
            following = self._waiting.pop(0)
            self._trial[following] = []
            return following
        return self._decide()

    def _decide(self) -> int:
        """The quickest; of nearly equals the present number, then the most threads."""
        taken = {number: min(times) for number, times in self._trial.items()}
        best = min(taken, key=lambda number: (taken[number], -number))
        if taken[self.now] >= GAIN * taken[best] or (best > self.now and taken[best] <= taken[self.now]):
            self.now = best
        self._trial, self._slow, self._since = {}, 0, 0.0
        self._recent.clear()
        return self.now


def candidates(most: int) -> list[int]:
    """Numbers worth a trial, the most first: all cores, all but one, half of them, one."""
    return sorted({most, max(most - 1, 1), max(most // 2, 1), 1}, reverse=True)


class Tuner:
    """Sets torch's threads as `Threads` says, and tells of every change."""

    def __init__(self, device: torch.device, say: Callable[[str], object]) -> None:
        self.say = say
        most = torch.get_num_threads()
        fixed = "OMP_NUM_THREADS" in os.environ or device.type != "cpu" or most == 1
        self._threads = None if fixed else Threads(most)
        self._said = most

    def step(self, seconds: float) -> None:
        """A step took so long."""
        if self._threads is None:
            return
        number = self._threads.step(seconds)
        if number != torch.get_num_threads():
            torch.set_num_threads(number)
        if self._threads.settled and number != self._said:
            why = "others use the cores" if number < self._said else "the cores are free again"
            self.say(
                f"computes in {number} thread{'s' * (number != 1)} from here, for {why}; last digits may differ from"
                " those of an undisturbed run (OMP_NUM_THREADS fixes the number)"
            )
            self._said = number

    def __enter__(self) -> Tuner:
        return self

    def __exit__(self, *error: object) -> None:
        """As many threads as before, for whatever this process does next."""
        if self._threads is not None and torch.get_num_threads() != self._threads.most:
            torch.set_num_threads(self._threads.most)
