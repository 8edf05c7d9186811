"""SwAV, Swapping Assignments between Views (Caron et al., 2020): https://arxiv.org/abs/2006.09882

Foretell, from one view of an image, to which prototypes the other view was assigned, when all images share them evenly.
Shapes: B images, V views of which the first two are whole, D encoder features, P projection features, K prototypes.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import encoded, features
from sslterm.models.heads import mlp
from sslterm.models.queue import Queue
from sslterm.presets import Count, Positive, Section, Whole

ASSIGNED = 2
"""Views that get assignments; the local ones only foretell them."""


class SwAV(Method):
    """Encoder, projector, prototypes on the sphere, and for small batches a queue of earlier z for each whole view.

    As in the authors' code: prototypes are normalised before each step and stand still for the first ones; the queue
    counts once it is full; views of one size go through the encoder together. The loss starts near ln K.
    """

    view_count = ASSIGNED
    takes_local_views = True

    class Settings(Section):
        prototypes: Count = 3000
        """K, 3,000 for ImageNet and in public CIFAR-10 recipes with a queue; 100 to 512 without one."""
        temperature: Positive = 0.1
        """tau of equation 2."""
        epsilon: Positive = 0.05
        """How soft assignments are, equation 3: 0.05."""
        iterations: Count = 3
        """Of Sinkhorn-Knopp: three are enough."""
        queue: Whole = 0
        """How many earlier z of each whole view share the prototypes with the batch; 3,840 for batches of 256."""
        queue_after: Whole = 0
        """Steps before the queue begins to fill; the authors wait for 15 epochs."""
        frozen: Whole = 313
        """Steps that prototypes stand still at first: 313 in the authors' code, an epoch of ImageNet."""
        projection_dim: Count = 128
        """P."""
        hidden_dim: Count = 2048
        """Width of the projector's hidden layer, which has batch norm and ReLU behind it."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        narrow = settings.projection_dim
        self.projector = mlp(features(encoder), settings.hidden_dim, narrow, hidden_norm=True)
        self.prototypes = nn.Linear(narrow, settings.prototypes, bias=False)
        self.queues = nn.ModuleList(Queue(settings.queue, narrow) for _ in range(ASSIGNED if settings.queue else 0))
        self.fresh: list[Tensor] = []  # this step's z of the whole views, until the step is over

    @property
    def _queues(self) -> list[Queue]:
        return [cast(Queue, queue) for queue in self.queues]

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        return Queue.objections(settings.queue, batch_size)

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        share = batch_size + settings.queue
        if share >= settings.prototypes:
            return []
        return [
            f"prototypes = {settings.prototypes} are more than the {share} images that share them in a step, so that"
            f" learning stalls; take fewer, or a queue of {-(-settings.prototypes // batch_size) * batch_size}"
        ]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The mean of equation 1 over both assigned views and all others that foretell them.

        `agreement` is the share of images whose two whole views come nearest to the same prototype.
        """
        self._normalise_prototypes()
        z = [F.normalize(one.float(), dim=1) for one in self._projected(batch.views)]
        weight = self.prototypes.weight
        # Detached, they get no gradient at all, and so no momentum or decay moves them either.
        weight = weight.detach() if batch.step < self.settings.frozen else weight
        with torch.autocast(weight.device.type, enabled=False):  # exp(1 / 0.05) needs more than bf16's 8 bits
            scores = [one @ weight.T for one in z]
            codes = [self._assigned(scores[which].detach(), which, batch.step) for which in range(ASSIGNED)]
            losses = [
                swapped(codes[which], scores[other], self.settings.temperature)
                for which in range(ASSIGNED)
                for other in range(len(scores))
                if other != which
            ]
        queueing = self.queues and batch.step >= self.settings.queue_after
        self.fresh = [one.detach() for one in z[:ASSIGNED]] if queueing else []
        nearest = [score.argmax(1) for score in scores[:ASSIGNED]]
        return {"loss": torch.stack(losses).mean(), "agreement": (nearest[0] == nearest[1]).float().mean()}

    def _projected(self, views: tuple[Tensor, ...]) -> list[Tensor]:
        """z of each view, (B, P). Views of one size are one batch for batch norm; the projector sees all at once."""
        return list(self.projector(encoded(self.encoder, views)).split(len(views[0])))

    @torch.no_grad()
    def _normalise_prototypes(self) -> None:
        self.prototypes.weight.copy_(F.normalize(self.prototypes.weight, dim=1))

    @torch.no_grad()
    def _assigned(self, scores: Tensor, which: int, step: int) -> Tensor:
        """Assignments of a view's images, (B, K); where the queue is full, its rows share the prototypes with them."""
        count, said = len(scores), self.settings
        if self.queues and (step - said.queue_after) * count >= said.queue:
            scores = torch.cat([self._queues[which].rows @ self.prototypes.weight.T, scores])
        return sinkhorn(scores, said.epsilon, said.iterations)[-count:]

    def after_step(self, progress: float) -> None:
        """Only now do this step's z replace the oldest ones."""
        if self.fresh:
            for queue, z in zip(self._queues, self.fresh, strict=True):
                queue.push(z)
        self.fresh = []

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))


def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """The paper's `sinkhorn`: float32 scores (N, K) -> assignments (N, K). Each row adds up to 1, and after enough
    iterations each column to N / K."""
    # The greatest score is taken off all of them, which changes nothing but keeps exp within reach.
    shares = torch.exp((scores - scores.max()) / epsilon)
    shares /= shares.sum()
    count, prototypes = shares.shape
    for _ in range(iterations):
        shares /= shares.sum(0, keepdim=True).clamp(min=1e-30) * prototypes
        shares /= shares.sum(1, keepdim=True) * count
    return shares * count


def swapped(codes: Tensor, scores: Tensor, temperature: float) -> Tensor:
    """Equation 2: the cross-entropy of assignments (B, K) of one view and the prediction from the scores of another."""
    return -(codes * F.log_softmax(scores / temperature, dim=1)).sum(1).mean()
