"""One step of training: what a batch is, and what is learned from it. Every draw is a function of its place."""

from __future__ import annotations

import torch
from torch import Tensor

from sslterm.engine import chance
from sslterm.engine.optim import clip
from sslterm.engine.stage import StageInTraining
from sslterm.methods import Batch, Method


def epoch_order(stage: StageInTraining) -> list[Tensor]:
    """The batches of the epoch at hand, as int64 indices; images that fill no batch wait for another epoch."""
    mixed = chance.shuffled(stage.indices, stage.preset.seed, "order", stage.index, stage.epoch)
    return list(mixed[: stage.steps * stage.stage.batch_size].split(stage.stage.batch_size))


def one_step(stage: StageInTraining, images: Tensor, indices: Tensor) -> None:
    """See a batch, learn from it, move on; never ask the device anything.

    `images`: uint8 (B, C, H, W) on the device; `indices`: int64 (B,), which images these are.
    """
    subject = stage.subject
    place = (stage.preset.seed, "views", stage.index, stage.epoch, stage.step)
    torch.manual_seed(chance.seed_of(*place))
    draw = chance.generator(*place)
    batch = Batch(tuple(view(images, draw) for view in stage.views), _labels(stage, indices), indices)
    stage.rate = stage.schedule.set(stage.optimizer, stage.place)
    with stage.precision.on(subject.device):
        values = stage.method(batch)
    stage.optimizer.zero_grad()
    values["loss"].backward()
    if stage.stage.clip_norm:
        clip(stage.method.trained().values(), stage.stage.clip_norm)
    stage.optimizer.step()
    stage.step += 1
    stage.total_steps += 1
    stage.method.after_step(min(stage.place / stage.stage.epochs, 1.0))
    stage.meter.add({name: value for name, value in values.items() if value.ndim == 0})


def _labels(stage: StageInTraining, indices: Tensor) -> Tensor:
    """The labels, for methods that may look; -1 for those that must not."""
    device = stage.subject.device
    if not stage.method.uses_labels:
        return torch.full((len(indices),), -1, device=device)
    return stage.subject.labels[indices.to(device, non_blocking=True)]


def finite(method: Method) -> bool:
    """Whether every trained weight is still a number; asks the device once."""
    norms = torch._foreach_norm([weight.detach() for weight in method.parameters() if weight.requires_grad])
    return bool(torch.stack([norm.float() for norm in norms]).isfinite().all())
