"""NNCLR: positives are the nearest of earlier images, never of this step's own, and the loss is equation 3."""

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
from sslterm.methods.nnclr import contrast, neighbours
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    small = {"queue": 32, "hidden_dim": 32, "projection_dim": 16, "predictor_dim": 24}
    checked, problems = settings({"name": "nnclr", **small, **said})
    assert not problems
    return find("nnclr")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def algorithm_1(z: np.ndarray, p: np.ndarray, support: np.ndarray, temperature: float) -> float:
    """One direction: the neighbour of each z, against the predictions of the whole batch."""
    total = 0.0
    p = unit(p)
    for row, one in enumerate(unit(z)):
        neighbour = support[np.argmax([support_row @ one for support_row in support])]
        logits = np.array([neighbour @ other for other in p]) / temperature
        total -= logits[row] - np.log(np.exp(logits).sum())
    return total / len(z)


def test_the_loss_is_algorithm_1_in_both_directions():
    learner, seen = method(temperature=0.2), batch()
    with torch.no_grad():
        z = [learner.projector(learner.encoder(view)) for view in seen.views]
        p = [learner.predictor(one).double().numpy() for one in z]
    z, support = [one.double().numpy() for one in z], learner.queue.rows.double().numpy()
    expected = (algorithm_1(z[0], p[1], support, 0.2) + algorithm_1(z[1], p[0], support, 0.2)) / 2
    assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-4)


def test_the_nearest_row_is_found_whatever_the_length_of_z():
    support = F.normalize(torch.randn(40, 6), dim=1)
    chosen = torch.tensor([3, 17, 39])
    found = neighbours(support[chosen] * torch.tensor([[0.1], [5.0], [1.0]]), support)
    assert torch.equal(found, support[chosen])


def test_it_starts_near_the_logarithm_of_the_batch():
    torch.manual_seed(0)
    positives, p = F.normalize(torch.randn(64, 4000), dim=1), torch.randn(64, 4000)
    assert contrast(positives, p, 1.0)[0].item() == pytest.approx(math.log(64), abs=0.01)


def test_no_image_finds_itself_and_the_first_views_z_enter_after_the_step():
    learner, seen = method(), batch()
    before = learner.queue.rows.clone()
    learner(seen)
    assert torch.equal(learner.queue.rows, before)
    with torch.no_grad():
        entered = F.normalize(learner.embed(seen.views[0]), dim=1)
    learner.after_step(0.1)
    torch.testing.assert_close(learner.queue.rows[:8], entered)
    assert torch.equal(learner.queue.rows[8:], before[8:])


def test_looking_at_images_between_steps_leaves_the_queue_alone():
    learner = method()
    before = learner.queue.rows.clone()
    learner.embed(batch().views[0])
    learner.after_step(0.1)
    assert torch.equal(learner.queue.rows, before)


def test_gradients_go_through_the_predictor_only():
    learner = method()
    learner(batch())["loss"].backward()
    assert all(p.grad is not None and p.grad.any() for p in learner.predictor.parameters() if p.ndim > 1)
    z = torch.randn(4, 16, requires_grad=True)
    assert not neighbours(z, learner.queue.rows).requires_grad


def test_a_queue_that_batches_do_not_divide_is_refused_with_one_that_fits():
    kind = find("nnclr")
    assert kind.objections(method(queue=100).settings, 64) == [
        "queue = 100 is no multiple of batch_size = 64; take 128, so that whole batches leave at once"
    ]
    assert "batch_size = 1" in kind.objections(method().settings, 1)[0]
    assert not kind.objections(method().settings, 16)


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method("tinyvgg-bn")
    assert_bf16_is_borne(learner, batch())
    assert learner.queue.rows.dtype == torch.float32


def test_the_loss_falls():
    learner, seen = method(), batch(16)
    optimizer = torch.optim.Adam([p for part in learner.trained().values() for p in part.parameters()], lr=1e-3)
    losses = taught(learner, seen, optimizer, 40, after_step=learner.after_step)
    assert losses[-1] < 0.5 * losses[0]
