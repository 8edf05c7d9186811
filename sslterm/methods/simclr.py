"""SimCLR (Chen, Kornblith, Norouzi & Hinton, 2020): https://arxiv.org/abs/2002.05709

Among all other views of the batch, find the one that shows the same image.
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
from sslterm.presets import Count, Positive, Section


class SimCLR(Method):
    """Encoder, projector, NT-Xent. Both views go through in one batch of 2B, as in the authors' code, so batch norm
    sees both at once. With random weights the loss is near ln(2B - 1)."""

    view_count = 2

    class Settings(Section):
        temperature: Positive = 0.5
        """Appendix B.9, for CIFAR-10: "temperature in {0.1, 0.5, 1.0}"; published runs of 200 epochs take 0.5."""
        projection_dim: Count = 128
        """2.3: "a 2-layer MLP projection head to project the representation to a 128-dimensional latent space"."""
        hidden_dim: Count | None = None
        """Width of the projector's hidden layer; left out: as wide as the encoder, as in the paper."""
        projector_norm: bool = True
        """Batch norm after both layers of the projector, as in the authors' code."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        width = features(encoder)
        self.projector = mlp(
            width,
            settings.hidden_dim or width,
            settings.projection_dim,
            hidden_norm=settings.projector_norm,
            last_norm="affine" if settings.projector_norm else "none",
        )

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        return ["batch_size = 1 leaves no other image to tell one from; take at least 2"] if batch_size == 1 else []

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`top1` is the share of views whose nearest view is that of the same image."""
        first, second = self.embed(torch.cat(batch.views)).chunk(2)
        loss, top1 = nt_xent(first, second, self.settings.temperature)
        return {"loss": loss, "top1": top1}

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The normalised, temperature-scaled cross-entropy (algorithm 1) of z from two views, each (B, P), and its top-1.

    Each of the 2B views has 2B - 1 candidates: all but itself, the one of the same image being right.
    """
    count = len(first)
    with torch.autocast(first.device.type, enabled=False):  # cosines over 0.5 need more than bf16's 8 bits
        z = F.normalize(torch.cat([first, second]).float(), dim=1)
        logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)  # a view is no candidate for itself
    same_image = torch.arange(2 * count, device=z.device).roll(count)  # i <-> i + B
    top1 = (logits.argmax(1) == same_image).float().mean()
    return F.cross_entropy(logits, same_image), top1
