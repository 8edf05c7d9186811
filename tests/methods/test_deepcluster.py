"""DeepCluster: clusters come from all images before an epoch, are foretold in it, and survive a kill."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.deepcluster import foretold, whitened
from sslterm.models.encoders import build_encoder

IMAGES = torch.randn(FACTS.images, 3, 16, 16, generator=torch.Generator().manual_seed(5))


class AllImages:
    """What the engine lets a method look at."""

    def __init__(self, learner: nn.Module) -> None:
        self.learner, self.restarted = learner, []

    @torch.no_grad()
    def outputs(self, function: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        self.learner.eval()
        rows = function(IMAGES)
        self.learner.train()
        return rows

    def restart(self, part: nn.Module) -> None:
        self.restarted.append(part)


def method(**said) -> nn.Module:
    torch.manual_seed(0)
    small = {"clusters": 12, "heads": 3, "hidden_dim": 32, "projection_dim": 16}
    checked, problems = settings({"name": "deepcluster", **small, **said})
    assert not problems
    return find("deepcluster")(build_encoder(presets.Encoder(name="conv4"), 3), checked, FACTS)


def clustered(**said) -> tuple[nn.Module, AllImages]:
    learner = method(**said)
    look = AllImages(learner)
    learner.before_epoch(look)
    return learner, look


def batch(count: int = 8, local: int = 0, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    sides = [16, 16] + [8] * local
    views = tuple(torch.randn(count, 3, side, side, generator=generator) for side in sides)
    return Batch(views, torch.full((count,), -1), torch.randperm(FACTS.images, generator=generator)[:count])


def cross_entropy(scores: np.ndarray, targets: np.ndarray) -> float:
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return float(-log_p[np.arange(len(targets)), targets].mean())


@torch.no_grad()
def z_of(learner: nn.Module, views: tuple[torch.Tensor, ...]) -> np.ndarray:
    """As the authors' forward: whole views in one batch, local ones in another, one projector over all."""
    whole, local = torch.cat(views[:2]), views[2:]
    h = torch.cat([learner.encoder(whole), *([learner.encoder(torch.cat(local))] if local else [])])
    return F.normalize(learner.projector(h), dim=1).double().numpy()


class TestVersion2:
    @pytest.mark.parametrize("local", [0, 2])
    def test_the_loss_is_the_authors(self, local):
        learner, _ = clustered()
        seen = batch(local=local)
        z, total = z_of(learner, seen.views), 0.0
        for head in range(3):  # their loop: targets = assignments[h][idx].repeat(sum(nmb_crops))
            targets = learner.assignments[head][seen.indices].repeat(2 + local).numpy()
            total += cross_entropy(z @ learner.centroids[head].double().numpy().T / 0.1, targets)
        assert learner(seen)["loss"].item() == pytest.approx(total / 3, abs=1e-4)

    def test_unrelated_predictions_cost_the_logarithm_of_the_clusters(self):
        torch.manual_seed(0)
        z, centroids = F.normalize(torch.randn(128, 2000), dim=1), F.normalize(torch.randn(2, 300, 2000), dim=2)
        loss = foretold(z, centroids, torch.randint(300, (2, 64)), 0.1)
        assert loss.item() == pytest.approx(math.log(300), abs=0.1)

    def test_the_bank_is_full_before_the_first_epoch(self):
        learner, look = clustered()
        z = look.outputs(learner.embed)
        z = F.normalize(z - z.mean(0), dim=1)
        assert learner.bank.shape == (2, FACTS.images, 16)
        torch.testing.assert_close(learner.bank, z.expand(2, -1, -1))
        assert learner.nmi == 0
        for centroids, clusters in zip(learner.centroids, learner.assignments, strict=True):
            assert torch.equal(clusters, (z @ centroids.T).argmax(1))
        assert learner.used == pytest.approx(sum(len(c.unique()) for c in learner.assignments) / 3)

    def test_this_steps_z_are_remembered_once_it_is_over(self):
        learner, _ = clustered()
        seen, was = batch(local=1), learner.bank.clone()
        learner(seen)
        assert torch.equal(learner.bank, was)
        z = torch.as_tensor(z_of(learner, seen.views)).float()
        learner.after_step(0.1)
        for view in range(2):
            torch.testing.assert_close(learner.bank[view, seen.indices], z[8 * view : 8 * view + 8])
        others = torch.ones(FACTS.images, dtype=torch.bool)
        others[seen.indices] = False
        assert torch.equal(learner.bank[:, others], was[:, others])

    def test_later_epochs_cluster_what_is_remembered_each_head_a_view(self):
        learner, look = clustered()
        learner.bank.copy_(F.normalize(torch.randn(2, FACTS.images, 16), dim=2))
        bank, before = learner.bank.clone(), learner.assignments.clone()
        learner.before_epoch(look)
        assert torch.equal(learner.bank, bank)
        assert 0 < learner.nmi < 1
        for head, clusters in enumerate(learner.assignments):
            assert torch.equal(clusters, (bank[head % 2] @ learner.centroids[head].T).argmax(1))
            assert not torch.equal(clusters, before[head])

    def test_one_head_remembers_one_view(self):
        assert method(heads=1).bank.shape == (1, FACTS.images, 16)

    def test_centroids_get_no_gradient_and_every_image_comes_once(self):
        learner, _ = clustered()
        learner(batch())["loss"].backward()
        assert list(learner.trained()) == ["encoder", "projector"]
        assert all(p.grad is not None for part in learner.trained().values() for p in part.parameters())
        assert learner.shares() is None

    def test_the_loss_falls(self):
        learner, _ = clustered()
        seen = batch(16)
        optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
        losses = taught(learner, seen, optimizer, 30, after_step=learner.after_step)
        assert losses[-1] < 0.5 * losses[0]


