"""Barlow Twins (Zbontar, Jing, Misra, LeCun & Deny, 2021): https://arxiv.org/abs/2103.03230

Two views of an image agree in every feature, and no feature says again what another one says.
Shapes: B images, C channels, S side in pixels, D encoder features, P projection features.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.presets import Count, Positive, Section


class BarlowTwins(Method):
    """Encoder, projector, and the cross-correlation of its features between two views, which should be the identity."""

    view_count = 2

    class Settings(Section):
        redundancy: Positive = 5e-3
        """lambda of equation 1, how much the off-diagonal counts: 5e-3 in the paper's search."""
        projection_dim: Count = 2048
        """P. The paper's projector has three linear layers of 8192 each; public CIFAR-10 recipes take 2048."""
        hidden_dim: Count = 2048
        """Width of the hidden layers, each with batch norm and ReLU behind it."""
        projector_layers: Count = 3
        """Linear layers in all: 3 in the paper and in solo-learn's CIFAR-10 recipe, 2 in lightly's."""
        loss_scale: Positive = 1.0
        """What the loss is multiplied by: a sum over P x P features is large; a public recipe for LARS takes 0.1."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        hidden = [settings.hidden_dim] * (settings.projector_layers - 1)
        self.projector = mlp(features(encoder), *hidden, settings.projection_dim, hidden_norm=True)

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        return ["batch_size = 1 has no correlation; take at least 2"] if batch_size == 1 else []

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`agreement` is the mean correlation of a feature with itself in the other view, at best 1.

        Each view is a batch of its own for batch norm, as in the authors' code.
        """
        first, second = (self.embed(view) for view in batch.views)
        between = cross_correlation(first, second)
        loss = self.settings.loss_scale * twins(between, self.settings.redundancy)
        return {"loss": loss, "agreement": between.detach().diagonal().mean()}

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))


def cross_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Equation 2: between each feature of one z and each of the other, both (B, P). Float32 (P, P), -1..1.

    The features are centred and scaled over the batch, as the authors' batch norm without weights does it.
    """
    with torch.autocast(first.device.type, enabled=False):  # products of thousands of features need fp32
        first, second = (centred_and_scaled(z.float()) for z in (first, second))
        return first.T @ second / len(first)


def centred_and_scaled(z: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the batch; a feature that does not vary becomes 0."""
    return (z - z.mean(0)) * (z.var(0, unbiased=False) + 1e-5).rsqrt()


def twins(between: Tensor, redundancy: float) -> Tensor:
    """Equation 1: sum_i (1 - C_ii)^2 + lambda sum_i sum_{j != i} C_ij^2."""
    own = between.diagonal()
    return (1 - own).square().sum() + redundancy * (between.square().sum() - own.square().sum())
