"""Optimizers: SGD, Adam, AdamW as torch has them, LARS as written by You et al. 2017 (https://arxiv.org/abs/1708.03888)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from sslterm import presets
from sslterm.methods import Method


def build_optimizer(method: Method, settings: presets.Optimizer) -> torch.optim.Optimizer:
    """The optimizer of a method. Raises ValueError as `groups` does."""
    return _kinds()[settings.name](groups(method, settings), settings)


def groups(method: Method, settings: presets.Optimizer) -> list[dict[str, Any]]:
    """One group for the matrices and one for the vectors of each trained part.

    They are made apart from the optimizer, for whoever only checks: a torch.optim.Optimizer loads torch's compiler.
    Each group carries `part`, `base_lr` (what the schedule multiplies) and `constant` (the schedule leaves it alone).
    Raises ValueError where `optimizer.lr` names a part that is not trained.
    """
    found = []
    for part, module in method.trained().items():
        rate = _rate(settings, part, method)
        fixed = {"part": part, "lr": rate, "base_lr": rate, "constant": part in method.constant_lr}
        moved = [p for p in module.parameters() if p.requires_grad]
        for vectors in (False, True):
            parameters = [p for p in moved if (p.ndim <= 1) == vectors]
            spared = vectors and not settings.decay_vectors
            decay = 0.0 if spared else settings.weight_decay
            if parameters:
                found.append({"params": parameters, "weight_decay": decay, "adapt": not spared, **fixed})
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


def _kinds() -> dict[str, Callable[[Any, presets.Optimizer], torch.optim.Optimizer]]:
    return {
        "sgd": lambda groups, s: torch.optim.SGD(
            groups, lr=1.0, momentum=s.momentum, nesterov=s.nesterov and s.momentum > 0, fused=True
        ),
        "adam": lambda groups, s: torch.optim.Adam(groups, lr=1.0, betas=s.betas, fused=True),
        "adamw": lambda groups, s: torch.optim.AdamW(groups, lr=1.0, betas=s.betas, fused=True),
        "lars": lambda groups, s: LARS(groups, momentum=s.momentum, trust_coefficient=s.trust_coefficient),
    }


class LARS(torch.optim.Optimizer):
    """SGD whose rate is scaled, layer by layer, by the norm of the weight over the norm of its gradient.

    Algorithm 1 of the paper: lambda = eta |w| / (|g| + beta |w|); v = m v + lr lambda (g + beta w); w = w - v.
    Groups with `adapt = False` (vectors, as SimCLR and BYOL have it) take plain momentum steps.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float = 1.0, momentum: float = 0.9, trust_coefficient: float = 0.001
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "trust_coefficient": trust_coefficient, "weight_decay": 0.0, "adapt": True,
        }  # fmt: skip
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step from the gradients that are there; no synchronisation with the device."""
        loss = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group)
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        change = gradient.add(weight, alpha=group["weight_decay"])
        if group["adapt"]:
            change = change * trust(weight, gradient, group["trust_coefficient"], group["weight_decay"])
        state = self.state[weight]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        velocity = state["momentum_buffer"]
        velocity.mul_(group["momentum"]).add_(change, alpha=group["lr"])
        weight.sub_(velocity)


def trust(weight: Tensor, gradient: Tensor, coefficient: float, weight_decay: float) -> Tensor:
    """The layer's own rate, a scalar; 1 where the weight or its gradient is zero."""
    size, slope = weight.norm(), gradient.norm()
    ratio = coefficient * size / (slope + weight_decay * size)
    return torch.where((size > 0) & (slope > 0), ratio, torch.ones_like(ratio))


def clip(modules: Iterable[nn.Module], longest: float) -> None:
    """Shorten the gradient of all parts together to `longest`, without asking the device how long it is."""
    torch.nn.utils.clip_grad_norm_([p for m in modules for p in m.parameters() if p.requires_grad], longest)
