"""Whether torch's compiler makes the network of a stage quicker: tried on the first batch, never assumed; and believed
only where that batch's loss is what it was.

Compiled are the networks, most of any step: convolutional ones whole, transformers block by block, for blocks are alike
and one compilation serves them all. What a method does around them stays as it is written. On a GPU what they launch is
recorded, too, and replayed at once (CUDA graphs): small networks then no longer wait for Python.

On a CPU it does not pay: in bf16 on two cores with AMX, a step took 1.0 times as long with conv4 and 1.3 times with
tinyvgg-b (torch 2.14), so `auto` does not even try.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sslterm.engine import chance, device
from sslterm.engine.stage import StageInTraining
from sslterm.engine.step import batch_of, batches_of, epoch_order, gradients, views_of
from sslterm.methods import Batch
from sslterm.models.encoders import networks
from sslterm.runs import RunError

WORTH = 120.0
"""Seconds of training that must be left for a trial, which takes about one minute."""
GAIN = 1.05
"""How many times as quick compiled steps have to be."""
APART = 0.1
"""How far the loss of the first batch may be from what it was, of 1 or of the loss: dropout draws other numbers."""
WARMED, TIMED = 3, 5
"""Steps of each kind before the clock runs (the first one compiles, the next ones are recorded), and while it does."""


@dataclass(frozen=True)
class Trial:
    """What was found out."""

    eager: float
    """Seconds a step as it is written, without the optimizer."""
    compiled: float
    compiling: float
    """Seconds until compiled steps were as quick as they get."""

    losses: tuple[float, float]
    """Of the first batch, as it is written and compiled."""

    @property
    def pays(self) -> bool:
        """Whether compiled steps are told apart from the others, and quicker."""
        return self.eager >= GAIN * self.compiled

    @property
    def agrees(self) -> bool:
        """Whether what was compiled computes what is written."""
        eager, compiled = self.losses
        both_none = math.isnan(eager) and math.isnan(compiled)
        return both_none or abs(eager - compiled) <= APART * max(1.0, abs(eager))

    def __str__(self) -> str:
        milliseconds = f"a step takes {self.compiled * 1e3:.3g} ms instead of {self.eager * 1e3:.3g}"
        return f"compiled in {self.compiling:.0f} s, {milliseconds}"


Working = Callable[[str, int], Callable[[int], object]]
"""Told what takes long, and of how many parts; gives back whom to tell how many more are done."""


def settle(stage: StageInTraining, say: Callable[[str], object], working: Working) -> None:
    """Compile the networks of a stage where that is wanted or pays; say what came of it.

    What is settled stays so for the whole stage: a resumed one computes as it did before. Raises RunError where
    `compile = "always"` cannot be done.
    """
    before, wanted, name = stage.compiled, stage.stage.compile, stage.stage.name
    certain = before or (before is None and wanted == "always")
    open_question = before is None and wanted == "auto" and stage.subject.device.type == "cuda"
    stage.compiled = False
    if not (certain or open_question) or not networks(stage.method):
        return
    try:
        trial = tried(stage, working, at_least=0.0 if certain else WORTH)
        if trial and not trial.agrees:
            eager, compiled = trial.losses
            raise ArithmeticError(f"the first batch's loss would be {compiled:.4g} instead of {eager:.4g}")
    except Exception as error:  # the compiler, the linker and the driver have a hundred kinds
        as_written(stage.method)
        reason = _reason(error)
        if before is None and wanted == "always":
            raise RunError(
                f'stage.{name}.compile: torch cannot compile the network here ({reason}); take compile = "never"'
            ) from error
        say(f"{name}: torch cannot compile the network here ({reason}); it is trained as it is written")
        return
    if trial is None:
        return
    stage.compiled = certain or trial.pays
    if stage.compiled:
        say(f"{name}: {trial}")
    else:
        as_written(stage.method)
        say(f"{name}: {trial}, which is no gain; it is trained as it is written")


def _reason(error: Exception) -> str:
    """The first line that says something; torch's own often begin with "backend='inductor' raised:"."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line[:200] for line in lines if line and not line.endswith(":")), type(error).__name__)


def tried(stage: StageInTraining, working: Working, at_least: float = 0.0) -> Trial | None:
    """Time the first batch of a stage, as it is written and compiled, and leave it compiled; None, and as it was, where
    less than `at_least` seconds of training are left. Nothing of the stage changes otherwise."""
    batch = first_batch(stage)
    with as_if_never(stage), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The .grad attribute")  # the compiler looks at it, and warns of itself
        rehearsed(stage, batch, WARMED)
        eager, loss = rehearsed(stage, batch, TIMED) / TIMED, loss_of(stage, batch)
        left = stage.stage.epochs * stage.steps - (stage.epoch * stage.steps + stage.step)
        if eager * left < at_least:
            return None
        done = working(f"compiling {stage.stage.name}", 1)
        compile_all(stage.method, stage.subject.device)
        compiling = rehearsed(stage, batch, WARMED)
        done(1)
        compiled = rehearsed(stage, batch, TIMED) / TIMED
        return Trial(eager, compiled, compiling, (loss, loss_of(stage, batch)))


def first_batch(stage: StageInTraining) -> Batch:
    """What the first step of the epoch at hand sees."""
    order = epoch_order(stage)[:1]
    (views,) = views_of(stage, [next(batches_of(stage, order))], 0)
    return batch_of(stage, views, order[0])


def rehearsed(stage: StageInTraining, batch: Batch, steps: int) -> float:
    """Seconds that so many steps take which change no weight."""
    stage.method.train()
    on = stage.subject.device
    device.settle(on)
    began = time.perf_counter()
    for _ in range(steps):
        torch.compiler.cudagraph_mark_step_begin()
        for turn in stage.method.turns():
            gradients(stage, turn, batch)
    device.settle(on)
    return time.perf_counter() - began


def loss_of(stage: StageInTraining, batch: Batch) -> float:
    """The loss of all turns, by the same draws every time."""
    chance.begin(stage.subject.device, stage.preset.seed, "compiling", stage.index)
    torch.compiler.cudagraph_mark_step_begin()
    return sum(gradients(stage, turn, batch)["loss"].item() for turn in stage.method.turns())


@contextmanager
def as_if_never(stage: StageInTraining) -> Iterator[None]:
    """What a method remembers of the steps within is forgotten."""
    kept = {name: value.clone() for name, value in stage.method.state_dict().items()}
    modes = [(module, module.training) for module in stage.method.modules()]
    try:
        yield
    finally:
        stage.method.load_state_dict(kept)
        stage.optimizer.zero_grad()
        for module, training in modes:
            module.training = training


def compile_all(method: nn.Module, device: torch.device) -> None:
    """The networks of a method will be compiled when they are next called."""
    torch.compiler.reset()  # what an earlier stage had compiled counts towards how often one network may be
    for network in networks(method):
        network.compile(dynamic=False, **how(device))


def how(device: torch.device) -> dict[str, Any]:
    """What torch's compiler is told."""
    return {"mode": "reduce-overhead"} if device.type == "cuda" else {}


def as_written(method: nn.Module) -> None:
    """Take back what `compile_all` did."""
    for network in networks(method):
        network._compiled_call_impl = None
