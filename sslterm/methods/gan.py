"""DCGAN (Radford, Metz & Chintala, 2015): https://arxiv.org/abs/1511.06434

A generator draws images out of noise, the encoder tells them from real ones, and each learns from the other.
Shapes: B images, N images looked at, C channels, S side in pixels, D encoder features, Z latent.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Look, Method
from sslterm.models.encoders import features
from sslterm.models.generator import Generator, initialise
from sslterm.presets import BelowOne, Count, NotNegative, Section

SAMPLES = 16
"""Images that are drawn to be looked at, always from the same z."""


class GAN(Method):
    """The discriminator, which is the encoder with a linear head, and the generator with a slow copy of it.

    As in the authors' code: the discriminator moves first, real and drawn images go through it in batches of their own,
    and its running statistics of batch norm take in all three batches of a step, those of the generator's turn too.
    Differs from it: z is normal instead of uniform, as in most code since; the encoder is one that is there, with
    weights it may bring along, instead of the paper's four strided convolutions; and pixels are drawn between 0 and 1
    and then normalised as the real ones are.
    """

    class Settings(Section):
        latent_dim: Count = 100
        """Z, 100 in the paper."""
        generator_dim: Count = 64
        """Channels before the generator's last layer, twice as many before each layer in front of it: 128 in the
        paper's figure 1, 64 in the authors' code."""
        generator_momentum: BelowOne = 0.999
        """How slowly the copy follows that draws samples: Yazici et al. 2018 (https://arxiv.org/abs/1806.04498)."""
        label_smoothing: BelowOne = 0.0
        """One-sided: real images are told to be real by so much less than 1 (Salimans et al. 2016,
        https://arxiv.org/abs/1606.03498, section 3.4); the paper has none."""
        instance_noise: NotNegative = 0.0
        """Standard deviation of noise on all images that the discriminator sees, real and drawn, at first; it falls to
        0 over the stage (Sonderby et al. 2016, https://arxiv.org/abs/1610.04490). For images so smooth that the finest
        grain would give the generator away; the paper has none."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the generator cannot draw images of this size."""
        super().__init__(encoder, settings, facts)
        self.head = nn.Linear(features(encoder), 1)
        self.generator = Generator(settings.latent_dim, facts.channels, facts.size, settings.generator_dim)
        self.generator.apply(initialise)
        self.slow = copy.deepcopy(self.generator).requires_grad_(False)
        self.first = copy.deepcopy(encoder).requires_grad_(False)  # as it was when the stage began, for `measure`
        self.noise: Tensor
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("noise", torch.randn(SAMPLES, settings.latent_dim))
        self.register_buffer("mean", torch.tensor(facts.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(facts.std)[:, None, None], persistent=False)

    def turns(self) -> Sequence[Callable[[Batch], dict[str, Tensor]]]:
        return (self.discriminate, self.generate)

    def discriminate(self, batch: Batch) -> dict[str, Tensor]:
        """The discriminator's turn; near 2 ln 2 while it knows nothing. Nothing reaches the generator.

        `real` and `drawn` are the shares that are told right: both near 1 leave the generator little to learn from.
        """
        images = batch.views[0]
        with torch.no_grad():
            drawn = self.drawn(self.generator, len(images))
        real, fake = self.logits(images, batch.progress), self.logits(drawn, batch.progress)
        loss = told_apart(real, fake, self.settings.label_smoothing)
        return {
            "loss": loss,
            "discriminator": loss.detach(),
            "real": (real > 0).float().mean(),
            "drawn": (fake < 0).float().mean(),
        }

    def generate(self, batch: Batch) -> dict[str, Tensor]:
        """The generator's turn, with z of its own as in Goodfellow's algorithm 1, against the discriminator as it now
        is, whose weights get no gradient."""
        drawn = self.drawn(self.generator, len(batch.indices))
        with untouched(self.encoder, self.head):
            loss = taken_for_real(self.logits(drawn, batch.progress))
        return {"loss": loss, "generator": loss.detach()}

    def logits(self, images: Tensor, progress: float) -> Tensor:
        """How real images look when such a share of the stage is done, float32 (B,): above 0 for real."""
        noise = self.settings.instance_noise * (1 - progress)
        seen = images + noise * torch.randn_like(images) if noise else images
        return self.head(self.encoder(seen)).float()[:, 0]

    def drawn(self, generator: nn.Module, count: int) -> Tensor:
        """New images, normalised as real ones are: (count, C, S, S)."""
        return self.normalised(generator(torch.randn(count, self.settings.latent_dim, device=self.noise.device)))

    def normalised(self, outputs: Tensor) -> Tensor:
        """Of a generator's outputs (B, C, S, S): tanh, from -1..1 to pixels of 0..1, then as real ones."""
        return ((outputs.float().tanh() + 1) / 2 - self.mean) / self.std

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The slow generator follows, with its statistics: it never sees a batch of its own."""
        own, theirs = (
            [value for value in generator.state_dict().values() if value.is_floating_point()]
            for generator in (self.slow, self.generator)
        )
        torch._foreach_lerp_(own, theirs, 1 - self.settings.generator_momentum)

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """New images of the slow generator, from z that are always the same."""
        return {"samples": self.normalised(self.slow(self.noise))}

    def measure(self, look: Look) -> dict[str, float]:
        """`frechet/distance` between real images and as many of the slow generator's.

        Heusel et al. take the features of Inception-v3, trained on ImageNet; these are of the encoder as it was when
        the stage began, so that epochs can be compared, and runs that begin with the same weights and look at as many
        images. That is an untrained encoder unless `encoder.weights` names a trained one. Its features may be of any
        size, so they are scaled until those of real images vary by 1 in all: a generator that always draws the mean of
        their features is at a distance of 1. No figure of a paper compares with it.
        """
        real = look.outputs(self.first)
        drawn = look.outputs(lambda images: self.first(self.drawn(self.slow, len(images))))
        if len(real) < 2:
            return {}
        size = real.std(0).norm()
        return {"frechet/distance": frechet(real / size, drawn / size)}


def told_apart(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), equation 1, which the discriminator maximises, with its
    sign changed: -log D(x) - log(1 - D(G(z))) of logits (B,), each in the mean over the batch."""
    said_real = (1 - smoothing) * F.softplus(-real) + smoothing * F.softplus(real)
    return said_real.mean() + F.softplus(fake).mean()


def taken_for_real(fake: Tensor) -> Tensor:
    """-log D(G(z)) of logits (B,): section 3's objective for the generator, whose gradient does not vanish where the
    discriminator is sure."""
    return F.softplus(-fake).mean()


@contextmanager
def untouched(*parts: nn.Module) -> Iterator[None]:
    """What is computed meanwhile sends gradients through these parts, but leaves none in their weights."""
    weights = [weight for part in parts for weight in part.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def frechet(real: Tensor, drawn: Tensor) -> float:
    """Heusel et al. 2017 (https://arxiv.org/abs/1706.08500), equation 6: the Frechet distance of two normal
    distributions with the means and covariances of features (N, D) each. NaN where they are no numbers.

    The trace of (A B)^(1/2) is the sum of the roots of the eigenvalues of A^(1/2) B A^(1/2), which is symmetrical.
    """
    means, covariances = zip(*((h.double().mean(0), h.double().T.cov()) for h in (real, drawn)), strict=True)
    if not all(covariance.isfinite().all() for covariance in covariances):
        return float("nan")
    values, vectors = torch.linalg.eigh(covariances[0])
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    both = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp(min=0).sqrt().sum()
    apart = (means[0] - means[1]).square().sum()
    return float(apart + covariances[0].trace() + covariances[1].trace() - 2 * both)
