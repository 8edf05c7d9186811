"""NNCLR, Nearest-Neighbor Contrastive Learning (Dwibedi et al., 2021): https://arxiv.org/abs/2104.14548

Foretell, from one view of an image, the nearest earlier image to the other view: positives that no augmentation makes.
Shapes: B images, C channels, S side in pixels, D encoder features, P projection features, Q rows in the support set.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.models.queue import Queue
from sslterm.presets import Count, Positive, Section


class NNCLR(Method):
    """Encoder, projector, predictor, and a queue of earlier z in which neighbours are looked for."""

    view_count = 2

    class Settings(Section):
        queue: Count = 4096
        """Q, size of the support set: 98,304 for ImageNet in the paper; public CIFAR-10 recipes: 4,096 to 65,536."""
        temperature: Positive = 0.1
        """tau of equation 3, 0.1 in algorithm 1; one public CIFAR-10 recipe takes 0.2."""
        projection_dim: Count = 256
        """P. The paper's projector has three linear layers of 2048, 2048 and 256, batch norm behind each, ReLU
        behind all but the last."""
        hidden_dim: Count = 2048
        """Width of the projector's two hidden layers."""
        predictor_dim: Count = 4096
        """Width of the predictor's hidden layer, with batch norm and ReLU behind it; the last layer has neither."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        hidden, narrow = settings.hidden_dim, settings.projection_dim
        self.projector = mlp(features(encoder), hidden, hidden, narrow, hidden_norm=True, last_norm="affine")
        self.predictor = mlp(narrow, settings.predictor_dim, narrow, hidden_norm=True)
        self.queue = Queue(settings.queue, narrow)
        self.fresh: Tensor | None = None  # this step's z, until the step is over

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        if batch_size == 1:
            return ["batch_size = 1 leaves no other image to tell one from; take at least 2"]
        return Queue.objections(settings.queue, batch_size)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Algorithm 1, the mean of both directions; near ln B at first. Each view is a batch of its own.

        `top1` is the share of predictions that come nearest to the neighbour of their own image.
        """
        z = [self.embed(view) for view in batch.views]
        p = [self.predictor(one) for one in z]
        losses, top1s = zip(
            *(
                contrast(neighbours(z[one], self.queue.rows), p[other], self.settings.temperature)
                for one, other in ((0, 1), (1, 0))
            ),
            strict=True,
        )
        self.fresh = F.normalize(z[0].detach().float(), dim=1)
        return {"loss": torch.stack(losses).mean(), "top1": torch.stack(top1s).mean()}

    def after_step(self, progress: float) -> None:
        """Only now do the z of the first view, as in algorithm 1, replace the oldest ones: no image of this step finds
        itself."""
        if self.fresh is not None:
            self.queue.push(self.fresh)
            self.fresh = None

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))


@torch.no_grad()
def neighbours(z: Tensor, support: Tensor) -> Tensor:
    """Equation 4: of normalised rows (Q, P) the nearest to each z (B, P). Float32 (B, P), without gradient."""
    with torch.autocast(z.device.type, enabled=False):
        nearest = (F.normalize(z.float(), dim=1) @ support.T).argmax(1)
    return support.index_select(0, nearest)


def contrast(positives: Tensor, p: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Equation 3: each normalised positive (B, P) against the predictions of the whole batch (B, P); and the top-1."""
    with torch.autocast(p.device.type, enabled=False):  # cosines over 0.1 need more than bf16's 8 bits
        logits = positives @ F.normalize(p.float(), dim=1).T / temperature
    own = torch.arange(len(logits), device=logits.device)
    return F.cross_entropy(logits, own), (logits.argmax(1) == own).float().mean()
