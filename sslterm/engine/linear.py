"""The linear probe: multinomial logistic regression on frozen features, its weight decay chosen on valid.

The protocol of Kornblith et al. 2019, "Do Better ImageNet Models Transfer Better?" (appendix, on logistic regression):
L-BFGS over a logarithmic grid of L2 penalties, each fit starting from the one before; validation chooses. The problem
is convex, so unlike the SGD probes of MoCo and SimSiam no learning rate, no epochs and no luck are left to report.
Differs from the paper: the chosen probe is not trained again on train and valid together.
Shapes: N images, D encoder features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WEIGHT_DECAYS = tuple(10 ** (-power / 2) for power in range(11))  # 1 ... 1e-5, two a decade


@dataclass(frozen=True)
class LinearProbe:
    """A trained probe. It standardises features as those it was trained on."""

    mean: Tensor
    """float32 (D,), of the train features, as `std`."""
    std: Tensor
    weight: Tensor
    """float32 (K, D), for standardised features."""
    bias: Tensor
    weight_decay: float
    valid_top1: float
    tried: tuple[tuple[float, float], ...]
    """Every weight decay and its top-1 on valid, from strong to weak."""

    def logits(self, features: Tensor) -> Tensor:
        """float (N, D) -> float32 (N, K)."""
        return F.linear((features.float() - self.mean) / self.std, self.weight, self.bias)

    def probabilities(self, features: Tensor) -> Tensor:
        """float (N, D) -> float32 (N, K), rows sum to 1."""
        return self.logits(features).softmax(dim=1)


def fit_linear(
    train: Tensor,
    train_labels: Tensor,
    valid: Tensor,
    valid_labels: Tensor,
    classes: int,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    iterations: int = 60,
    progress: Callable[[int], object] | None = None,
) -> LinearProbe:
    """Train a probe for every weight decay and return the best on valid; of equals, the most decayed.

    Features are float (N, D), labels int64 (N,); images labelled -1 are left out. Each fit starts from the one before,
    from strong decay to weak, and takes at most `iterations` steps. `progress` is told 1 after each fit.
    The same features give the same probe: nothing here is random.
    """
    train, train_labels = _labelled(train, train_labels)
    valid, valid_labels = _labelled(valid, valid_labels)
    assert len(train), "a probe needs labelled images to learn from"
    assert len(valid), "a probe needs labelled images to be chosen on"
    mean, std = _statistics(train)
    train, valid = (train - mean) / std, (valid - mean) / std
    weight, bias = train.new_zeros(classes, train.shape[1]), train.new_zeros(classes)
    best, best_top1, tried = None, -1.0, []
    for decay in sorted(weight_decays, reverse=True):
        weight, bias = _minimise(train, train_labels, weight, bias, decay, iterations)
        top1 = (F.linear(valid, weight, bias).argmax(dim=1) == valid_labels).double().mean().item()
        tried.append((decay, top1))
        if top1 > best_top1:
            best, best_top1 = (weight, bias, decay), top1
        if progress:
            progress(1)
    assert best is not None, "no weight decays to choose from"
    return LinearProbe(mean, std, *best, valid_top1=best_top1, tried=tuple(tried))


def objective(features: Tensor, labels: Tensor, weight: Tensor, bias: Tensor, decay: float) -> Tensor:
    """Mean cross-entropy + decay / 2 * |weight|^2; the bias is free. Scikit-learn's C is 1 / (N * decay)."""
    return F.cross_entropy(F.linear(features, weight, bias), labels) + decay / 2 * weight.square().sum()


def _minimise(
    features: Tensor, labels: Tensor, weight: Tensor, bias: Tensor, decay: float, iterations: int
) -> tuple[Tensor, Tensor]:
    """The minimum of `objective`, by full-batch L-BFGS from (weight, bias), which stay as they are."""
    weight, bias = (start.clone().requires_grad_() for start in (weight, bias))
    lbfgs = torch.optim.LBFGS(
        [weight, bias], max_iter=iterations, tolerance_grad=1e-6, tolerance_change=1e-8, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        lbfgs.zero_grad()
        loss = objective(features, labels, weight, bias, decay)
        loss.backward()
        return loss.item()

    with torch.enable_grad():
        lbfgs.step(closure)
    return weight.detach(), bias.detach()


def _labelled(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels >= 0
    return features[known.to(features.device)].float(), labels[known].to(features.device)


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (D,); 1 for a feature that does not vary beyond rounding, which then stays near 0."""
    std, mean = torch.std_mean(features, dim=0, correction=0)
    return mean, std.where(std > 1e-6 * mean.abs(), 1.0)
