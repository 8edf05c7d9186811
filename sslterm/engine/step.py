"""One step of training: what a batch is, and what is learned from it. Every draw is a function of its place."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sslterm.engine import chance
from sslterm.engine.optim import clip
from sslterm.engine.stage import StageInTraining
from sslterm.methods import Batch, Method, Report


def epoch_order(stage: StageInTraining) -> list[Tensor]:
    """The batches of the epoch at hand, as int64 places among the stage's images; those that fill no batch wait for
    another epoch."""
    place = (stage.preset.seed, "order", stage.index, stage.epoch)
    shares = stage.method.shares()
    if shares is None:
        mixed = chance.shuffled(torch.arange(len(stage.indices)), *place)
    else:
        mixed = shares.cpu().multinomial(len(shares), replacement=True, generator=chance.generator(*place))
    return list(mixed[: stage.steps * stage.stage.batch_size].split(stage.stage.batch_size))


def batches_of(stage: StageInTraining, order: list[Tensor]) -> Iterator[Tensor]:
    """The images at these places: uint8 (B, C, H, W) on the device."""
    return stage.subject.dataset.batches([stage.indices[places] for places in order], stage.subject.device)


def one_step(stage: StageInTraining, images: Tensor, places: Tensor) -> None:
    """See a batch, learn from it, move on; never ask the device anything.

    `images`: uint8 (B, C, H, W) on the device; `places`: int64 (B,), which of the stage's images these are.
    """
    place = (stage.preset.seed, "views", stage.index, stage.epoch, stage.step)
    torch.manual_seed(chance.seed_of(*place))
    draw = chance.generator(*place)
    batch = batch_of(stage, tuple(view(images, draw) for view in stage.views), places)
    stage.rate = stage.schedule.set(stage.optimizer, stage.place)
    values = learn(stage, batch)
    stage.step += 1
    stage.total_steps += 1
    stage.method.after_step(min(stage.place / stage.stage.epochs, 1.0))
    stage.meter.add({name: value for name, value in values.items() if value.ndim == 0})


def batch_of(stage: StageInTraining, views: tuple[Tensor, ...], places: Tensor) -> Batch:
    """These views of the images at `places`, with their labels for methods that may look and -1 for all others."""
    device = stage.subject.device
    indices = places.to(device, non_blocking=True)
    unknown = torch.full((len(places),), -1, device=device)
    return Batch(views, stage.labels[indices] if stage.method.uses_labels else unknown, indices)


def learn(stage: StageInTraining, batch: Batch) -> Report:
    """Every turn of the method, the optimizer behind each; gives back what they reported, `loss` as their sum."""
    values: Report = {}
    for turn in stage.method.turns():
        with stage.precision.on(stage.subject.device):
            report = turn(batch)
        stage.optimizer.zero_grad()
        report["loss"].backward()
        if stage.stage.clip_norm:
            clip(stage.method.trained().values(), stage.stage.clip_norm)
        stage.optimizer.step()
        loss = report["loss"].detach()
        values |= {**report, "loss": values["loss"] + loss if values else loss}
    return values


def finite(method: Method) -> bool:
    """Whether every trained weight is still a number; asks the device once."""
    norms = torch._foreach_norm([weight.detach() for weight in method.parameters() if weight.requires_grad])
    return bool(torch.stack([norm.float() for norm in norms]).isfinite().all())
