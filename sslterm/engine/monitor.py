"""Looks at a stage between epochs: the classifier on valid, kNN on the representation, and the representation's health.
No look changes what training does next."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sslterm.engine import chance
from sslterm.engine.device import reckoning
from sslterm.engine.features import evaluating, extract, outputs
from sslterm.engine.health import health
from sslterm.engine.knn import knn_top1
from sslterm.engine.looking import measure
from sslterm.engine.stage import StageInTraining

HEALTH_IMAGES = 512


def validate(stage: StageInTraining) -> dict[str, float]:
    """`valid/loss` and `valid/top1`, where the method classifies and there are images to ask it about."""
    indices = stage.subject.parts["valid"]
    if not stage.method.classifies() or not len(indices):
        return {}
    subject = stage.subject
    logits = outputs(
        stage.method.classify, stage.method, subject.dataset, indices, stage.plain, subject.device,
        precision=stage.precision.name,
    )  # fmt: skip
    labels = subject.dataset.labels[indices]
    return {
        "valid/loss": F.cross_entropy(logits, labels).item(),
        "valid/top1": (logits.argmax(1) == labels).float().mean().item(),
    }


def look(stage: StageInTraining) -> dict[str, float]:
    """kNN top-1 and health of the representation, where the stage changes it, and what the method itself measures; on
    the same images every time."""
    moved = {**online_knn(stage), **representation_health(stage)} if stage.encoder_moves else {}
    return {**moved, **measure(stage)}


def online_knn(stage: StageInTraining) -> dict[str, float]:
    """`knn/top1` with a bank of training images and queries of validation images (or of other training images)."""
    subject, monitor, seed = stage.subject, stage.preset.monitor, stage.preset.seed
    labelled = subject.parts["train"][subject.dataset.labels[subject.parts["train"]] >= 0]
    queries = subject.parts["valid"]
    if len(queries):
        bank = chance.sample(labelled, monitor.bank, seed, "bank")
        queries = chance.sample(queries, monitor.queries, seed, "queries")
    else:
        mixed = chance.shuffled(labelled, seed, "bank")
        held_out = min(monitor.queries, len(mixed) // 5)
        queries, bank = mixed[:held_out].sort().values, mixed[held_out:][: monitor.bank].sort().values
    if not len(queries) or not len(bank):
        return {}
    labels, classes = subject.dataset.labels, len(subject.dataset.classes)
    top1 = knn_top1(_features(stage, bank), labels[bank], _features(stage, queries), labels[queries], classes)
    return {"knn/top1": top1}


def _features(stage: StageInTraining, indices: Tensor) -> Tensor:
    """h of these images, where neighbours are quickly found."""
    subject = stage.subject
    made = extract(stage.encoder, subject.dataset, indices, stage.plain, subject.device, precision=stage.precision.name)
    return made.to(reckoning(subject.device))


def representation_health(stage: StageInTraining) -> dict[str, float]:
    """std, rank, alignment and uniformity over two views of the same few training images."""
    subject, seed = stage.subject, stage.preset.seed
    indices = chance.sample(stage.indices, HEALTH_IMAGES, seed, "health")
    if len(indices) < 2:
        return {}
    images = next(iter(subject.dataset.batches([indices], subject.device)))
    views = (stage.views * 2)[:2]
    # Outside autocast, for resampling in bf16 would show the network other images than training does.
    seen = [view(images, chance.generator(seed, "health", which)) for which, view in enumerate(views)]
    plain = stage.plain(images)
    with evaluating(stage.method), torch.inference_mode(), stage.precision.on(subject.device):
        first, second = (stage.method.embed(view).float().cpu() for view in seen)
        kept = stage.encoder(plain).float().cpu()
    return health(first, second, kept)
