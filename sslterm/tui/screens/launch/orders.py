"""From the fields beneath a preset to the commands that start it. Pure functions of text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST = 100
"""Runs that one press of a key may start."""


class NotUnderstood(ValueError):
    """A field that says nothing that could be meant; the text says what it takes."""


@dataclass(frozen=True)
class Form:
    """What the fields say."""

    name: str = ""
    seeds: str = ""
    device: str = "auto"
    places: str = "1"
    queue: bool = False


@dataclass(frozen=True)
class Plan:
    """What they amount to."""

    name: str
    seeds: Sequence[int]
    device: str
    places: int
    queue: bool

    @property
    def runs(self) -> int:
        """How many will be started."""
        return max(len(self.seeds), 1)

    def orders(self, preset: Path) -> list[list[str]]:
        """The commands, one a run."""
        base = ["run", str(preset), "--device", self.device, "--slots", str(self.places), "--json"]
        base.append("--queue" if self.queue else "--detach")
        orders = []
        for seed in self.seeds or (None,):
            order = list(base)
            if seed is not None:
                order += ["--seed", str(seed)]
            if self.name:
                order += ["--name", self.name + (f"-s{seed}" if len(self.seeds) > 1 else "")]
            orders.append(order)
        return orders


def plan(form: Form) -> Plan:
    """What is meant. Several runs always queue: at once they would be in each other's way. Raises NotUnderstood."""
    seeds = seeds_of(form.seeds)
    places = form.places.strip() or "1"
    if not places.isascii() or not places.isdigit() or not 1 <= int(places) <= MOST:
        raise NotUnderstood(f"places: {places!r} does not fit; write how many runs may share the device, as in 2")
    return Plan(form.name.strip(), seeds, form.device or "auto", int(places), form.queue or len(seeds) > 1)


def seeds_of(text: str) -> list[int]:
    """`3`, `0..4`, `1 2 5`; nothing means the preset's own. Raises NotUnderstood."""
    if not text.strip():
        return []
    first, dots, last = text.partition("..")
    try:
        if dots:
            found = list(range(int(first), min(int(last), int(first) + MOST) + 1))
        else:
            found = [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        found = []
    if not found or min(found) < 0 or len(found) > MOST:
        raise NotUnderstood(f"seeds: {text!r} does not fit; write 3, or 0..4, or 1 2 5")
    return list(dict.fromkeys(found))


def sentence(plan: Plan, free: str, users: Mapping[str, Sequence[str]]) -> str:
    """What ctrl+r will do, before it is pressed. `free`: the device it would get, if one is named; `users` of each."""
    what = "starts it" if plan.runs == 1 else f"starts {plan.runs} runs, seeds {_seeds(plan.seeds)},"
    others = users.get(free, ())
    if plan.queue:
        wait = f"after {_names(others)}" if len(others) >= plan.places else "now"
        return f"{what} {'one after another ' if plan.runs > 1 else ''}on {free}, {wait}"
    if not others:
        return f"{what} on {free}, which is free"
    slower = "" if len(others) < plan.places else "; both will be slower (queue waits)"
    return f"{what} on {free} beside {_names(others)}{slower}"


def _seeds(seeds: Sequence[int]) -> str:
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}..{seeds[-1]}"
    return " ".join(map(str, seeds))


def _names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} runs"


def started(out: str) -> Path | None:
    """The directory of the run that `sslterm run --json` started."""
    try:
        return Path(json.loads(out)["path"])
    except (ValueError, KeyError, TypeError):
        return None
