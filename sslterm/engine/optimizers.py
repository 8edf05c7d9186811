"""Optimizers: SGD, Adam and AdamW by torch's fused kernels; LARS as You et al. 2017 wrote it
(https://arxiv.org/abs/1708.03888).

torch.optim's classes load torch's compiler at their first step, which takes longer than the first hundred steps. Their
kernels do not, and what a checkpoint holds is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

Group = dict[str, Any]
"""`params`, `lr`, `weight_decay`, and whatever else a kind of optimizer or a schedule wants to know of them."""


class Optimizer:
    """Groups of weights, and what is remembered of each weight."""

    def __init__(self, groups: Iterable[Group], **defaults: Any) -> None:
        self.param_groups: list[Group] = [{**defaults, **group} for group in groups]
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient; no synchronisation with the device."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._move(group, weights, [weight.grad for weight in weights])

    def _move(self, group: Group, weights: list[Tensor], gradients: list[Tensor]) -> None:
        """One step of these weights of a group."""
        raise NotImplementedError

    def _remembered(self, weight: Tensor, *names: str) -> list[Tensor]:
        """What is remembered of a weight by these names; zeros at first."""
        state = self.state.setdefault(weight, {})
        return [state.setdefault(name, torch.zeros_like(weight)) for name in names]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self._weights():
            weight.grad = None

    def _weights(self) -> list[Tensor]:
        return [weight for group in self.param_groups for weight in group["params"]]

    # -------------------------------------------------------- checkpoints, as torch.optim writes them

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, by the place of the weight among all; and the groups without their weights."""
        places = {weight: place for place, weight in enumerate(self._weights())}
        groups = [{**group, "params": [places[weight] for weight in group["params"]]} for group in self.param_groups]
        return {"state": {places[weight]: dict(state) for weight, state in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, said: dict[str, Any]) -> None:
        """Remember what was remembered; rates and decay stay those of the preset."""
        weights = self._weights()
        assert [len(group["params"]) for group in said["param_groups"]] == [
            len(group["params"]) for group in self.param_groups
        ]
        self.state = {
            weights[place]: {name: _beside(weights[place], value, name) for name, value in state.items()}
            for place, state in said["state"].items()
        }


def _beside(weight: Tensor, value: Tensor, name: str) -> Tensor:
    """A copy on the weight's device; laid out as the weight is, where it has the weight's shape."""
    if name == "step":
        return value.to(weight.device, torch.float32, copy=True)
    return torch.empty_like(weight).copy_(value)


class SGD(Optimizer):
    """With momentum, as torch has it: v = m v + g, w = w - lr v; with Nesterov's w = w - lr (g + m v)."""

    def __init__(self, groups: Iterable[Group], momentum: float = 0.0, nesterov: bool = False) -> None:
        super().__init__(groups, lr=1.0, weight_decay=0.0, momentum=momentum, nesterov=nesterov and momentum > 0)

    def _move(self, group: Group, weights: list[Tensor], gradients: list[Tensor]) -> None:
        momentum = group["momentum"]
        velocities: list[Any] = [v for w in weights for v in self._remembered(w, "momentum_buffer")] if momentum else []
        sgd(
            weights, gradients, velocities, fused=True, weight_decay=group["weight_decay"], momentum=momentum,
            lr=group["lr"], dampening=0.0, nesterov=group["nesterov"], maximize=False,
        )  # fmt: skip


class Adam(Optimizer):
    """Kingma and Ba 2015, with the decay in the gradient; or AdamW (Loshchilov and Hutter 2019): `decoupled`."""

    def __init__(self, groups: Iterable[Group], betas: tuple[float, float], decoupled: bool = False) -> None:
        super().__init__(groups, lr=1.0, weight_decay=0.0, betas=betas, eps=1e-8, decoupled=decoupled)

    def _move(self, group: Group, weights: list[Tensor], gradients: list[Tensor]) -> None:
        means, squares = zip(*(self._remembered(w, "exp_avg", "exp_avg_sq") for w in weights), strict=True)
        steps = [self._steps(weight) for weight in weights]
        beta1, beta2 = group["betas"]
        adam(
            weights, gradients, list(means), list(squares), [], steps, fused=True,
            decoupled_weight_decay=group["decoupled"], amsgrad=False, beta1=beta1, beta2=beta2, lr=group["lr"],
            weight_decay=group["weight_decay"], eps=group["eps"], maximize=False,
        )  # fmt: skip

    def _steps(self, weight: Tensor) -> Tensor:
        """How many steps the weight has taken: on its device, so that nothing waits for it."""
        return self.state[weight].setdefault("step", torch.zeros((), dtype=torch.float32, device=weight.device))


class LARS(Optimizer):
    """SGD whose rate is scaled, layer by layer, by the norm of the weight over the norm of its gradient.

    Algorithm 1 of the paper: lambda = eta |w| / (|g| + beta |w|); v = m v + lr lambda (g + beta w); w = w - v.
    Groups with `adapt = False` (vectors, as SimCLR and BYOL have it) take plain momentum steps. With `clip_rate`, the
    layer's own rate is min(lambda, lr) instead of lr lambda: LARC, which is no part of the paper.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        momentum: float = 0.9,
        trust_coefficient: float = 0.001,
        clip_rate: bool = False,
    ) -> None:
        super().__init__(
            groups, lr=1.0, weight_decay=0.0, momentum=momentum, trust_coefficient=trust_coefficient,
            clip_rate=clip_rate, adapt=True,
        )  # fmt: skip

    def _move(self, group: Group, weights: list[Tensor], gradients: list[Tensor]) -> None:
        velocities = [self._remembered(weight, "momentum_buffer")[0] for weight in weights]
        changes = torch._foreach_add(gradients, weights, alpha=group["weight_decay"])  # all weights in a few kernels
        if group["adapt"]:
            rates = trust(weights, gradients, group["trust_coefficient"], group["weight_decay"])
            if group["clip_rate"] and group["lr"]:
                rates = (rates / group["lr"]).clamp(max=1)
            torch._foreach_mul_(changes, list(rates))
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_add_(velocities, changes, alpha=group["lr"])
        torch._foreach_sub_(weights, velocities)


def trust(weights: list[Tensor], gradients: list[Tensor], coefficient: float, weight_decay: float) -> Tensor:
    """Each layer's own rate, float (layers); 1 where the weight or its gradient is zero."""
    sizes, slopes = (torch.stack(torch._foreach_norm(some)) for some in (weights, gradients))
    rates = coefficient * sizes / (slopes + weight_decay * sizes)
    return torch.where((sizes > 0) & (slopes > 0), rates, torch.ones_like(rates))
