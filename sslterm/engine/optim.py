"""From `[optimizer]` to an optimizer: which weights it moves, each by which rate and decay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from sslterm import presets
from sslterm.engine.optimizers import LARS, SGD, Adam, Optimizer
from sslterm.methods import Method
from sslterm.models.encoders import parts


def build_optimizer(method: Method, settings: presets.Optimizer) -> Optimizer:
    """The optimizer of a method. Raises ValueError as `groups` does."""
    return _kinds()[settings.name](groups(method, settings), settings)


def groups(method: Method, settings: presets.Optimizer) -> list[dict[str, Any]]:
    """One group for the matrices and one for the vectors of each trained part, or of each layer where rates decay.

    Each group carries `part`, `base_lr` (what the schedule multiplies) and `constant` (the schedule leaves it alone).
    Raises ValueError where `optimizer.lr` names a part that is not trained.
    """
    found = []
    heights = below_the_head(method.encoder)
    for part, module in method.trained().items():
        fixed = {"part": part, "constant": part in method.constant_lr}
        moved: dict[tuple[bool, float], list[nn.Parameter]] = defaultdict(list)
        for weight in module.parameters():
            if weight.requires_grad:
                moved[weight.ndim <= 1, settings.layer_decay ** heights.get(weight, 0)].append(weight)
        for vectors, share in sorted(moved, key=lambda group: (group[0], -group[1])):
            spared = vectors and not settings.decay_vectors
            decay = 0.0 if spared else settings.weight_decay
            rate = _rate(settings, part, method) * share
            rates = {"lr": rate, "base_lr": rate, "weight_decay": decay, "adapt": not spared}
            found.append({"params": moved[vectors, share], **rates, **fixed})
    return found


def below_the_head(encoder: nn.Module) -> dict[nn.Parameter, int]:
    """How many layers each weight of an encoder lies below a head: 1 in the last.

    A norm that is a part of its own belongs to the layer above it, and what belongs to no part (a class token) to the
    first: so that vits decay as in BEiT (Bao et al. 2021) and MAE.
    """
    own = list(parts(encoder).values())
    layers = [any(weight.ndim > 1 for weight in part.parameters()) for part in own]
    found = dict.fromkeys(encoder.parameters(), sum(layers))
    for place, part in enumerate(own):
        found |= dict.fromkeys(part.parameters(), sum(layers[place:]))
    return found


def _rate(settings: presets.Optimizer, part: str, method: Method) -> float:
    if not isinstance(settings.lr, dict):
        return settings.lr
    parts = list(method.trained())
    for named in settings.lr:
        if named not in parts:
            raise ValueError(f"optimizer.lr.{named}: no trained part has this name; there are {', '.join(parts)}")
    if part not in settings.lr:
        raise ValueError(f"optimizer.lr: says no rate for {part}, which is trained too")
    return settings.lr[part]


def _kinds() -> dict[str, Callable[[Any, presets.Optimizer], Optimizer]]:
    return {
        "sgd": lambda groups, s: SGD(groups, s.momentum, s.nesterov),
        "adam": lambda groups, s: Adam(groups, s.betas),
        "adamw": lambda groups, s: Adam(groups, s.betas, decoupled=True),
        "lars": lambda groups, s: LARS(groups, s.momentum, s.trust_coefficient, s.clip_rate),
    }


def clip(modules: Iterable[nn.Module], longest: float) -> None:
    """Shorten the gradient of all parts together to `longest`, without asking the device how long it is."""
    torch.nn.utils.clip_grad_norm_([p for m in modules for p in m.parameters() if p.requires_grad], longest)
