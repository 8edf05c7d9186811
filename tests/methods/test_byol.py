"""BYOL: the student foretells the teacher in both directions, and the teacher only follows."""

import math

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.byol import distance
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "byol", "hidden_dim": 64, "projection_dim": 32, **said})
    assert not problems
    return find("byol")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def equation_2(p: np.ndarray, z: np.ndarray) -> float:
    """The squared distance of the normalised prediction and projection, in the mean over images."""
    total = 0.0
    for one, other in zip(p.astype(np.float64), z.astype(np.float64), strict=True):
        total += ((one / np.linalg.norm(one) - other / np.linalg.norm(other)) ** 2).sum()
    return total / len(p)


def test_the_distance_is_equation_2():
    p, z = torch.randn(9, 12), torch.randn(9, 12)
    assert distance(p, z).item() == pytest.approx(equation_2(p.numpy(), z.numpy()), abs=1e-5)


def test_the_loss_is_the_sum_of_both_directions():
    learner, seen = method(), batch()
    first, second = seen.views
    with torch.no_grad():
        p1 = learner.predictor(learner.projector(learner.encoder(first)))
        p2 = learner.predictor(learner.projector(learner.encoder(second)))
        z1, z2 = learner.teacher(first), learner.teacher(second)
    expected = equation_2(p1.numpy(), z2.numpy()) + equation_2(p2.numpy(), z1.numpy())
    assert learner(seen)["loss"].item() == pytest.approx(expected, abs=1e-5)


def test_unrelated_directions_are_at_distance_2():
    torch.manual_seed(0)
    assert distance(torch.randn(64, 5000), torch.randn(64, 5000)).item() == pytest.approx(2.0, abs=0.02)


def test_the_teacher_is_encoder_and_projector_without_predictor():
    learner = method()
    student = [p.shape for part in (learner.encoder, learner.projector) for p in part.parameters()]
    assert [p.shape for p in learner.teacher.parameters()] == student
    assert list(learner.trained()) == ["encoder", "projector", "predictor"]


def test_no_gradient_reaches_the_teacher():
    learner = method()
    learner(batch())["loss"].backward()
    assert all(p.grad is None for p in learner.teacher.parameters())
    assert all(p.grad is not None for part in learner.trained().values() for p in part.parameters())


@pytest.mark.parametrize(
    ("schedule", "progress", "momentum"),
    [("cosine", 0.0, 0.9), ("cosine", 0.5, 0.95), ("cosine", 1.0, 1.0), ("constant", 0.5, 0.9)],
)
def test_the_teacher_follows_by_the_schedule(schedule, progress, momentum):
    learner = method(teacher_momentum=0.9, teacher_schedule=schedule)
    before = [p.clone() for p in learner.teacher.parameters()]
    for part in (learner.encoder, learner.projector):
        for p in part.parameters():
            p.data += torch.randn_like(p)
    learner.after_step(progress)
    theirs = [*learner.encoder.parameters(), *learner.projector.parameters()]
    for own, was, student in zip(learner.teacher.parameters(), before, theirs, strict=True):
        torch.testing.assert_close(own.detach(), momentum * was + (1 - momentum) * student.detach())


def test_the_loss_falls():
    learner, seen = method(), batch()
    optimizer = torch.optim.SGD([p for part in learner.trained().values() for p in part.parameters()], 0.1, 0.9)
    losses = taught(learner, seen, optimizer, 25, after_step=learner.after_step)
    assert losses[0] == pytest.approx(4.0, abs=1.0)
    assert losses[-1] < 0.5 * losses[0]
    assert math.isfinite(losses[-1])


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method("tinyvgg-bn")
    assert_bf16_is_borne(learner, batch())


def test_the_state_comes_back_with_the_teacher():
    learner, other = method(), method()
    for p in learner.parameters():
        p.data += torch.randn_like(p) / 10
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch())["loss"], other(batch())["loss"])
    assert learner.embed(batch().views[0]).shape == (8, 32)
