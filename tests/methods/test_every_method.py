"""What holds for every method: a step never waits for the device, and the whole memory is in the state."""

from dataclasses import replace

import pytest
import torch
from told import FACTS, TINY, encoder_of
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.models.encoders import build_encoder

SIDE = 16
WAITS = {
    torch.ops.aten._local_scalar_dense.default,  # .item(), float(), if tensor:
    torch.ops.aten.nonzero.default,  # boolean masks
    torch.ops.aten.masked_select.default,
    torch.ops.aten.equal.default,
}


class NoWaiting(TorchDispatchMode):
    """Fails where a computation would have to wait for the device's answer."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func not in WAITS, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


def method(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    checked, problems = settings({"name": name, **TINY[name]})
    assert not problems
    encoder = build_encoder(presets.Encoder(**encoder_of(name)), 3)
    return find(name)(encoder, checked, replace(FACTS, size=SIDE))


def batch(learner: nn.Module) -> Batch:
    views = tuple(torch.randn(8, 3, SIDE, SIDE) for _ in range(learner.view_count))
    return Batch(views, torch.arange(8) % 4, torch.arange(8))


def step(learner: nn.Module, optimizer: torch.optim.Optimizer, place: int) -> None:
    torch.manual_seed(place)
    seen = batch(learner)
    for turn in learner.turns():
        loss = turn(seen)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learner.after_step(place / 10)


def optimizer(learner: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for part in learner.trained().values() for p in part.parameters()], lr=0.01)


@pytest.mark.parametrize("name", TINY)
def test_a_step_never_waits_for_the_device(name):
    learner = method(name)
    with NoWaiting():
        torch.manual_seed(0)
        seen = batch(learner)
        for turn in learner.turns():
            turn(seen)["loss"].backward()
        learner.after_step(0.5)


def test_waiting_would_be_noticed():
    with NoWaiting(), pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(3)[torch.ones(3) > 0].sum().item()


@pytest.mark.parametrize("name", TINY)
def test_a_state_put_into_another_goes_on_bit_for_bit(name):
    first, second = method(name), method(name, seed=1)
    moves = optimizer(first)
    for place in range(3):
        step(first, moves, place)
    second.load_state_dict({key: value.clone() for key, value in first.state_dict().items()})
    others = optimizer(second)
    for place in range(3, 6):
        step(first, moves, place)
        step(second, others, place)
    ours, theirs = first.state_dict(), second.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", TINY)
def test_the_teacher_is_not_trained(name):
    assert "teacher" not in method(name).trained()


def test_reports_are_scalars_and_only_the_loss_has_a_gradient():
    for name in TINY:
        learner = method(name)
        for turn in learner.turns():
            report = turn(batch(learner))
            assert all(value.shape == () for value in report.values())
            assert [key for key, value in report.items() if value.requires_grad] == ["loss"]
