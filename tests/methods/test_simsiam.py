"""SimSiam: algorithm 1, with the gradient stopped on one side."""

import numpy as np
import pytest
import torch
from judging import taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.simsiam import distance
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    sizes = {"hidden_dim": 64, "projection_dim": 64, "predictor_dim": 16}
    checked, problems = settings({"name": "simsiam", **sizes, **said})
    assert not problems
    return find("simsiam")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def algorithm_1_distance(p: np.ndarray, z: np.ndarray) -> float:
    p = p / np.linalg.norm(p, axis=1, keepdims=True)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    return -(p * z).sum(axis=1).mean()


def test_the_loss_is_half_of_each_direction():
    learner, seen = method(), batch()
    with torch.no_grad():
        z1, z2 = (learner.projector(learner.encoder(view)) for view in seen.views)
        p1, p2 = learner.predictor(z1), learner.predictor(z2)
    expected = algorithm_1_distance(p1.numpy(), z2.numpy()) / 2 + algorithm_1_distance(p2.numpy(), z1.numpy()) / 2
    assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-5)


def test_no_gradient_reaches_the_side_that_is_foretold():
    p, z = torch.randn(4, 8, requires_grad=True), torch.randn(4, 8, requires_grad=True)
    distance(p, z).backward()
    assert z.grad is None
    assert p.grad.abs().sum() > 0


def test_the_gradient_is_that_of_the_pseudo_code():
    """With z replaced by what it is worth, as stop-gradient means, every weight gets the same gradient."""
    learner, seen = method(), batch()
    learner(seen)["loss"].backward()
    ours = {name: p.grad.clone() for name, p in learner.named_parameters()}
    learner.zero_grad()
    with torch.no_grad():
        targets = [nn.functional.normalize(learner.embed(view), dim=1) for view in seen.views]
    p1, p2 = (nn.functional.normalize(learner.predictor(learner.embed(view)), dim=1) for view in seen.views)
    (-(p1 * targets[1]).sum(1).mean() / 2 - (p2 * targets[0]).sum(1).mean() / 2).backward()
    for name, p in learner.named_parameters():
        torch.testing.assert_close(ours[name], p.grad, rtol=1e-4, atol=1e-6)


def test_unrelated_directions_have_no_loss():
    torch.manual_seed(0)
    assert distance(torch.randn(64, 5000), torch.randn(64, 5000)).item() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(("layers", "kinds"), [(2, "LBRLB"), (3, "LBRLBRLB")])
def test_the_projector_ends_in_batch_norm_without_weights(layers, kinds):
    learner = method(projector_layers=layers)
    assert "".join(type(layer).__name__[0] for layer in learner.projector) == kinds
    assert learner.projector[-1].weight is None
    assert learner.projector[-2].bias is None


def test_the_predictor_is_a_bottleneck_whose_output_is_not_normalised():
    learner = method()
    assert "".join(type(layer).__name__[0] for layer in learner.predictor) == "LBRL"
    assert learner.predictor[0].out_features == 16
    assert learner.predictor[-1].bias is not None


def test_the_predictors_rate_is_left_alone_by_the_schedule():
    assert find("simsiam").constant_lr == {"predictor"}
    assert "predictor" in method().trained()


def test_the_loss_falls():
    learner, seen = method(), batch()
    optimizer = torch.optim.SGD(learner.parameters(), lr=0.1, momentum=0.9)
    losses = taught(learner, seen, optimizer, 25)
    assert losses[0] == pytest.approx(0.0, abs=0.3)
    assert losses[-1] < -0.5


def test_bf16_gives_a_finite_fp32_loss():
    with torch.autocast("cpu", torch.bfloat16):
        loss = method("tinyvgg-bn")(batch())["loss"]
    assert loss.isfinite()
    assert loss.dtype == torch.float32


def test_the_state_comes_back():
    learner, other = method(), method()
    for p in learner.parameters():
        p.data += torch.randn_like(p) / 10
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch())["loss"], other(batch())["loss"])
    assert learner.embed(batch().views[0]).shape == (8, 64)
