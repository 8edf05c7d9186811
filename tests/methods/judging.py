"""What tests of several methods ask: whether bf16 is borne, and whether steps on one batch teach something."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from sslterm.methods import Batch
from sslterm.methods.base import Report


def assert_bf16_is_borne(learner: nn.Module, seen: Batch) -> None:
    """Under autocast, the loss is a finite float32, and so is the gradient of every trained weight."""
    with torch.autocast("cpu", torch.bfloat16):
        loss = learner(seen)["loss"]
    loss.backward()
    assert loss.isfinite()
    assert loss.dtype == torch.float32
    assert all(p.grad.isfinite().all() for part in learner.trained().values() for p in part.parameters())


def taught(
    turn: Callable[[Batch], Report],
    seen: Batch,
    optimizer: torch.optim.Optimizer,
    steps: int,
    *,
    value: str = "loss",
    after_step: Callable[[float], None] | None = None,
) -> list[float]:
    """What a method, or one turn of it, reports in each of some steps on the same batch. `after_step` is told the share
    of the steps that are done."""
    values = []
    for step in range(steps):
        report = turn(seen)
        optimizer.zero_grad()
        report["loss"].backward()
        optimizer.step()
        if after_step:
            after_step(step / steps)
        values.append(report[value].item())
    return values
