"""GAN: each turn has the paper's loss and moves only its own weights; no batch mixes real and drawn images."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from judging import taught
from told import FACTS
from torch import Tensor, nn

from sslterm import presets
from sslterm.engine.optim import build_optimizer
from sslterm.methods import Batch, find, settings
from sslterm.methods.gan import frechet, taken_for_real, told_apart
from sslterm.models.encoders import build_encoder


def method(name: str = "conv4", size: int = 16, **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "gan", "latent_dim": 6, "generator_dim": 4, **said})
    assert not problems
    encoder = build_encoder(presets.Encoder(name=name, dropout=0.0), 3)
    return find("gan")(encoder, checked, replace(FACTS, size=size))


def batch(count: int = 8, seed: int = 1) -> Batch:
    images = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return Batch((images,), torch.full((count,), -1), torch.arange(count))


def said_to_be_real(logits: np.ndarray) -> np.ndarray:
    """D."""
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


class Seen:
    """What goes through the encoder."""

    def __init__(self, learner: nn.Module) -> None:
        self.batches: list[Tensor] = []
        learner.encoder.register_forward_pre_hook(lambda _m, inputs: self.batches.append(inputs[0]))


def optimizer(learner: nn.Module):
    return build_optimizer(learner, presets.Optimizer(name="adam", lr=1e-3, betas=(0.5, 0.999)))


def weights(part: nn.Module) -> list[Tensor]:
    return [weight.detach().clone() for weight in part.parameters()]


def moved(part: nn.Module, before: list[Tensor]) -> list[bool]:
    return [not torch.equal(weight, was) for weight, was in zip(part.parameters(), before, strict=True)]


class TestTheLosses:
    def test_the_discriminators_is_equation_1(self):
        real, fake = torch.randn(9), torch.randn(9)
        d_real, d_fake = said_to_be_real(real.numpy()), said_to_be_real(fake.numpy())
        expected = -np.log(d_real).mean() - np.log(1 - d_fake).mean()
        assert told_apart(real, fake).item() == pytest.approx(expected, rel=1e-5)
        smooth = -(0.9 * np.log(d_real) + 0.1 * np.log(1 - d_real)).mean() - np.log(1 - d_fake).mean()
        assert told_apart(real, fake, 0.1).item() == pytest.approx(smooth, rel=1e-5)

    def test_the_generators_does_not_saturate(self):
        fake = torch.randn(9)
        assert taken_for_real(fake).item() == pytest.approx(-np.log(said_to_be_real(fake.numpy())).mean(), rel=1e-5)
        sure = torch.full((4,), -30.0, requires_grad=True)
        taken_for_real(sure).backward()
        assert sure.grad.sum().item() == pytest.approx(-1)

    def test_who_knows_nothing_pays_two_logarithms_of_two(self):
        assert told_apart(torch.zeros(5), torch.zeros(5)).item() == pytest.approx(2 * math.log(2))
        assert taken_for_real(torch.zeros(5)).item() == pytest.approx(math.log(2))

    def test_sure_logits_stay_finite(self):
        assert told_apart(torch.tensor([-500.0]), torch.tensor([500.0])).item() == 1000


class TestTheTurns:
    def test_each_says_its_loss_of_what_went_through_the_encoder(self):
        learner, seen = method().train(), batch()
        went = Seen(learner)
        discriminate, generate = learner.turns()
        first, second = discriminate(seen), generate(seen)
        real, fake, later = went.batches
        assert torch.equal(real, seen.views[0])
        with torch.no_grad():
            d = [said_to_be_real(learner.logits(images, 0.0).numpy()) for images in (real, fake, later)]
        assert first["loss"].item() == pytest.approx(-np.log(d[0]).mean() - np.log(1 - d[1]).mean(), rel=1e-4)
        assert second["loss"].item() == pytest.approx(-np.log(d[2]).mean(), rel=1e-4)
        assert first["real"].item() == pytest.approx((d[0] > 0.5).mean())
        assert first["drawn"].item() == pytest.approx((d[1] < 0.5).mean())

    def test_real_and_drawn_images_share_no_batch(self):
        learner, seen = method().train(), batch()
        went = Seen(learner)
        for turn in learner.turns():
            turn(seen)
        assert [len(images) for images in went.batches] == [8, 8, 8]
        assert [torch.equal(images, seen.views[0]) for images in went.batches] == [True, False, False]
        norm = next(m for m in learner.encoder.modules() if isinstance(m, nn.BatchNorm2d))
        assert norm.num_batches_tracked == 3  # as in the authors' code

    def test_each_moves_only_its_own_weights(self):
        learner, seen = method().train(), batch()
        moves = optimizer(learner)
        own = {0: ["encoder", "head"], 1: ["generator"]}
        for which, turn in enumerate(learner.turns()):
            before = {name: weights(part) for name, part in learner.named_children()}
            loss = turn(seen)["loss"]
            moves.zero_grad()
            loss.backward()
            for name, part in learner.named_children():
                assert all((p.grad is not None) == (name in own[which]) for p in part.parameters()), name
            moves.step()
            for name, part in learner.named_children():
                assert all(stirred == (name in own[which]) for stirred in moved(part, before[name])), name
        assert all(weight.requires_grad for part in learner.trained().values() for weight in part.parameters())

    def test_an_error_leaves_no_weight_untrainable(self):
        learner = method()
        learner.head = nn.Linear(7, 1)  # does not fit
        with pytest.raises(RuntimeError):
            learner.generate(batch())
        assert all(weight.requires_grad for weight in learner.encoder.parameters())


def test_what_is_drawn_is_normalised_as_real_images_are():
    learner = method()
    lightest = learner.normalised(torch.full((2, 3, 4, 4), 50.0))[0, :, 0, 0]
    darkest = learner.normalised(torch.full((2, 3, 4, 4), -50.0))[0, :, 0, 0]
    mean, std = torch.tensor(FACTS.mean), torch.tensor(FACTS.std)
    torch.testing.assert_close(lightest, (1 - mean) / std)
    torch.testing.assert_close(darkest, -mean / std)


def test_the_slow_generator_follows_with_its_statistics():
    learner = method(generator_momentum=0.9).train()
    before = {name: value.clone() for name, value in learner.slow.state_dict().items()}
    for p in learner.generator.parameters():
        p.data += torch.randn_like(p)
    learner.generate(batch())
    learner.after_step(0.5)
    theirs = learner.generator.state_dict()
    for name, value in learner.slow.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.9 * before[name] + 0.1 * theirs[name])
    assert any(
        not torch.equal(value, before[name]) for name, value in learner.slow.state_dict().items() if "running" in name
    )


def test_only_encoder_head_and_generator_learn():
    assert list(method().trained()) == ["encoder", "head", "generator"]


class TestTheFrechetDistance:
    def test_it_is_equation_6(self):
        from scipy.linalg import sqrtm  # slow to load

        generator = np.random.default_rng(0)
        a = generator.normal(size=(300, 12)) @ generator.normal(size=(12, 12))
        b = generator.normal(size=(200, 12)) @ generator.normal(size=(12, 12)) + 1
        root = sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
        means = ((a.mean(0) - b.mean(0)) ** 2).sum()
        expected = means + np.trace(np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * root)
        assert frechet(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-8)

    def test_the_same_features_are_at_none_and_moved_ones_at_the_square(self):
        h = torch.randn(50, 80)  # fewer images than features: the covariance is singular
        assert frechet(h, h) == pytest.approx(0, abs=1e-3)
        assert frechet(h, h + 2) == pytest.approx(80 * 4, rel=1e-4)

    def test_what_is_no_number_has_no_distance(self):
        assert math.isnan(frechet(torch.full((5, 3), math.nan), torch.randn(5, 3)))

    def test_it_compares_real_images_with_as_many_of_the_slow_generators(self):
        learner = method().eval()
        real, kept = batch(20).views[0], []

        class Look:
            def outputs(self, function):
                with torch.no_grad():
                    kept.append(torch.cat([function(images) for images in real.split(8)]))
                return kept[-1]

        for p in learner.encoder.parameters():
            p.data += torch.randn_like(p)  # what has been learned since changes no distance
        (distance,) = learner.measure(Look()).values()
        assert distance == pytest.approx(frechet(kept[0], kept[1]) / kept[0].T.cov().trace().item(), rel=1e-4)
        torch.testing.assert_close(kept[0], learner.first(real))
        assert kept[1].shape == kept[0].shape

    def test_a_generator_that_always_draws_the_mean_is_at_1(self):
        learner, h = method(), torch.randn(40, 12) * 1e-3

        class Look:
            def outputs(self, function):
                return h if function is learner.first else h.mean(0).expand(40, 12)

        assert learner.measure(Look()) == {"frechet/distance": pytest.approx(1, rel=1e-4)}


def test_instance_noise_is_on_real_and_drawn_images_and_falls_to_nothing():
    learner = method(instance_noise=0.5)
    went, seen = Seen(learner), batch(64)
    for progress, expected in ((0.0, 0.5), (0.5, 0.25), (1.0, 0.0)):
        torch.manual_seed(0)
        learner.discriminate(replace(seen, progress=progress))
        assert (went.batches[-2] - seen.views[0]).std().item() == pytest.approx(expected, rel=0.02)
    assert not torch.equal(went.batches[1], went.batches[-1])


def test_samples_are_always_of_the_same_noise():
    learner = method().eval()
    with torch.no_grad():
        first, second = (learner.pictures(batch().views[0])["samples"] for _ in range(2))
    assert first.shape == (16, 3, 16, 16)
    assert torch.equal(first, second)


def test_a_state_brings_back_the_slow_generator_the_noise_and_the_first_encoder():
    learner, other = method(), method()
    for p in learner.parameters():
        p.data += torch.randn_like(p)
    learner.noise += 1
    other.load_state_dict(learner.state_dict())
    for name in ("slow", "first", "generator"):
        theirs = getattr(other, name).state_dict()
        assert all(torch.equal(value, theirs[key]) for key, value in getattr(learner, name).state_dict().items())
    assert torch.equal(other.noise, learner.noise)


def test_a_side_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"^views.size: .* not 30; take 32"):
        method(size=30)


def test_it_is_built_without_numbers_too():
    with torch.device("meta"):
        assert method().noise.is_meta


def test_bf16_gives_finite_fp32_losses_and_gradients():
    learner = method("tinyvgg-bn").train()
    for turn, parts in zip(learner.turns(), (["encoder", "head"], ["generator"]), strict=True):
        learner.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            loss = turn(batch())["loss"]
        loss.backward()
        assert loss.isfinite()
        assert loss.dtype == torch.float32
        assert all(p.grad.isfinite().all() for name in parts for p in getattr(learner, name).parameters())


def test_a_discriminator_learns_to_tell_a_generator_that_stands_still():
    learner, seen = method().train(), batch(16)
    moves = optimizer(learner)
    losses = taught(learner.discriminate, seen, moves, 30)
    assert losses[0] == pytest.approx(2 * math.log(2), abs=0.3)
    assert losses[-1] < 0.5 * losses[0]


def test_a_generator_learns_to_fool_a_discriminator_that_stands_still():
    learner, seen = method().train(), batch(16)
    moves = optimizer(learner)
    losses = taught(learner.generate, seen, moves, 30)
    assert losses[-1] < losses[0]
