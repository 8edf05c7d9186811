"""SwAV: assignments are Sinkhorn's, losses are swapped, the queue counts once full, prototypes wait."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.swav import sinkhorn, swapped
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-bn", **said) -> nn.Module:
    torch.manual_seed(0)
    small = {"prototypes": 12, "hidden_dim": 32, "projection_dim": 16, "frozen": 0}
    checked, problems = settings({"name": "swav", **small, **said})
    assert not problems
    return find("swav")(build_encoder(presets.Encoder(name=name, dropout=0.0), 3), checked, FACTS)


def batch(count: int = 8, local: int = 0, seed: int = 1, step: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    sides = [16, 16] + [8] * local
    views = tuple(torch.randn(count, 3, side, side, generator=generator) for side in sides)
    return Batch(views, torch.full((count,), -1), torch.arange(count), step)


def sinkhorn_by_hand(scores: np.ndarray, epsilon: float = 0.05, iterations: int = 3) -> np.ndarray:
    """The paper's pseudo-code: Q is (K, N); rows to 1/K, then columns to 1/N, three times; columns add up to 1."""
    q = np.exp(scores.astype(np.float64) / epsilon).T
    q /= q.sum()
    k, n = q.shape
    for _ in range(iterations):
        q *= (np.ones(k) / k / q.sum(1))[:, None]
        q *= (np.ones(n) / n / q.sum(0))[None]
    return (q / q.sum(0, keepdims=True)).T


def by_hand(z: list[np.ndarray], weight: np.ndarray, queues: list[np.ndarray] | None = None, tau: float = 0.1) -> float:
    """Equation 1 over two assigned views and all others."""
    scores = [one @ weight.T for one in z]
    total, pairs = 0.0, 0
    for which in range(2):
        seen = scores[which] if queues is None else np.concatenate([queues[which] @ weight.T, scores[which]])
        codes = sinkhorn_by_hand(seen)[-len(z[0]) :]
        for other, logits in enumerate(scores):
            if other != which:
                log_p = logits / tau - np.log(np.exp(logits / tau).sum(1, keepdims=True))
                total -= (codes * log_p).sum(1).mean()
                pairs += 1
    return total / pairs


def z_of(learner: nn.Module, seen: Batch) -> list[np.ndarray]:
    """As the authors' forward: whole views in one batch, local ones in another, one projector over all."""
    whole, local = torch.cat(seen.views[:2]), seen.views[2:]
    with torch.no_grad():
        h = torch.cat([learner.encoder(whole), *([learner.encoder(torch.cat(local))] if local else [])])
        z = F.normalize(learner.projector(h), dim=1)
    return [one.double().numpy() for one in z.split(len(seen.views[0]))]


def weight_of(learner: nn.Module) -> np.ndarray:
    return F.normalize(learner.prototypes.weight.detach(), dim=1).double().numpy()


class TestSinkhorn:
    def test_it_is_the_papers(self):
        scores = torch.randn(20, 7).clamp(-1, 1)
        ours = sinkhorn(scores, 0.05, 3)
        np.testing.assert_allclose(ours.numpy(), sinkhorn_by_hand(scores.numpy()), atol=1e-5)

    def test_images_are_whole_and_prototypes_are_shared_evenly(self):
        shares = sinkhorn(torch.randn(60, 6).clamp(-1, 1), 0.5, 50)
        torch.testing.assert_close(shares.sum(1), torch.ones(60))
        torch.testing.assert_close(shares.sum(0), torch.full((6,), 10.0), atol=1e-3, rtol=0)

    def test_sharp_assignments_stay_finite(self):
        assert sinkhorn(torch.tensor([[1.0, -1.0], [1.0, -1.0]]), 0.01, 3).isfinite().all()


@pytest.mark.parametrize("local", [0, 3])
def test_the_loss_is_equation_1(local):
    learner, seen = method(), batch(local=local)
    expected = by_hand(z_of(learner, seen), weight_of(learner))
    assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-4)


def test_unrelated_predictions_cost_the_logarithm_of_the_prototypes():
    torch.manual_seed(0)
    scores = F.normalize(torch.randn(64, 3000), dim=1) @ F.normalize(torch.randn(500, 3000), dim=1).T
    codes = sinkhorn(scores.roll(1, 0), 0.05, 3)
    assert swapped(codes, scores, 0.1).item() == pytest.approx(math.log(500), abs=0.1)


def test_the_queue_shares_the_prototypes_once_it_is_full():
    learner = method(queue=16, queue_after=1)
    for step in range(4):  # fills from the second step on: full for the fourth
        seen = batch(seed=step, step=step)
        queues = [queue.rows.double().numpy().copy() for queue in learner.queues]
        z, weight = z_of(learner, seen), weight_of(learner)
        expected = by_hand(z, weight, queues if step == 3 else None)
        assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-4), step
        assert all(
            (queue.rows.double().numpy() == was).all() for queue, was in zip(learner.queues, queues, strict=True)
        )
        learner.after_step(0.1)
        if step:
            for queue, entered in zip(learner.queues, z, strict=True):
                at = (step - 1) * 8 % 16
                np.testing.assert_allclose(queue.rows[at : at + 8].numpy(), entered, atol=1e-5)


def test_prototypes_stand_still_at_first_and_are_of_length_one():
    learner = method(frozen=2)
    for step in range(3):
        learner.zero_grad(set_to_none=True)
        learner(batch(step=step))["loss"].backward()
        assert (learner.prototypes.weight.grad is None) == (step < 2)
        torch.testing.assert_close(learner.prototypes.weight.norm(dim=1), torch.ones(12))
        learner.after_step(0.1)


def test_a_state_brings_back_the_queues():
    learner, other = method(queue=16), method(queue=16)
    for step in range(3):
        learner(batch(seed=step, step=step))
        learner.after_step(0.1)
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch(seed=9, step=3))["loss"], other(batch(seed=9, step=3))["loss"])


def test_what_cannot_work_is_said():
    kind = find("swav")
    assert kind.objections(method(queue=100).settings, 64) == [
        "queue = 100 is no multiple of batch_size = 64; take 128, so that whole batches leave at once"
    ]
    assert "a queue of 3072" in kind.doubts(method(prototypes=3000).settings, 256)[0]
    assert not kind.doubts(method(prototypes=3000, queue=3840).settings, 256)


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method()
    assert_bf16_is_borne(learner, batch(local=2))


def test_the_loss_falls():
    learner, seen = method(), batch(16)
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
    losses = taught(learner, seen, optimizer, 40, after_step=learner.after_step)
    assert losses[-1] < 0.8 * losses[0]
