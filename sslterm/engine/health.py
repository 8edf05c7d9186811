"""The health of a representation: has it collapsed, how many dimensions does it use, are its views close and spread?

std: Chen & He 2021, "Exploring Simple Siamese Representation Learning" (4.1). Effective rank: Roy & Vetterli 2007, "The
effective rank: a measure of effective dimensionality" (2). Alignment and uniformity: Wang & Isola 2020, "Understanding
Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere" (4.1), alpha = 2, t = 2.
Shapes: B images (at least 2), d projection features, D encoder features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


@torch.no_grad()
def health(z1: Tensor, z2: Tensor, h: Tensor) -> dict[str, float]:
    """What is charted each epoch, of z of two views of the same images (B, d) each, and of h (B, D).

    Any float dtype and device, any length; computed on the CPU, so it waits for the device: not for the inside of a
    step. A network that has gone NaN gives NaN, never an error: it is the trainer who stops.
    """
    z1, z2, h = (features.detach().float().cpu() for features in (z1, z2, h))
    return {
        "health/std": (std(z1) + std(z2)) / 2,
        "health/std_healthy": z1.shape[1] ** -0.5,
        "health/rank": effective_rank(h),
        "health/alignment": alignment(z1, z2),
        "health/uniformity": (uniformity(z1) + uniformity(z2)) / 2,
    }


def std(z: Tensor) -> float:
    """The standard deviation of each feature of z / |z|, averaged over features: 0 collapsed, 1 / sqrt(d) healthy."""
    return F.normalize(z, dim=1).std(dim=0, correction=0).mean().item()


def effective_rank(h: Tensor) -> float:
    """exp(entropy) of the singular values of centred h, as shares of their sum: 1 ... min(B - 1, D).

    Singular values below the rounding of float32 features are none. Where none is left, h is a point: rank 1.
    """
    if not h.isfinite().all():
        return math.nan
    h = h.double()
    values = torch.linalg.svdvals(h - h.mean(dim=0))
    values = values[values > torch.finfo(torch.float32).eps * h.norm()]
    shares = values / values.sum()
    return shares.mul(-shares.log()).sum().exp().item()


def alignment(z1: Tensor, z2: Tensor) -> float:
    """The mean squared distance between z / |z| of two views of an image: 0 ... 4, small is good."""
    return (F.normalize(z1, dim=1) - F.normalize(z2, dim=1)).square().sum(dim=1).mean().item()


def uniformity(z: Tensor) -> float:
    """log of the mean over pairs of images of exp(-2 |zi - zj|^2), z normalised: -8 ... 0, 0 collapsed."""
    return torch.pdist(F.normalize(z, dim=1)).square().mul(-2).exp().mean().log().item()
