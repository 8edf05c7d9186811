"""Barlow Twins: the loss is the paper's, and equal features, not equal images, are what it fights."""

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.barlow_twins import cross_correlation, twins
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "barlow_twins", "hidden_dim": 32, "projection_dim": 24, **said})
    assert not problems
    return find("barlow_twins")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def by_hand(first: np.ndarray, second: np.ndarray, redundancy: float) -> float:
    """Algorithm 1: normalise along the batch, correlate, square the distance to the identity, weigh what is off it."""
    first, second = ((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) for z in (first, second))
    between = first.T @ second / len(first)
    total = 0.0
    for i in range(len(between)):
        for j in range(len(between)):
            total += (between[i, j] - 1) ** 2 if i == j else redundancy * between[i, j] ** 2
    return total


def test_the_loss_is_equation_1():
    generator = np.random.default_rng(0)
    first, second = (generator.normal(3.0, 2.0, (20, 7)) for _ in range(2))
    ours = twins(cross_correlation(torch.from_numpy(first), torch.from_numpy(second)), 0.005)
    assert ours.item() == pytest.approx(by_hand(first, second, 0.005), rel=1e-5)


def test_a_step_is_the_loss_of_both_views_by_the_settings():
    learner, seen = method(redundancy=0.05, loss_scale=0.1), batch()
    with torch.no_grad():
        first, second = (learner.projector(learner.encoder(view)).double().numpy() for view in seen.views)
    report = learner(seen)
    assert report["loss"].item() == pytest.approx(0.1 * by_hand(first, second, 0.05), rel=1e-3)


def test_equal_views_of_independent_features_lose_nothing():
    z = torch.linalg.qr(torch.randn(64, 9) - torch.randn(64, 9).mean(0)).Q
    z = torch.linalg.qr(z - z.mean(0)).Q  # columns of mean 0, at right angles
    assert twins(cross_correlation(z, z), 1.0).item() == pytest.approx(0.0, abs=1e-3)


def test_collapse_costs_a_whole_unit_a_feature():
    same = torch.ones(16, 5) * torch.arange(5)
    assert twins(cross_correlation(same, same), 0.005).item() == pytest.approx(5.0)


def test_a_feature_said_twice_costs_its_redundancy():
    z = torch.randn(4000, 1).repeat(1, 2)
    assert twins(cross_correlation(z, z), 0.25).item() == pytest.approx(2 * 0.25, abs=1e-2)


def test_agreement_is_1_where_both_views_are_one():
    learner, seen = method(), batch()
    assert learner(Batch((seen.views[0],) * 2, seen.labels, seen.indices))["agreement"].item() == pytest.approx(
        1, abs=1e-2
    )


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method("tinyvgg-bn")
    assert_bf16_is_borne(learner, batch())


def test_the_loss_falls():
    learner, seen = method(), batch()
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
    losses = taught(learner, seen, optimizer, 30)
    assert losses[-1] < 0.5 * losses[0]


def test_one_image_is_refused():
    assert find("barlow_twins").objections(method().settings, 1) == [
        "batch_size = 1 has no correlation; take at least 2"
    ]
    assert not find("barlow_twins").objections(method().settings, 2)
