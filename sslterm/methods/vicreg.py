"""VICReg, Variance-Invariance-Covariance Regularization (Bardes, Ponce & LeCun, 2021): https://arxiv.org/abs/2105.04906

Two views of an image lie close together, every feature keeps varying over the batch, and no two vary together.
Shapes: B images, C channels, S side in pixels, D encoder features, P projection features.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.presets import Count, NotNegative, Section


class VICReg(Method):
    """Encoder, projector (the paper's expander), and three terms of which none needs other images as negatives."""

    view_count = 2

    class Settings(Section):
        invariance: NotNegative = 25.0
        """lambda, of equation 6; the paper takes lambda = mu = 25 and nu = 1."""
        variance: NotNegative = 25.0
        """mu, what keeps features from collapsing."""
        covariance: NotNegative = 1.0
        """nu, what keeps features from repeating each other."""
        projection_dim: Count = 2048
        """P. The paper's expander has three linear layers of 8192 each; public CIFAR-10 recipes take 2048."""
        hidden_dim: Count = 2048
        """Width of the hidden layers, each with batch norm and ReLU behind it."""
        projector_layers: Count = 3
        """Linear layers in all: 3 in the paper and in solo-learn's CIFAR-10 recipe."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        hidden = [settings.hidden_dim] * (settings.projector_layers - 1)
        self.projector = mlp(features(encoder), *hidden, settings.projection_dim, hidden_norm=True)

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        return ["batch_size = 1 has no variance; take at least 2"] if batch_size == 1 else []

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        if settings.variance:
            return []
        return ["variance = 0 leaves nothing that keeps z from becoming the same for all images; the paper has 25"]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The three terms are reported as they are, before their weights. Each view is a batch of its own."""
        first, second = (self.embed(view).float() for view in batch.views)
        said = self.settings
        with torch.autocast(first.device.type, enabled=False):  # sums over thousands of features need fp32
            near = invariance(first, second)
            wide = variance(first) + variance(second)
            apart = covariance(first) + covariance(second)
        return {
            "loss": said.invariance * near + said.variance * wide + said.covariance * apart,
            "invariance": near.detach(),
            "variance": wide.detach(),
            "covariance": apart.detach(),
        }

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))


def invariance(first: Tensor, second: Tensor) -> Tensor:
    """s of algorithm 1: the mean squared difference of two z, each (B, P), over images and features."""
    return F.mse_loss(first, second)


def variance(z: Tensor) -> Tensor:
    """v, equation 1: how far the standard deviation of a feature of z (B, P) stays below 1, in the mean. 0..1.

    Differs from the authors' released code, which halves it; algorithm 1 does not.
    """
    return F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean()


def covariance(z: Tensor) -> Tensor:
    """c, equation 4: the squared covariances of two features of z (B, P) each, summed and divided by P."""
    z = z - z.mean(0)
    between = z.T @ z / (len(z) - 1)
    return (between.square().sum() - between.diagonal().square().sum()) / z.shape[1]
