"""SimCLR: NT-Xent as algorithm 1 writes it."""

import math

import numpy as np
import pytest
import torch
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.simclr import nt_xent
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "simclr", **said})
    assert not problems
    return find("simclr")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def algorithm_1(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    """The paper's loops: z_{2k-1} and z_{2k} are the views of image k, s their cosines."""
    count = len(first)
    z = np.empty((2 * count, first.shape[1]))
    z[0::2], z[1::2] = first, second
    s = np.empty((2 * count, 2 * count))
    for i in range(2 * count):
        for j in range(2 * count):
            s[i, j] = z[i] @ z[j] / (np.linalg.norm(z[i]) * np.linalg.norm(z[j]))

    def pair_loss(i: int, j: int) -> float:
        others = sum(math.exp(s[i, k] / temperature) for k in range(2 * count) if k != i)
        return -math.log(math.exp(s[i, j] / temperature) / others)

    return sum(pair_loss(2 * k, 2 * k + 1) + pair_loss(2 * k + 1, 2 * k) for k in range(count)) / (2 * count)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
def test_the_loss_is_algorithm_1(temperature):
    first, second = torch.randn(7, 12), torch.randn(7, 12)
    expected = algorithm_1(first.numpy(), second.numpy(), temperature)
    assert nt_xent(first, second, temperature)[0].item() == pytest.approx(expected, abs=1e-5)


def test_without_knowledge_the_loss_is_ln_of_2b_minus_1():
    """In many dimensions random directions are nearly orthogonal: all 2B - 1 candidates look alike."""
    torch.manual_seed(0)
    loss, _ = nt_xent(torch.randn(32, 20_000), torch.randn(32, 20_000), temperature=1.0)
    assert loss.item() == pytest.approx(math.log(2 * 32 - 1), abs=0.01)


def test_top1_counts_the_views_whose_nearest_is_their_own_image():
    z = torch.eye(6)
    assert nt_xent(z, z, 0.5)[1] == 1.0
    assert nt_xent(z, z.roll(1, 0), 0.5)[1] == 0.0


def test_both_views_go_through_in_one_batch():
    learner, sizes = method(), []
    learner.encoder.register_forward_hook(lambda _m, inputs, _o: sizes.append(len(inputs[0])))
    learner(batch())
    assert sizes == [16]


def test_the_loss_falls_and_the_pairs_are_found():
    learner, seen = method(), batch()
    optimizer = torch.optim.Adam(learner.parameters(), lr=3e-3)
    reports = []
    for _ in range(40):
        report = learner(seen)
        optimizer.zero_grad()
        report["loss"].backward()
        optimizer.step()
        reports.append(report)
    assert reports[-1]["loss"] < 0.7 * reports[0]["loss"]
    assert reports[-1]["top1"] > 0.9


def test_the_projector_is_that_of_the_settings():
    linear = [layer for layer in method(hidden_dim=32, projection_dim=16).projector if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(64, 32), (32, 16)]
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in method(projector_norm=False).projector)
    assert sum(isinstance(layer, nn.BatchNorm1d) for layer in method().projector) == 2
    assert list(method().trained()) == ["encoder", "projector"]


def test_under_bf16_the_cosines_are_still_fp32():
    with torch.autocast("cpu", torch.bfloat16):
        loss = method("tinyvgg-bn")(batch())["loss"]
        first, second = torch.randn(7, 12), torch.randn(7, 12)
        exact = nt_xent(first, second, 0.1)[0]
    assert loss.isfinite()
    assert loss.dtype == torch.float32
    assert exact.item() == pytest.approx(algorithm_1(first.numpy(), second.numpy(), 0.1), abs=1e-5)


def test_the_state_comes_back():
    learner, other = method(), method()
    nn.init.normal_(learner.projector[0].weight)
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch())["loss"], other(batch())["loss"])
    assert learner.embed(batch().views[0]).shape == (8, 128)
