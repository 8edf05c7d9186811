"""DeepCluster (Caron et al., 2018): https://arxiv.org/abs/1807.05520, and DeepCluster-v2, as it is told beside SwAV
(Caron et al., 2020): https://arxiv.org/abs/2006.09882

Before each epoch, sort all images into clusters by what the network makes of them; then foretell each image's cluster.
Shapes: N images of the stage, B in a batch, V views, D encoder features, P projection features, H heads, K clusters.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Look, Method
from sslterm.models.encoders import encoded, features
from sslterm.models.heads import mlp
from sslterm.models.kmeans import mutual_information, spherical_kmeans
from sslterm.presets import Count, Positive, Section

REMEMBERED = 2
"""Views whose embeddings are remembered for the next clustering: the whole ones."""


class DeepCluster(Method):
    """Version 2: encoder, projector, and heads of centroids that k-means found among last epoch's z of all images.
    Version 1: encoder and a linear head, which begins anew whenever k-means has sorted the features of all images.

    As in the authors' code: in version 2 each head clusters by itself, the whole views' z by turns; in version 1
    features are whitened and normalised first, every cluster is seen equally often, and only the first view counts.
    Differs from it: the first z of version 2 are of images without random views, less their mean, and a cluster that
    lost all its images takes a part of a large one, as in version 1; in version 1 the centroids stay normalised, and
    the head learns by the optimizer of the rest.
    """

    view_count = REMEMBERED
    takes_local_views = True

    class Settings(Section):
        version: Literal[1, 2] = 2
        """2: DeepCluster-v2; 1: the first DeepCluster."""
        clusters: Count = 3000
        """K: 3,000 in version 2, for ImageNet and in a public CIFAR-10 recipe; 10,000 in version 1, for ImageNet."""
        heads: Count = 3
        """H of version 2: 3."""
        temperature: Positive = 0.1
        """Of version 2: 0.1."""
        iterations: Count = 10
        """Of k-means: 10 in the authors' code of version 2, 20 in that of version 1."""
        pca: Count = 256
        """Principal components that version 1 clusters by, at most: 256."""
        projection_dim: Count = 128
        """P of version 2: 128."""
        hidden_dim: Count = 2048
        """Width of version 2's hidden layer, which has batch norm and ReLU behind it: 2,048."""

    bank: Tensor
    centroids: Tensor
    assignments: Tensor
    nmi: Tensor
    used: Tensor

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where there are more clusters than images."""
        super().__init__(encoder, settings, facts)
        count, narrow, images = settings.clusters, settings.projection_dim, facts.images
        if count > images:
            raise ValueError(f"method.clusters: {count} are more than the {images} images of the stage; take fewer")
        heads = settings.heads if settings.version == 2 else 1
        if settings.version == 2:
            self.projector = mlp(features(encoder), settings.hidden_dim, narrow, hidden_norm=True)
            self.register_buffer("centroids", F.normalize(torch.randn(heads, count, narrow), dim=2))
            self.register_buffer("bank", torch.zeros(min(heads, REMEMBERED), images, narrow))
        else:
            self.head = nn.Linear(features(encoder), count)
        self.register_buffer("assignments", torch.zeros(heads, images, dtype=torch.int64))
        self.register_buffer("nmi", torch.zeros(()))
        self.register_buffer("used", torch.zeros(()))
        self.clusterings = 0
        self.fresh: tuple[Tensor, Tensor] | None = None  # this step's z and whose they are, until the step is over

    def get_extra_state(self) -> Tensor:
        """How many times all images were clustered; the first time differs."""
        return torch.tensor(self.clusterings)

    def set_extra_state(self, state: Tensor) -> None:
        self.clusterings = int(state)

    # -------------------------------------------------------- a step

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy with the images' clusters; near ln K at first.

        `nmi` is the mutual information of this epoch's clusters and the last one's, normalised, 0 in the first epoch;
        `used` how many clusters have images. Both are the mean over heads.
        """
        said = {"nmi": self.nmi, "used": self.used}
        targets = self.assignments[:, batch.indices]
        if self.settings.version == 1:
            return {"loss": F.cross_entropy(self.head(self.encoder(batch.views[0])).float(), targets[0]), **said}
        z = self._projected(batch.views)
        self.fresh = z.detach()[: REMEMBERED * len(batch.indices)], batch.indices
        return {"loss": foretold(z, self.centroids, targets, self.settings.temperature), **said}

    def _projected(self, views: tuple[Tensor, ...]) -> Tensor:
        """Normalised z of all views, float32 (V * B, P). Views of one size are one batch for batch norm; the projector
        sees all at once."""
        return F.normalize(self.projector(encoded(self.encoder, views)).float(), dim=1)

    def after_step(self, progress: float) -> None:
        """Version 2 remembers this step's z of the whole views, for the next clustering."""
        if self.fresh is not None:
            z, indices = self.fresh
            self.bank.index_copy_(1, indices, z.view(REMEMBERED, len(indices), -1)[: len(self.bank)])
            self.fresh = None

    def embed(self, images: Tensor) -> Tensor:
        """What is clustered: z, float (B, P), not normalised; in version 1 h, (B, D)."""
        h = self.encoder(images)
        return self.projector(h) if self.settings.version == 2 else h

    # -------------------------------------------------------- an epoch

    @torch.no_grad()
    def before_epoch(self, look: Look) -> None:
        """Sort all images into clusters anew."""
        found = self._clusters_of_features(look) if self.settings.version == 1 else self._clusters_of_z(look)
        if self.clusterings:
            pairs = zip(self.assignments, found, strict=True)
            self.nmi.copy_(torch.stack([mutual_information(before, now) for before, now in pairs]).mean())
        self.used.copy_(torch.tensor([len(clusters.unique()) for clusters in found]).float().mean())
        self.assignments.copy_(found)
        self.clusterings += 1

    def _clusters_of_z(self, look: Look) -> Tensor:
        """Version 2: int64 (H, N), each head's own clustering of the remembered z; before the first epoch those of the
        images as they are."""
        if not self.clusterings:
            z = look.outputs(self.embed)
            # Less their mean: all z of an untrained network in eval mode point nearly the same way.
            self.bank.copy_(F.normalize(z - z.mean(0), dim=1))
        found = []
        for head, centroids in enumerate(self.centroids):
            new, clusters = spherical_kmeans(self.bank[head % len(self.bank)], *self._size)
            centroids.copy_(new)
            found.append(clusters)
        return torch.stack(found)

    def _clusters_of_features(self, look: Look) -> Tensor:
        """Version 1: int64 (1, N), and a head that knows nothing of them yet."""
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        look.restart(self.head)
        rows = F.normalize(whitened(look.outputs(self.encoder), self.settings.pca), dim=1)
        return spherical_kmeans(rows.to(self.assignments.device), *self._size)[1][None]

    @property
    def _size(self) -> tuple[int, int]:
        return self.settings.clusters, self.settings.iterations

    def shares(self) -> Tensor | None:
        """In version 1 every cluster is drawn equally often, whatever its size."""
        if self.settings.version == 2:
            return None
        clusters = self.assignments[0]
        return 1 / clusters.bincount(minlength=self.settings.clusters)[clusters].float()


def foretold(z: Tensor, centroids: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The cross-entropy of clusters (H, B) and their prediction from normalised z (V * B, P), view after view, by
    cosines with normalised centroids (H, K, P). The mean over heads, views and images."""
    with torch.autocast(z.device.type, enabled=False):  # cosines over 0.1 need more than bf16's 8 bits
        scores = z @ centroids.transpose(1, 2) / temperature
    views = len(z) // targets.shape[1]
    return F.cross_entropy(scores.flatten(0, 1), targets.repeat(1, views).flatten())


def whitened(features: Tensor, most: int) -> Tensor:
    """Principal components of features (N, D), the `most` that vary most, each with variance 1: float32 (N, at most
    `most`). Directions in which hardly anything varies are left out."""
    centred = features.double() - features.double().mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    variances, directions = variances[-most:], directions[:, -most:]
    kept = variances > 1e-6 * variances[-1]
    return (centred @ (directions[:, kept] / variances[kept].sqrt())).float()
