"""The learning rate over time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sslterm import presets
from sslterm.engine.schedule import Schedule, Watch


def factors(settings: presets.Schedule, epochs: int, steps: int = 4) -> list[float]:
    schedule = Schedule(settings, epochs)
    return [schedule.factor(place / steps) for place in range(epochs * steps)]


def test_cosine_per_step_is_torchs() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    ours = factors(presets.Schedule(name="cosine", per="step"), epochs=10)
    for factor in ours:
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        torchs.step()


def test_cosine_per_epoch_stands_still_within_one() -> None:
    found = factors(presets.Schedule(name="cosine"), epochs=5)
    assert found[4:8] == [found[4]] * 4
    assert found[4] == pytest.approx(0.5 * (1 + math.cos(math.pi / 5)))


def test_step_falls_by_the_factor() -> None:
    found = factors(presets.Schedule(name="step", every=5, factor=0.1), epochs=15, steps=1)
    assert found == pytest.approx([1.0] * 5 + [0.1] * 5 + [0.01] * 5)


@pytest.mark.parametrize("per", ["step", "epoch"])
@pytest.mark.parametrize("name", ["constant", "cosine", "step", "plateau"])
def test_warm_up_rises_to_the_whole_rate_and_never_begins_at_nothing(name: str, per: str) -> None:
    found = factors(presets.Schedule.model_validate({"name": name, "per": per, "warmup": 3.0}), epochs=10)
    assert found[0] > 0
    assert found[:13] == sorted(found[:13])
    assert found[12] == pytest.approx(1.0)


def test_cosine_ends_where_it_is_told() -> None:
    found = factors(presets.Schedule(name="cosine", per="step", end=0.1), epochs=100)
    assert found[-1] == pytest.approx(0.1, abs=1e-3)


def test_a_plateau_falls_when_patience_is_over() -> None:
    schedule = Schedule(presets.Schedule(name="plateau", factor=0.1, patience=2), epochs=100)
    seen = []
    for top1 in [0.5, 0.6, 0.6, 0.6, 0.6, 0.7, 0.6, 0.6, 0.6]:
        schedule.look({"valid/top1": top1})
        seen.append(schedule.factor(1))
    assert seen == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01])


def test_a_plateau_is_as_torchs() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    torchs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=3, threshold=0.0)
    schedule = Schedule(presets.Schedule(name="plateau", factor=0.5, patience=3), epochs=100)
    values = torch.rand(60, generator=torch.Generator().manual_seed(0)).tolist()
    for value in values:
        torchs.step(value)
        schedule.look({"valid/top1": value})
        assert schedule.factor(0) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_losses_improve_downward() -> None:
    watch = Watch("valid/loss")
    for value in (2.0, 1.0, 1.5, math.nan):
        watch.look(value)
    assert (watch.best, watch.stale) == (1.0, 2)


def test_what_it_remembers_brings_it_back() -> None:
    first = Schedule(presets.Schedule(name="plateau", patience=0), epochs=9)
    for value in (0.5, 0.4):
        first.look({"valid/top1": value})
    second = Schedule(presets.Schedule(name="plateau", patience=0), epochs=9)
    second.load_state_dict(first.state_dict())
    assert second.factor(3) == first.factor(3) == pytest.approx(0.1)


def test_constant_parts_are_left_alone() -> None:
    groups = [
        {"params": [nn.Parameter(torch.zeros(1))], "base_lr": 0.5, "constant": constant} for constant in (False, True)
    ]
    optimizer = torch.optim.SGD(groups, lr=0.5)
    rate = Schedule(presets.Schedule(name="cosine", per="step"), epochs=10).set(optimizer, 5.0)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.25, 0.5])
    assert rate == pytest.approx(0.25)
