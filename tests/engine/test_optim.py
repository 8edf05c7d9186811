"""Optimizers: groups as the preset says, LARS as its paper says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sslterm import methods, presets
from sslterm.engine.optim import LARS, build_optimizer
from sslterm.methods import Method
from sslterm.models.encoders import build_encoder


def method(name: str = "simsiam", **said: Any) -> Method:
    torch.manual_seed(0)
    settings, problems = methods.settings({"name": name, **said})
    assert not problems
    return methods.find(name)(build_encoder(presets.Encoder(name="tinyvgg-bn"), 3), settings, 10)


def lars_by_hand(
    weights: list[float], slopes: list[list[float]], lr: float, m: float, eta: float, beta: float
) -> Tensor:
    """Algorithm 1 of You et al. 2017, written out for one layer; `slopes` are the gradients of the steps."""
    w = torch.tensor(weights, dtype=torch.float64)
    v = torch.zeros_like(w)
    for slope in slopes:
        g = torch.tensor(slope, dtype=torch.float64)
        local = eta * w.norm() / (g.norm() + beta * w.norm())
        v = m * v + lr * local * (g + beta * w)
        w = w - v
    return w


class TestLARS:
    def test_it_equals_the_paper(self) -> None:
        slopes = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [0.1, 0.1, 0.1]]
        weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        optimizer = LARS([{"params": [weight], "lr": 0.7, "weight_decay": 0.01}], momentum=0.9, trust_coefficient=0.02)
        for slope in slopes:
            weight.grad = torch.tensor(slope)
            optimizer.step()
        expected = lars_by_hand([1.0, -2.0, 0.5], slopes, lr=0.7, m=0.9, eta=0.02, beta=0.01)
        torch.testing.assert_close(weight.detach().double(), expected, rtol=1e-5, atol=1e-6)

    def test_spared_vectors_take_plain_momentum_steps(self) -> None:
        weight, twin = (nn.Parameter(torch.tensor([1.0, 2.0])) for _ in range(2))
        lars = LARS([{"params": [weight], "lr": 0.1, "adapt": False}], momentum=0.9)
        sgd = torch.optim.SGD([twin], lr=0.1, momentum=0.9)
        for _ in range(3):
            for parameter in (weight, twin):
                parameter.grad = torch.tensor([0.3, -0.2])
            lars.step()
            sgd.step()
        torch.testing.assert_close(weight, twin)

    def test_a_weight_of_zero_still_moves(self) -> None:
        weight = nn.Parameter(torch.zeros(2))
        weight.grad = torch.ones(2)
        LARS([{"params": [weight], "lr": 0.1}]).step()
        assert (weight != 0).all()


class TestGroups:
    def test_vectors_are_spared_where_the_preset_says_so(self) -> None:
        settings = presets.Optimizer(weight_decay=0.1, decay_vectors=False)
        for group in build_optimizer(method(), settings).param_groups:
            vectors = {parameter.ndim <= 1 for parameter in group["params"]}
            assert len(vectors) == 1
            assert group["weight_decay"] == (0.0 if vectors == {True} else 0.1)

    def test_the_teacher_is_never_in_the_optimizer(self) -> None:
        byol = method("byol", hidden_dim=16, projection_dim=8)
        moved = {id(p) for group in build_optimizer(byol, presets.Optimizer()).param_groups for p in group["params"]}
        assert not moved & {id(p) for p in byol.teacher.parameters()}

    def test_frozen_parts_hold_no_optimizer_state(self) -> None:
        probe = method("supervised", train="head")
        groups = build_optimizer(probe, presets.Optimizer(name="adam")).param_groups
        assert {group["part"] for group in groups} == {"head"}
        assert sum(len(group["params"]) for group in groups) == 2

    def test_each_part_has_its_own_rate(self) -> None:
        partial = method("supervised", train=("layer5", "head"))
        groups = build_optimizer(partial, presets.Optimizer(lr={"layer5": 1e-5, "head": 1e-3})).param_groups
        assert {(group["part"], group["lr"]) for group in groups} == {("layer5", 1e-5), ("head", 1e-3)}

    def test_a_rate_for_a_frozen_part_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"optimizer\.lr\.layer1: no trained part"):
            build_optimizer(method("supervised", train="head"), presets.Optimizer(lr={"layer1": 1e-3, "head": 1e-3}))

    def test_a_part_without_a_rate_is_refused(self) -> None:
        with pytest.raises(ValueError, match="says no rate for head"):
            build_optimizer(method("supervised"), presets.Optimizer(lr={"encoder": 1e-3}))

    def test_simsiams_predictor_keeps_its_rate(self) -> None:
        groups = build_optimizer(method(), presets.Optimizer()).param_groups
        assert {group["part"] for group in groups if group["constant"]} == {"predictor"}
