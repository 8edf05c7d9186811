"""Optimizers: groups as the preset says, LARS as its paper says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from told import FACTS
from torch import Tensor, nn

from sslterm import methods, presets
from sslterm.engine.checkpoint import copied
from sslterm.engine.optim import build_optimizer
from sslterm.engine.optimizers import LARS, SGD, Adam
from sslterm.methods import Method
from sslterm.models.encoders import build_encoder


def method(name: str = "simsiam", encoder: str = "tinyvgg-bn", **said: Any) -> Method:
    torch.manual_seed(0)
    settings, problems = methods.settings({"name": name, **said})
    assert not problems
    return methods.find(name)(build_encoder(presets.Encoder(name=encoder), 3), settings, FACTS)


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


def learned(optimizer: Any, weights: list[nn.Parameter], steps: range) -> list[torch.Tensor]:
    """The weights after some steps down slopes that depend on the step alone."""
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (1 + step)
        generator = torch.Generator().manual_seed(step)
        for place, weight in enumerate(weights):
            late = place == 1 and step < 2  # as prototypes are that stand still at first
            weight.grad = None if late else torch.randn(weight.shape, generator=generator)
        optimizer.step()
    return [weight.detach().clone() for weight in weights]


def some_weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(9)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 4), (5,), (2, 3, 3, 3))]


RIVALS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1.0, weight_decay=0.01, momentum=0.9, foreach=False),
    "nesterov": lambda p: torch.optim.SGD(p, lr=1.0, weight_decay=0.01, momentum=0.9, nesterov=True, foreach=False),
    "plain": lambda p: torch.optim.SGD(p, lr=1.0, weight_decay=0.01, foreach=False),
    "adam": lambda p: torch.optim.Adam(p, lr=1.0, weight_decay=0.01, betas=(0.8, 0.95), fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1.0, weight_decay=0.01, betas=(0.8, 0.95), fused=True),
}
OURS = {
    "sgd": lambda g: SGD(g, momentum=0.9),
    "nesterov": lambda g: SGD(g, momentum=0.9, nesterov=True),
    "plain": SGD,
    "adam": lambda g: Adam(g, (0.8, 0.95)),
    "adamw": lambda g: Adam(g, (0.8, 0.95), decoupled=True),
    "lars": LARS,
}


class TestTorchs:
    @pytest.mark.parametrize("name", RIVALS)
    def test_steps_are_those_of_torch_optim(self, name: str) -> None:
        ours, theirs = some_weights(), some_weights()
        optimizer = OURS[name]([{"params": ours, "weight_decay": 0.01}])
        moved = learned(optimizer, ours, range(6))
        torch.testing.assert_close(moved, learned(RIVALS[name](theirs), theirs, range(6)), rtol=1e-6, atol=1e-7)
        assert not torch.equal(moved[0], some_weights()[0])

    @pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
    def test_what_torch_optim_saved_can_be_gone_on_with(self, name: str) -> None:
        theirs, ours = some_weights(), some_weights()
        rival = RIVALS[name](theirs)
        learned(rival, theirs, range(3))
        for weight, other in zip(ours, theirs, strict=True):
            weight.data.copy_(other)
        optimizer = OURS[name]([{"params": ours, "weight_decay": 0.01}])
        optimizer.load_state_dict(rival.state_dict())
        torch.testing.assert_close(
            learned(optimizer, ours, range(3, 6)), learned(rival, theirs, range(3, 6)), rtol=1e-6, atol=1e-7
        )

    @pytest.mark.parametrize("name", OURS)
    def test_what_is_saved_and_loaded_goes_on_exactly(self, name: str) -> None:
        weights, again = some_weights(), some_weights()
        optimizer, other = (OURS[name]([{"params": w, "weight_decay": 0.01}]) for w in (weights, again))
        learned(optimizer, weights, range(3))
        for weight, twin in zip(weights, again, strict=True):
            twin.data.copy_(weight)
        other.load_state_dict(copied(optimizer.state_dict()))
        for one, twin in zip(learned(optimizer, weights, range(3, 6)), learned(other, again, range(3, 6)), strict=True):
            assert torch.equal(one, twin)


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

    @pytest.mark.parametrize("lr", [0.004, 0.7])
    def test_a_clipped_rate_is_never_above_lr(self, lr: float) -> None:
        """LARC: min(lambda, lr) in place of lr lambda."""
        weights = [nn.Parameter(torch.tensor(w)) for w in ([1.0, -2.0, 0.5], [30.0, 40.0])]
        slopes = [torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.01, 0.02])]
        before = [weight.detach().clone() for weight in weights]
        for weight, slope in zip(weights, slopes, strict=True):
            weight.grad = slope.clone()
        group = {"params": weights, "lr": lr, "weight_decay": 0.01}
        LARS([group], momentum=0.9, trust_coefficient=0.02, clip_rate=True).step()
        for weight, slope, was in zip(weights, slopes, before, strict=True):
            own = 0.02 * was.norm() / (slope.norm() + 0.01 * was.norm())
            expected = was - min(float(own), lr) * (slope + 0.01 * was)
            torch.testing.assert_close(weight.detach(), expected)

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


class TestLayerDecay:
    @staticmethod
    def rates(learner: Method, **said: Any) -> dict[str, float]:
        """The rate of each weight by its name."""
        names = {weight: name for name, weight in learner.named_parameters()}
        groups = build_optimizer(learner, presets.Optimizer(**said)).param_groups
        return {names[weight]: group["base_lr"] for group in groups for weight in group["params"]}

    def test_vits_decay_as_in_mae(self) -> None:
        """get_layer_id_for_vit of its code: 0 for class token and patches, i for block i, for all else the head's."""
        rates = self.rates(method("supervised", encoder="vit-micro"), lr=0.1, layer_decay=0.5)
        for name, rate in rates.items():
            _, first, *_ = name.split(".")
            ids = {"cls_token": 0, "patch_embed": 0, "block1": 1, "block2": 2, "block3": 3, "block4": 4}
            assert rate == pytest.approx(0.1 * 0.5 ** (5 - ids.get(first, 5))), name

    def test_every_encoder_decays_from_the_head_to_the_image(self) -> None:
        rates = self.rates(method("supervised"), lr=0.1, layer_decay=0.5)
        own = [rates["head.weight"], rates["encoder.full.0.weight"], rates["encoder.layer5.0.weight"]]
        assert own == pytest.approx([0.1, 0.05, 0.025])
        assert rates["encoder.layer1.0.weight"] == rates["encoder.layer1.1.bias"] == pytest.approx(0.1 / 2**6)

    def test_rates_of_parts_decay_too(self) -> None:
        learner = method("supervised", train=("layer5", "head"))
        rates = self.rates(learner, lr={"layer5": 0.1, "head": 0.3}, layer_decay=0.5)
        assert {rate for name, rate in rates.items() if "layer5" in name} == {0.025}
        assert rates["head.bias"] == 0.3

    def test_what_is_not_of_the_encoder_has_the_whole_rate(self) -> None:
        rates = self.rates(method(encoder="vit-micro"), lr=0.1, layer_decay=0.5)
        assert {rate for name, rate in rates.items() if not name.startswith("encoder")} == {0.1}

    def test_without_it_a_part_has_but_two_groups(self) -> None:
        groups = build_optimizer(method("supervised", encoder="vit-micro"), presets.Optimizer()).param_groups
        assert [group["part"] for group in groups] == ["encoder", "encoder", "head", "head"]

    def test_it_says_nothing_of_weight_decay(self) -> None:
        settings = presets.Optimizer(layer_decay=0.5, weight_decay=0.1, decay_vectors=False)
        groups = build_optimizer(method("supervised", encoder="vit-micro"), settings).param_groups
        assert len(groups) == 5 + 6 + 2  # matrices of 5 layers, vectors of them and of the norm, the head
        assert all((group["weight_decay"] == 0) == (group["params"][0].ndim <= 1) for group in groups)
