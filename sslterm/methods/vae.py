"""VAE, Auto-Encoding Variational Bayes (Kingma & Welling, 2013): https://arxiv.org/abs/1312.6114

Draw an image again from a few numbers, which are to be spread over all images like a normal distribution.
Shapes: B images, C channels, S side in pixels, H features of the encoder's trunk, Z = D latent.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import Narrowed, features
from sslterm.models.generator import Generator
from sslterm.presets import Count, Fraction, NotNegative, Section

SAMPLES = 16
"""Images that are drawn out of nothing, always from the same z."""
LOG_VARIANCES = (-10.0, 10.0)
"""Between these its exponential is harmless. Most stay far from them."""
ACTIVE = 0.01
"""Burda et al. 2015 (https://arxiv.org/abs/1509.00519): a unit is active where its mean varies over images by more."""


class VAE(Method):
    """The encoder, whose last layer gives the mean; a second such layer for the variance; and a decoder, DCGAN's.

    The mean is the representation, so that kNN, probes, fine-tuning and export all see it.
    """

    class Settings(Section):
        beta: NotNegative = 1.0
        """What KL weighs: 1 is the paper's bound; beta-VAE (Higgins et al. 2017) has more. The likelihood is a normal
        one of variance 1 around the decoder's output, on normalised pixels; that of variance v is beta = v."""
        kl_warmup: Fraction = 0.0
        """The share of the stage over which beta rises from 0, so that units are not given up before the decoder can
        use them (Sonderby et al. 2016, https://arxiv.org/abs/1602.02282); the paper has none."""
        decoder_dim: Count = 64
        """Channels before the decoder's last layer; twice as many before each layer in front of it."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the encoder has no last layer, or the decoder cannot draw images of this size."""
        super().__init__(encoder, settings, facts)
        if not isinstance(encoder, Narrowed):
            raise ValueError(
                "encoder.features: a vae's representation is as wide as its latent, which must be said; take 64"
            )
        self.log_variance = nn.Linear(features(encoder.trunk), encoder.features)
        self.decoder = Generator(encoder.features, facts.channels, facts.size, settings.decoder_dim)
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(SAMPLES, encoder.features))

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        if settings.beta:
            return []
        return ["beta = 0 leaves a plain autoencoder, whose samples are drawn from places that no image came from"]

    def beta(self, progress: float) -> float:
        """What KL weighs when such a share of the stage is done."""
        rising = self.settings.kl_warmup
        return self.settings.beta * (min(progress / rising, 1.0) if rising else 1.0)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The negative of equation 10 with one sample of z, without the likelihood's constant. Both terms are sums over
        pixels and units and means over images.

        `active` counts the units that still tell images apart: where it falls to 0, the method has collapsed.
        """
        images = batch.views[0]
        mean, log_variance = self.posterior(images)
        drawn = self.decoder(sampled(mean, log_variance))
        reconstruction, kl = squared_error(drawn.float(), images.float()), divergence(mean, log_variance)
        return {
            "loss": reconstruction + self.beta(batch.progress) * kl,
            "reconstruction": reconstruction.detach(),
            "kl": kl.detach(),
            "active": (mean.detach().var(0, unbiased=False) > ACTIVE).float().sum(),
        }

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, float32 (B, Z) each."""
        h = self.encoder.get_submodule("trunk")(images)
        mean, log_variance = self.encoder.get_submodule("last")(h), self.log_variance(h)
        return mean.float(), log_variance.float().clamp(*LOG_VARIANCES)

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Images, the same drawn again from their means, and new ones from z that are always the same."""
        drawn, samples = self.decoder(self.encoder(images)), self.decoder(self.noise)
        return {"image": images, "reconstructed": drawn, "samples": samples}


def sampled(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Section 2.4: z = mean + sigma * epsilon, (B, Z), so that gradients reach both."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def squared_error(drawn: Tensor, images: Tensor) -> Tensor:
    """-log N(image; drawn, 1) without its constant: (B, C, S, S) each, summed over pixels, mean over images."""
    return (drawn - images).square().flatten(1).sum(1).mean() / 2


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Appendix B: KL of N(mean, variance), (B, Z) each, from N(0, 1), summed over units, mean over images."""
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
