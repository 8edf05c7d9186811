"""One step of training: what a batch is, and what is learned from it. Every draw is a function of its place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from sslterm.engine import chance
from sslterm.engine.optim import clip
from sslterm.engine.stage import StageInTraining
from sslterm.methods import Batch, Method, Report

AHEAD = 1 << 28
"""Bytes of views that an accelerator makes at once."""


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


Seen = tuple[Tensor, ...]
"""The views of one step, each float (B, C, S, S)."""


def steps_left(stage: StageInTraining) -> Iterator[tuple[Seen, Tensor]]:
    """The views and the places of each step that the epoch has left.

    An accelerator makes those of several steps at once, for that costs no more launches than those of one. Which steps
    go together does not depend on where a resumed epoch begins.
    """
    together, begun = steps_at_once(stage), stage.step
    first = begun - begun % together
    order = epoch_order(stage)[first:]
    images = batches_of(stage, order)
    for start in range(0, len(order), together):
        group = order[start : start + together]
        made = views_of(stage, list(itertools.islice(images, len(group))), first + start)
        for step, (views, places) in enumerate(zip(made, group, strict=True), start=first + start):
            if step >= begun:
                yield views, places


def steps_at_once(stage: StageInTraining) -> int:
    """Of how many steps views are made together: as many as fit into AHEAD; one on a CPU, which likes small pieces."""
    if stage.subject.device.type != "cuda":
        return 1
    of_a_step = sum(4 * stage.stage.batch_size * view.channels * view.size**2 for view in stage.views)
    return max(1, min(AHEAD // of_a_step, stage.steps))


def views_of(stage: StageInTraining, images: list[Tensor], first: int) -> list[Seen]:
    """The views of some steps from number `first` on, each of uint8 (B, C, H, W) on the device. What is random in a
    step's views depends on its number alone."""
    side, counts = images[0].shape[-1], [len(one) for one in images]
    dice = [
        chance.generator(stage.preset.seed, "views", stage.index, stage.epoch, step)
        for step in range(first, first + len(images))
    ]
    all_images = torch.cat(images) if len(images) > 1 else images[0]
    made = []
    for view in stage.views:
        drawn = [view.draw(count, side, one) for count, one in zip(counts, dice, strict=True)]
        together = {name: torch.cat([one[name] for one in drawn]) for name in drawn[0]} if len(drawn) > 1 else drawn[0]
        made.append(view.make(all_images, together).split(counts))
    return list(zip(*made, strict=True))


def one_step(stage: StageInTraining, views: Seen, places: Tensor) -> None:
    """See a batch, learn from it, move on; never ask the device anything.

    `places`: int64 (B,), which of the stage's images the views are of.
    """
    chance.begin(stage.subject.device, stage.preset.seed, "views", stage.index, stage.epoch, stage.step)
    batch = batch_of(stage, views, places)
    stage.rate = stage.schedule.set(stage.optimizer, stage.place)
    values = learn(stage, batch)
    stage.step += 1
    stage.total_steps += 1
    stage.method.after_step(stage.progress)
    stage.meter.add({name: value for name, value in values.items() if value.ndim == 0})


def batch_of(stage: StageInTraining, views: Seen, places: Tensor) -> Batch:
    """These views of the images at `places`, with their labels for methods that may look and -1 for all others."""
    device = stage.subject.device
    indices = places.to(device, non_blocking=True)
    unknown = torch.full((len(places),), -1, device=device)
    labels = stage.labels[indices] if stage.method.uses_labels else unknown
    return Batch(views, labels, indices, stage.epoch * stage.steps + stage.step, stage.progress)


def gradients(stage: StageInTraining, turn: Callable[[Batch], Report], batch: Batch) -> Report:
    """One turn of the method and what it says each weight should do; gives back what it reported."""
    stage.optimizer.zero_grad()
    with stage.precision.on(stage.subject.device):
        report = turn(batch)
    report["loss"].backward()
    return report


def learn(stage: StageInTraining, batch: Batch) -> Report:
    """Every turn of the method, the optimizer behind each; gives back what they reported, `loss` as their sum."""
    values: Report = {}
    if stage.compiled:
        torch.compiler.cudagraph_mark_step_begin()  # what was recorded may be written over from here on
    for turn in stage.method.turns():
        report = gradients(stage, turn, batch)
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
