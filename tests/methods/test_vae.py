"""VAE: the loss is the paper's bound, gradients go through the sample, and the mean is the representation."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.vae import divergence, sampled, squared_error
from sslterm.models.encoders import build_encoder


def method(name: str = "conv4", latent: int | None = 12, size: int = 16, **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "vae", "decoder_dim": 8, **said})
    assert not problems
    encoder = build_encoder(presets.Encoder(name=name, features=latent, dropout=0.0), 3)
    return find("vae")(encoder, checked, replace(FACTS, size=size))


def batch(count: int = 8, size: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(1)
    return Batch(
        (torch.randn(count, 3, size, size, generator=generator),), torch.full((count,), -1), torch.arange(count)
    )


def by_hand(images: np.ndarray, drawn: np.ndarray, mean: np.ndarray, log_variance: np.ndarray, beta: float) -> float:
    """The negative of equation 10 with L = 1, image by image, without the constant of the normal distribution."""
    total = 0.0
    for x, y, mu, s in zip(images, drawn, mean, log_variance, strict=True):
        total += 0.5 * ((x.astype(np.float64) - y) ** 2).sum()
        total -= beta * 0.5 * (1 + s.astype(np.float64) - mu**2 - np.exp(s.astype(np.float64))).sum()
    return total / len(images)


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_the_loss_is_the_papers_bound(beta):
    learner, seen = method(beta=beta), batch()
    torch.manual_seed(7)
    report = learner(seen)
    torch.manual_seed(7)
    with torch.no_grad():
        mean, log_variance = learner.posterior(seen.views[0])
        z = mean.numpy() + np.exp(log_variance.numpy() / 2) * torch.randn_like(mean).numpy()
        drawn = learner.decoder(torch.from_numpy(z))
    expected = by_hand(seen.views[0].numpy(), drawn.numpy(), mean.numpy(), log_variance.numpy(), beta)
    assert report["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert report["loss"].item() == pytest.approx((report["reconstruction"] + beta * report["kl"]).item(), rel=1e-6)


def test_both_terms_are_sums_over_what_an_image_has_and_means_over_images():
    images = torch.zeros(5, 3, 4, 4)
    assert squared_error(images + 2, images).item() == pytest.approx(3 * 4 * 4 * 2)
    assert divergence(torch.full((5, 7), 2.0), torch.zeros(5, 7)).item() == pytest.approx(7 * 2)


def test_the_divergence_is_what_many_draws_say():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(1, 6), torch.randn(1, 6)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(0.0, 1.0)
    z = posterior.sample((100_000,))
    estimate = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1).mean().item()
    assert divergence(mean, log_variance).item() == pytest.approx(estimate, rel=0.02)
    assert divergence(torch.zeros(3, 6), torch.zeros(3, 6)).item() == 0


def test_gradients_go_through_the_sample():
    """For z squared, whose expectation is mean^2 + variance: 2 mean, and the variance itself for its logarithm."""
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([1.5], requires_grad=True), torch.tensor([-0.5], requires_grad=True)
    sampled(mean.expand(400_000, 1), log_variance.expand(400_000, 1)).square().mean().backward()
    assert mean.grad.item() == pytest.approx(3.0, rel=0.01)
    assert log_variance.grad.item() == pytest.approx(math.exp(-0.5), rel=0.01)


def test_the_mean_is_the_representation():
    learner, seen = method().eval(), batch().views[0]
    mean, _ = learner.posterior(seen)
    torch.testing.assert_close(mean, learner.encoder(seen))
    torch.testing.assert_close(mean, learner.embed(seen))
    assert list(learner.trained()) == ["encoder", "log_variance", "decoder"]


def test_a_collapsed_posterior_is_seen():
    learner = method()
    assert learner(batch())["active"] > 0
    nn.init.zeros_(learner.encoder.last.weight)
    nn.init.ones_(learner.encoder.last.bias)
    assert learner(batch())["active"] == 0


def test_the_variance_stays_finite_whatever_the_layer_says():
    learner = method()
    nn.init.constant_(learner.log_variance.bias, 1e4)
    assert learner(batch())["loss"].isfinite()


def test_beta_rises_over_the_first_share_of_the_stage():
    learner, seen = method(beta=0.5, kl_warmup=0.4), batch()
    for progress, beta in ((0.0, 0.0), (0.1, 0.125), (0.2, 0.25), (0.4, 0.5), (1.0, 0.5)):
        report = learner(replace(seen, progress=progress))
        weighed = report["loss"].detach() - report["reconstruction"]
        assert weighed.item() == pytest.approx(beta * report["kl"].item(), rel=1e-3, abs=1e-3)
    assert method(beta=0.5).beta(0.0) == 0.5


def test_it_paints_what_it_was_shown_and_what_it_was_not():
    learner = method().eval()
    with torch.no_grad():
        painted, again = (learner.pictures(batch(5).views[0]) for _ in range(2))
    assert painted["reconstructed"].shape == (5, 3, 16, 16)
    assert painted["samples"].shape == (16, 3, 16, 16)
    assert torch.equal(painted["samples"], again["samples"])


def test_what_cannot_work_is_said():
    with pytest.raises(ValueError, match=r"^encoder.features: a vae's representation is as wide as its latent"):
        method(latent=None)
    with pytest.raises(ValueError, match=r"^views.size: .* not 30; take 32"):
        method(size=30)
    assert "beta = 0 leaves a plain autoencoder" in find("vae").doubts(method(beta=0.0).settings, 64)[0]
    assert not find("vae").doubts(method().settings, 64)


def test_it_is_built_without_numbers_too():
    with torch.device("meta"):
        assert method().noise.is_meta


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method("tinyvgg-bn")
    assert_bf16_is_borne(learner, batch())


def test_the_loss_falls():
    colours = torch.randn(16, 3, 1, 1, generator=torch.Generator().manual_seed(1))  # noise could not be drawn again
    learner, seen = method(), Batch((colours.expand(16, 3, 16, 16),), torch.full((16,), -1), torch.arange(16))
    optimizer = torch.optim.Adam(learner.parameters(), lr=2e-2)
    losses = taught(learner, seen, optimizer, 20)
    assert losses[-1] < 0.7 * losses[0]
