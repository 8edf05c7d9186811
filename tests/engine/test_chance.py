"""Draws depend on the place alone."""

from __future__ import annotations

import torch

from sslterm.engine import chance


def test_the_same_place_draws_the_same_whatever_came_before() -> None:
    first = torch.rand(5, generator=chance.generator(0, "views", 1, 2))
    torch.rand(1000)
    assert torch.equal(first, torch.rand(5, generator=chance.generator(0, "views", 1, 2)))


def test_neighbouring_places_differ() -> None:
    seeds = {
        chance.seed_of(seed, "views", stage, step) for seed in range(5) for stage in range(5) for step in range(99)
    }
    assert len(seeds) == 5 * 5 * 99


def test_shuffling_keeps_every_index() -> None:
    indices = torch.arange(10, 60)
    mixed = chance.shuffled(indices, 0, "order")
    assert not torch.equal(mixed, indices)
    assert torch.equal(mixed.sort().values, indices)


def test_a_sample_is_sorted_and_no_larger_than_asked() -> None:
    taken = chance.sample(torch.arange(100), 7, 0)
    assert len(taken) == 7
    assert torch.equal(taken, taken.sort().values)


def test_what_begins_at_a_place_draws_as_torchs_own_seed_would() -> None:
    chance.begin(torch.device("cpu"), 0, "painted")
    drawn = torch.rand(5)
    torch.manual_seed(chance.seed_of(0, "painted"))
    assert torch.equal(drawn, torch.rand(5))
