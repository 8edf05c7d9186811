"""BYOL, Bootstrap Your Own Latent (Grill et al., 2020): https://arxiv.org/abs/2006.07733

Predict, from one view of an image, what a slow copy of the network makes of the other view.
Shapes: B images, C channels, S side in pixels, D encoder features, P projection features.
"""

from __future__ import annotations

from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.models.teacher import Teacher, rising
from sslterm.presets import Count, Fraction, Section


class BYOL(Method):
    """Student: encoder, projector, predictor. Teacher: a slow copy of the first two."""

    view_count = 2

    class Settings(Section):
        projection_dim: Count = 256
        """Implementation details: "a linear layer with output size 4096 followed by batch normalization, rectified
        linear units (ReLU), and a final linear layer with output dimension 256"."""
        hidden_dim: Count = 4096
        """Width of the hidden layer of projector and predictor, which "uses the same architecture"."""
        teacher_momentum: Fraction = 0.996
        """Implementation details: "the exponential moving average parameter tau starts from tau_base = 0.996 and is
        increased to one during training"."""
        teacher_schedule: Literal["cosine", "constant"] = "cosine"
        """cosine: rises to 1 as in the paper; constant: short runs on CIFAR-10 keep 0.99."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        width, hidden, narrow = features(encoder), settings.hidden_dim, settings.projection_dim
        self.projector = mlp(width, hidden, narrow, hidden_norm=True)
        self.predictor = mlp(narrow, hidden, narrow, hidden_norm=True)
        self.teacher = Teacher(encoder, self.projector)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The sum of both directions, as in the paper, not their mean: between 0 and 8, near 4 for unrelated p and z.

        Each view is a batch of its own for batch norm.
        """
        first, second = batch.views
        return {
            "loss": distance(self.predictor(self.embed(first)), self.teacher(second))
            + distance(self.predictor(self.embed(second)), self.teacher(first))
        }

    def after_step(self, progress: float) -> None:
        m = self.settings.teacher_momentum
        if self.settings.teacher_schedule == "cosine":
            m = rising(m, progress)
        self.teacher.follow(self.encoder, self.projector, teacher_momentum=m)

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P)."""
        return self.projector(self.encoder(images))


def distance(p: Tensor, z: Tensor) -> Tensor:
    """Equation 2, the squared distance of the normalised p and z, each (B, P): 2 - 2 cos(p, z), mean over the batch."""
    return 2 - 2 * F.cosine_similarity(p.float(), z.float(), dim=1).mean()
