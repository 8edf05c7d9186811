"""Spherical k-means: clusters of directions, whose centroids lie on the unit sphere; and how alike two clusterings are.

scikit-learn's k-means is not spherical and knows no accelerator. Shapes: N rows of width P, K clusters.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 8192
"""Rows whose similarities to all centroids are held at once."""
ASIDE = 0.01
"""How far from the centroid of a cluster that is split the new one begins."""


@torch.no_grad()
def spherical_kmeans(rows: Tensor, clusters: int, iterations: int) -> tuple[Tensor, Tensor]:
    """Normalised centroids, float32 (K, P), and the cluster, int64 (N,), of each normalised row; rows: float32 (N, P).

    Begins with random rows. A cluster without rows takes some of another, the likelier the more rows that one has. All
    draws and sums happen on the CPU, where sums have an order: the same seed finds the same clusters.
    """
    assert clusters <= len(rows), (clusters, len(rows))
    there = rows.cpu()
    centroids = there[torch.randperm(len(rows))[:clusters]]
    for _ in range(iterations):
        nearest = assigned(rows, centroids.to(rows.device)).cpu()
        sums = torch.zeros_like(centroids).index_add_(0, nearest, there)
        counts = nearest.bincount(minlength=clusters)
        centroids = split_into_empty(F.normalize(sums, dim=1), counts)
    centroids = centroids.to(rows.device)
    return centroids, assigned(rows, centroids)


def assigned(rows: Tensor, centroids: Tensor) -> Tensor:
    """The nearest centroid (K, P) of each row (N, P): int64 (N,)."""
    return torch.cat([(some @ centroids.T).argmax(1) for some in rows.split(CHUNK)])


def split_into_empty(centroids: Tensor, counts: Tensor) -> Tensor:
    """Centroids (K, P) of clusters with so many rows (K,): those without any lie beside one that has some."""
    empty = (counts == 0).nonzero()[:, 0]
    if not len(empty):
        return centroids
    full = counts.float().multinomial(len(empty), replacement=True)
    aside = ASIDE * F.normalize(torch.randn(len(empty), centroids.shape[1]), dim=1)
    return centroids.index_copy(0, empty, F.normalize(centroids[full] + aside, dim=1))


def mutual_information(one: Tensor, other: Tensor) -> Tensor:
    """How much two clusterings of the same rows, int64 (N,), say of each other, as a share of the mean of what each
    says: float64 scalar, 0 ... 1, 1 where they are the same but for the clusters' names."""
    first, second = _entropy(one), _entropy(other)
    both = _entropy(one * (int(other.max()) + 1) + other)
    said = (first + second) / 2
    return torch.ones_like(said) if said == 0 else ((first + second - both) / said).clamp(0, 1)


def _entropy(clusters: Tensor) -> Tensor:
    shares = clusters.unique(return_counts=True)[1].double() / len(clusters)
    return torch.special.entr(shares).sum()
