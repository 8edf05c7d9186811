"""VICReg: the loss is algorithm 1, and each term fights what it is there for."""

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.vicreg import covariance, invariance, variance
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "vicreg", "hidden_dim": 32, "projection_dim": 24, **said})
    assert not problems
    return find("vicreg")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def algorithm_1(a: np.ndarray, b: np.ndarray, lam: float = 25, mu: float = 25, nu: float = 1) -> float:
    """The paper's pseudo-code, in numpy: mse; hinge of the standard deviation; squared covariances off the diagonal."""
    count, width = a.shape
    near = ((a - b) ** 2).mean()
    wide = sum(np.maximum(0, 1 - np.sqrt(z.var(0, ddof=1) + 1e-4)).mean() for z in (a, b))
    apart = 0.0
    for z in (a, b):
        centred = z - z.mean(0)
        between = centred.T @ centred / (count - 1)
        apart += sum(between[i, j] ** 2 for i in range(width) for j in range(width) if i != j) / width
    return lam * near + mu * wide + nu * apart


def test_the_loss_is_algorithm_1():
    learner, seen = method(invariance=2.0, variance=3.0, covariance=0.5), batch()
    with torch.no_grad():
        first, second = (learner.projector(learner.encoder(view)).double().numpy() for view in seen.views)
    assert learner(seen)["loss"].item() == pytest.approx(algorithm_1(first, second, 2.0, 3.0, 0.5), rel=1e-4)


def test_the_papers_weights_are_the_defaults():
    learner, seen = method(), batch()
    report = learner(seen)
    weighted = 25 * report["invariance"] + 25 * report["variance"] + report["covariance"]
    torch.testing.assert_close(report["loss"].detach(), weighted)


def test_collapse_costs_all_the_variance_and_nothing_else():
    same = torch.ones(16, 5) * torch.arange(5.0)
    assert variance(same).item() == pytest.approx(1 - 1e-2)  # sqrt(1e-4), which keeps the slope finite
    assert invariance(same, same) == covariance(same) == 0


def test_features_that_vary_enough_cost_nothing():
    assert variance(5 * torch.randn(200, 6)) == 0


def test_a_feature_said_twice_costs_its_covariance():
    z = torch.randn(4000, 1).repeat(1, 2)
    assert covariance(z).item() == pytest.approx(z[:, 0].var().item() ** 2, rel=1e-4)  # two entries, divided by two


def test_no_variance_is_doubted_and_one_image_refused():
    kind = find("vicreg")
    assert "variance = 0" in kind.doubts(method(variance=0.0).settings, 64)[0]
    assert not kind.doubts(method().settings, 64)
    assert kind.objections(method().settings, 1) == ["batch_size = 1 has no variance; take at least 2"]


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method("tinyvgg-bn")
    assert_bf16_is_borne(learner, batch())


def test_the_loss_falls():
    learner, seen = method(), batch()
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
    losses = taught(learner, seen, optimizer, 30)
    assert losses[-1] < 0.7 * losses[0]
