"""Randomness as a function of the place, not of what happened before: the same seed, stage, epoch and step always draw
the same numbers. So a resumed run needs no generator's state, and any step can be repeated alone."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def seed_of(*place: int | str) -> int:
    """A 63-bit seed for a place such as (seed, "views", stage, epoch, step)."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def begin(device: torch.device, *place: int | str) -> None:
    """Whatever is drawn without a generator from here on is a function of this place."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed_of(*place))  # torch.manual_seed would see to all other devices, too
    else:
        torch.manual_seed(seed_of(*place))


def generator(*place: int | str) -> torch.Generator:
    """A generator on the CPU, seeded for a place."""
    return torch.Generator().manual_seed(seed_of(*place))


def shuffled(indices: Tensor, *place: int | str) -> Tensor:
    """The same int64 indices in the order of a place."""
    return indices[torch.randperm(len(indices), generator=generator(*place))]


def sample(indices: Tensor, count: int, *place: int | str) -> Tensor:
    """At most `count` of the indices, sorted."""
    return shuffled(indices, *place)[:count].sort().values
