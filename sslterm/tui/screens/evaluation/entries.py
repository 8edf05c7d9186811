"""Answers by question: the same checkpoint, protocol and split, plain and augmented, are one entry."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sslterm.tui.screens.evaluation.answers import Answer

Key = tuple[Hashable, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """The answers to one question; the plain one first, if there is one, the most augmented last."""

    key: Key
    answers: tuple[Answer, ...]
    ambiguous: bool = False
    """Whether another entry differs only in what its name does not say."""

    @property
    def main(self) -> Answer:
        """The most augmented one."""
        return self.answers[-1]

    @property
    def time(self) -> float:
        """When the newest was made."""
        return max(answer.time for answer in self.answers)

    @property
    def title(self) -> str:
        """`probe-0050 · head · test`."""
        main = self.main
        parts = [main.checkpoint, main.protocol, main.split, *([main.device] if self.ambiguous else [])]
        return " · ".join(part for part in parts if part)

    @cached_property
    def worst(self) -> tuple[int, int]:
        """Truth and guess of the largest confusion, by its share of the row."""
        matrix = self.main.confusion
        if matrix is None or len(matrix) < 2:
            return 0, 0
        parts = matrix / np.maximum(matrix.sum(axis=1, keepdims=True, dtype=np.float64), 1)
        np.fill_diagonal(parts, -1)
        truth, guess = np.unravel_index(int(parts.argmax()), parts.shape)
        return (int(truth), int(guess)) if parts[truth, guess] > 0 else (0, 0)


def grouped(answers: Iterable[Answer]) -> list[Entry]:
    """The entries, the newest first. Of two answers to the very same question the newer one counts."""
    found: dict[Key, dict[str, Answer]] = {}
    for answer in sorted(answers, key=lambda one: one.time):
        found.setdefault(_key(answer), {})[answer.how] = answer
    names = [key[:3] for key in found]
    entries = [
        Entry(key, tuple(sorted(ways.values(), key=_augmented)), names.count(key[:3]) > 1)
        for key, ways in found.items()
    ]
    return sorted(entries, key=lambda entry: (entry.time, entry.title), reverse=True)


def _key(answer: Answer) -> Key:
    return answer.file, answer.protocol, answer.split, *answer.same


def _augmented(answer: Answer) -> tuple[bool, int, str]:
    """Plain, flip, flip at one more size, at two more."""
    return answer.how != "plain", answer.how.count(",") + answer.how.count("@"), answer.how


def over_epochs(entries: Sequence[Entry], of: Entry, metric: str = "top1") -> dict[str, tuple[list[int], list[float]]]:
    """Epochs and values, for each way to look at images, of the checkpoints of one stage, by one protocol and split.

    Of several answers for one epoch the newest counts.
    """
    alike = [entry for entry in entries if _course(entry.main) == _course(of.main)]
    found: dict[str, dict[int, float]] = {}
    for entry in reversed(alike):
        for answer in entry.answers:
            if answer.epoch is not None and metric in answer.metrics:
                found.setdefault(answer.how, {})[answer.epoch] = answer.metrics[metric]
    order = sorted(found, key=lambda how: (how != "plain", how))
    return {how: (sorted(found[how]), [found[how][epoch] for epoch in sorted(found[how])]) for how in order}


def _course(answer: Answer) -> tuple[str, ...]:
    return answer.stage, answer.protocol, answer.split


def place_of(entries: Sequence[Entry], file: str) -> int | None:
    """The first entry of a checkpoint, by its file's name with or without ending."""
    wanted = {file, file.removesuffix(".pt")}
    return next((place for place, one in enumerate(entries) if {one.main.file, one.main.checkpoint} & wanted), None)