class TestVersion1:
    def test_the_loss_is_plain_cross_entropy_of_one_view(self):
        learner, _ = clustered(version=1)
        seen = batch()
        with torch.no_grad():
            scores = learner.head(learner.encoder(seen.views[0])).double().numpy()
        expected = cross_entropy(scores, learner.assignments[0][seen.indices].numpy())
        assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-5)

    def test_the_head_begins_anew_and_its_optimizer_with_it(self):
        learner, look = clustered(version=1, clusters=64)
        assert look.restarted == [learner.head]
        assert learner.head.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert not learner.head.bias.any()
        was = learner.head.weight.detach().clone()
        learner.before_epoch(look)
        assert not torch.equal(learner.head.weight, was)
        assert learner(batch())["loss"].item() == pytest.approx(math.log(64), abs=0.1)

    def test_every_cluster_is_seen_equally_often(self):
        learner, _ = clustered(version=1)
        share = torch.zeros(12).index_add_(0, learner.assignments[0], learner.shares())
        torch.testing.assert_close(share[share > 0], torch.ones(int(learner.used)))

    def test_features_are_whitened(self):
        data = torch.randn(400, 6) @ torch.randn(6, 6)
        data[:, 5] = data[:, 0]  # five dimensions only
        white = whitened(data, 256)
        assert white.shape == (400, 5)
        np.testing.assert_allclose(np.cov(white.numpy().T, bias=True), np.eye(5), atol=1e-4)
        two = whitened(data, 2).double().numpy()  # the first two principal components, as far as their sign goes
        _, _, axes = np.linalg.svd(data.double().numpy() - data.double().numpy().mean(0))
        correlation = np.corrcoef(two.T, (data.double().numpy() @ axes[:2].T).T)[:2, 2:]
        np.testing.assert_allclose(np.sort(np.abs(correlation)), [[0, 1], [0, 1]], atol=1e-5)

    def test_the_health_is_of_what_is_clustered(self):
        assert method(version=1).embed(IMAGES[:4]).shape == (4, 128)
        assert method().embed(IMAGES[:4]).shape == (4, 16)


@pytest.mark.parametrize("version", [1, 2])
class TestBothVersions:
    def test_a_state_remembers_all_clusters(self, version):
        learner, look = clustered(version=version)
        learner(batch())
        learner.after_step(0.1)
        other = method(version=version)
        other.load_state_dict(learner.state_dict())
        for seed in (7, 8):
            torch.manual_seed(seed)
            learner.before_epoch(look)
            torch.manual_seed(seed)
            other.before_epoch(AllImages(other))
            ours, theirs = learner.state_dict(), other.state_dict()
            assert all(torch.equal(ours[key], theirs[key]) for key in ours)
        assert torch.equal(learner(batch(seed=9))["loss"], other(batch(seed=9))["loss"])

    def test_more_clusters_than_images_are_refused(self, version):
        with pytest.raises(ValueError, match=r"method\.clusters: 65 are more than the 64 images of the stage; take"):
            method(version=version, clusters=65)
        assert method(version=version, clusters=64)

    def test_bf16_gives_a_finite_fp32_loss_and_gradients(self, version):
        learner, _ = clustered(version=version)
        assert_bf16_is_borne(learner, batch())

    def test_it_is_built_without_numbers(self, version):
        with torch.device("meta"):
            assert method(version=version).assignments.device.type == "meta"
