"""Compiling changes how quickly a stage is trained, and nothing of what it learns or remembers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from staging import in_training
from told import TINY, encoder_of

from sslterm.engine import compiling, looking, step
from sslterm.engine.compiling import Trial, settle
from sslterm.engine.features import evaluating
from sslterm.engine.stage import StageInTraining
from sslterm.models.encoders import networks
from sslterm.runs import RunError


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything but the last part of the compiler, which takes longest; and nothing is left for other tests."""
    monkeypatch.setattr(compiling, "how", lambda _: {"backend": "aot_eager"})
    yield
    torch.compiler.reset()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stage(small: dict[str, Any], data_dir: Path) -> StageInTraining:
    return of("byol", small, data_dir)


def of(name: str, small: dict[str, Any], data_dir: Path, wanted: str = "always") -> StageInTraining:
    method = {"name": name, **TINY[name]}
    return in_training({**small, "encoder": encoder_of(name), "method": method, "compile": wanted}, data_dir)


def working(title: str, total: int) -> Callable[[int], None]:
    return lambda more: None


def trained(stage: StageInTraining, steps: int = 3) -> dict[str, torch.Tensor]:
    looking.before_epoch(stage)
    stage.method.train()
    for _, (views, places) in zip(range(steps), step.steps_left(stage), strict=False):
        step.one_step(stage, views, places)
    return stage.method.state_dict()


def compiled(stage: StageInTraining) -> list[bool]:
    """Which of its networks are."""
    return [network._compiled_call_impl is not None for network in networks(stage.method)]


def counted(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Rehearsals take so long, one after the other."""
    clock = iter(seconds)
    monkeypatch.setattr(compiling, "rehearsed", lambda *_: next(clock))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["byol", "mae", "gan"])
def test_what_is_learned_is_the_same(name: str, small: dict[str, Any], data_dir: Path, said: list[str]) -> None:
    plainly = trained(of(name, small, data_dir, "never"))
    stage = of(name, small, data_dir)
    settle(stage, said.append, working)
    assert all(compiled(stage))
    for key, value in trained(stage).items():
        torch.testing.assert_close(value, plainly[key], atol=1e-4, rtol=1e-3, msg=key)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch compiles for a CPU by g++")
def test_the_compiler_itself_can_be_had_on_a_cpu(
    small: dict[str, Any], data_dir: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "how", lambda _: {})
    stage = in_training({**small, "compile": "always", "method": {"name": "simclr"}}, data_dir)
    settle(stage, said.append, working)
    assert "compiled in" in said[0]
    plainly = trained(in_training({**small, "method": {"name": "simclr"}}, data_dir))
    for key, value in trained(stage).items():
        torch.testing.assert_close(value, plainly[key], atol=1e-3, rtol=1e-2, msg=key)


def test_a_trial_leaves_nothing_behind(stage: StageInTraining) -> None:
    before = {key: value.clone() for key, value in stage.method.state_dict().items()}
    stage.method.eval()
    assert compiling.tried(stage, working) is not None
    after = stage.method.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(weight.grad is None for weight in stage.method.parameters())
    assert not any(module.training for module in stage.method.modules())
    assert (stage.step, stage.total_steps, stage.meter.waiting) == (0, 0, 0)


def test_auto_does_not_even_try_on_a_cpu(small: dict[str, Any], data_dir: Path, said: list[str]) -> None:
    stage = of("byol", small, data_dir, "auto")
    settle(stage, said.append, working)
    assert stage.compiled is False
    assert not any(compiled(stage))
    assert said == []


@pytest.fixture
def on_a_gpu(small: dict[str, Any], data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> StageInTraining:
    """As far as `settle` can see; its clock must be counted."""
    monkeypatch.setattr(compiling, "first_batch", lambda stage: None)
    monkeypatch.setattr(compiling, "loss_of", lambda stage, batch: 2.0)
    stage = of("byol", small, data_dir, "auto")
    stage.stage = stage.stage.model_copy(update={"epochs": 100_000})
    stage.subject.device = torch.device("cuda")
    return stage


def test_what_is_quicker_stays_compiled(
    on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(monkeypatch, 1.0, 0.5, 31.0, 0.25)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is True
    assert all(compiled(on_a_gpu))
    assert said == ["byol: compiled in 31 s, a step takes 50 ms instead of 100"]


def test_what_is_not_quicker_is_taken_back(
    on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(monkeypatch, 1.0, 0.5, 31.0, 0.49)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is False
    assert not any(compiled(on_a_gpu))
    assert said == [
        "byol: compiled in 31 s, a step takes 98 ms instead of 100, which is no gain; it is trained as it is written"
    ]


def test_what_computes_something_else_is_not_believed(
    on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([5.0, 4.0])
    monkeypatch.setattr(compiling, "loss_of", lambda stage, batch: next(losses))
    counted(monkeypatch, 1.0, 0.5, 31.0, 0.1)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is False
    assert not any(compiled(on_a_gpu))
    assert "(the first batch's loss would be 4 instead of 5)" in said[0]


@pytest.mark.parametrize(
    ("losses", "agrees"),
    [
        ((5.0, 5.4), True),
        ((5.0, 5.6), False),
        ((0.01, -0.05), True),
        ((math.nan, math.nan), True),
        ((1.0, math.nan), False),
    ],
)
def test_losses_agree_as_far_as_dropout_lets_them(losses: tuple[float, float], agrees: bool) -> None:
    assert Trial(1.0, 0.5, 30.0, losses).agrees is agrees


def test_a_short_stage_is_not_worth_a_trial(
    on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_gpu.stage = on_a_gpu.stage.model_copy(update={"epochs": 2})
    counted(monkeypatch, 1.0, 0.5)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is False
    assert said == []


def broken(*_: object) -> float:
    raise RuntimeError("backend='inductor' raised:\nCannot find a working triton installation\nthird line")


def test_where_nothing_can_be_compiled_training_goes_on_without(
    on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "rehearsed", broken)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is False
    assert said == [
        "byol: torch cannot compile the network here (Cannot find a working triton installation); it is trained as it"
        " is written"
    ]


def test_always_that_cannot_be_done_is_a_sentence(
    stage: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "rehearsed", broken)
    with pytest.raises(RunError, match=r'^stage\.byol\.compile: torch cannot .* take compile = "never"$'):
        settle(stage, said.append, working)
    assert not any(compiled(stage))


@pytest.mark.parametrize("before", [True, False])
def test_a_resumed_stage_computes_as_before(
    before: bool, on_a_gpu: StageInTraining, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a trial would say now."""
    state = on_a_gpu.state()
    assert state["compiled"] is None
    on_a_gpu._load({**state, "compiled": before})
    counted(monkeypatch, 1.0, 0.5, 31.0, 0.25 if not before else 0.9)
    settle(on_a_gpu, said.append, working)
    assert on_a_gpu.compiled is before
    assert compiled(on_a_gpu) == [before, before]
    assert on_a_gpu.state()["compiled"] is before


def test_another_kind_of_device_settles_it_anew(on_a_gpu: StageInTraining) -> None:
    on_a_gpu._load({**on_a_gpu.state(), "compiled": True, "device": "cpu"})
    assert on_a_gpu.compiled is None


def test_what_is_looked_at_between_epochs_is_computed_as_it_is_written(stage: StageInTraining) -> None:
    compiling.compile_all(stage.method, torch.device("cpu"))
    with evaluating(stage.method):
        assert not any(compiled(stage))
    assert all(compiled(stage))
