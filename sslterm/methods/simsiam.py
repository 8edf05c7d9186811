"""SimSiam (Chen & He, 2020): https://arxiv.org/abs/2011.10566

Predict one view of an image from the other, with the gradient stopped on one side: no negatives, no teacher.
Shapes: B images, C channels, S side in pixels, D encoder features, P projection features.
"""

from __future__ import annotations

from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.presets import Count, Section


class SimSiam(Method):
    """Encoder, projector, predictor. Watch the spread of z: when it falls toward 0, all images look the same to it."""

    view_count = 2
    constant_lr = frozenset({"predictor"})
    """4.2: h "with a constant lr (without decay) can work well and produce even better results"."""

    class Settings(Section):
        projection_dim: Count = 2048
        """Of z and p; baseline settings: "The dimension of h's input and output (z and p) is d = 2048"."""
        hidden_dim: Count = 2048
        """Width of the projector's hidden layers: "The hidden fc is 2048-d"."""
        projector_layers: Literal[2, 3] = 3
        """Baseline settings: "This MLP has 3 layers"; appendix D, for CIFAR-10: 2."""
        predictor_dim: Count = 512
        """Baseline settings: "h's hidden layer's dimension is 512, making h a bottleneck structure"."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        hidden = [settings.hidden_dim] * (settings.projector_layers - 1)
        # f's MLP "has BN applied to each fully-connected (fc) layer, including its output fc", the last without weights
        # as in the authors' code; h has BN on its hidden layer, and "its output fc does not have BN".
        self.projector = mlp(features(encoder), *hidden, settings.projection_dim, hidden_norm=True, last_norm="plain")
        self.predictor = mlp(settings.projection_dim, settings.predictor_dim, settings.projection_dim, hidden_norm=True)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Between -1 (every view foretold) and 1. Each view is a batch of its own for batch norm."""
        z1, z2 = self.embed(batch.views[0]), self.embed(batch.views[1])
        p1, p2 = self.predictor(z1), self.predictor(z2)
        return {"loss": distance(p1, z2) / 2 + distance(p2, z1) / 2}

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P)."""
        return self.projector(self.encoder(images))


def distance(p: Tensor, z: Tensor) -> Tensor:
    """D of algorithm 1: minus the cosine of p and z, each (B, P), mean over the batch; no gradient to z."""
    return -F.cosine_similarity(p.float(), z.float().detach(), dim=1).mean()
