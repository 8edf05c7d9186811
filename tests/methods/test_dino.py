"""DINO: the teacher is centred and sharpened, the student follows it from other views, centre and teacher follow."""

import math

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.dino import Prototypes, cross_entropy, sharpened
from sslterm.models.encoders import build_encoder


def method(name: str = "conv4", **said) -> nn.Module:
    torch.manual_seed(0)
    small = {"prototypes": 12, "hidden_dim": 32, "bottleneck_dim": 16, "frozen": 0}
    checked, problems = settings({"name": "dino", **small, **said})
    assert not problems
    return find("dino")(build_encoder(presets.Encoder(name=name), 3), checked, FACTS)


def batch(count: int = 8, local: int = 0, seed: int = 1, step: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    sides = [16, 16] + [8] * local
    views = tuple(torch.randn(count, 3, side, side, generator=generator) for side in sides)
    return Batch(views, torch.full((count,), -1), torch.arange(count), step)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def by_hand(
    student: list[np.ndarray], teacher: list[np.ndarray], centre: np.ndarray, tau_s: float = 0.1, tau_t: float = 0.04
) -> float:
    """Algorithm 1's H(t, s) over all pairs of a view of the teacher's and another of the student's."""
    losses = []
    for which, t in enumerate(teacher):
        for other, s in enumerate(student):
            if other != which:
                p = softmax((t.astype(np.float64) - centre) / tau_t)
                losses.append(-(p * np.log(softmax(s.astype(np.float64) / tau_s))).sum(1).mean())
    return float(np.mean(losses))


def head(z: torch.Tensor, directions: torch.Tensor) -> np.ndarray:
    """torch's own weight norm with its g at 1, behind the normalised bottleneck."""
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(*reversed(directions.shape), bias=False))
    layer.parametrizations.weight.original0.data.fill_(1)
    layer.parametrizations.weight.original1.data.copy_(directions)
    return layer(z / z.norm(dim=1, keepdim=True)).double().numpy()


@torch.no_grad()
def seen_by(networks: tuple[nn.Module, ...], views: tuple[torch.Tensor, ...]) -> list[np.ndarray]:
    """As the authors' wrapper: whole views in one batch, local ones in another, one projector over all."""
    encoder, projector, prototypes = networks
    whole, local = torch.cat(views[:2]), views[2:]
    h = torch.cat([encoder(whole), *([encoder(torch.cat(local))] if local else [])])
    return np.split(head(projector(h), prototypes.directions), len(views))


def scores_of(learner: nn.Module, seen: Batch) -> tuple[list[np.ndarray], list[np.ndarray]]:
    student = seen_by((learner.encoder, learner.projector, learner.prototypes), seen.views)
    return student, seen_by(tuple(learner.teacher.copies), seen.views[:2])


@pytest.mark.parametrize("local", [0, 3])
def test_the_loss_is_algorithm_1(local):
    learner, seen = method(), batch(local=local)
    learner.centre.copy_(torch.randn(12) / 10)
    student, teacher = scores_of(learner, seen)
    centre = learner.centre.double().numpy()
    report = learner(seen)
    assert report["loss"].item() == pytest.approx(by_hand(student, teacher, centre), abs=1e-4)
    told = np.concatenate([softmax((t - centre) / 0.04) for t in teacher])
    entropy = -(told * np.log(told)).sum(1).mean()
    assert report["entropy"].item() == pytest.approx(entropy, abs=1e-4)
    assert report["kl"].item() == pytest.approx(by_hand(student, teacher, centre) - entropy, abs=1e-4)


def test_the_teacher_never_sees_a_local_view():
    learner, seen = method(), batch(local=2)
    sides = []
    learner.teacher.copies[0].register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape))
    learner(seen)
    assert sides == [(16, 3, 16, 16)]


def test_the_centre_moves_after_it_was_used():
    learner, seen = method(centre_momentum=0.8), batch()
    was = learner.centre.copy_(torch.randn(12)).clone()
    _, teacher = scores_of(learner, seen)
    learner(seen)
    assert torch.equal(learner.centre, was)
    learner.after_step(0.1)
    expected = 0.8 * was.double().numpy() + 0.2 * np.concatenate(teacher).mean(0)
    np.testing.assert_allclose(learner.centre.numpy(), expected, atol=1e-6)


def test_the_teachers_temperature_rises_in_steps():
    learner = method(warmup_teacher_temperature=0.04, teacher_temperature=0.07, teacher_temperature_warmup=3)
    assert [learner.teacher_temperature(step) for step in range(5)] == pytest.approx([0.04, 0.05, 0.06, 0.07, 0.07])
    assert method().teacher_temperature(0) == 0.04


@pytest.mark.parametrize(
    ("schedule", "progress", "momentum"), [("cosine", 0.5, 0.95), ("cosine", 1.0, 1.0), ("constant", 0.5, 0.9)]
)
def test_all_of_the_teacher_follows_by_the_schedule(schedule, progress, momentum):
    learner = method(teacher_momentum=0.9, teacher_schedule=schedule)
    students = [learner.encoder, learner.projector, learner.prototypes]
    theirs = [p for part in students for p in part.parameters()]
    before = [p.clone() for p in learner.teacher.parameters()]
    for p in theirs:
        p.data += torch.randn_like(p)
    learner.after_step(progress)
    for own, was, student in zip(learner.teacher.parameters(), before, theirs, strict=True):
        torch.testing.assert_close(own.detach(), momentum * was + (1 - momentum) * student.detach())


def test_no_gradient_reaches_the_teacher_and_all_of_the_student():
    learner = method(hidden_norm=True)
    learner(batch(local=1))["loss"].backward()
    assert list(learner.trained()) == ["encoder", "projector", "prototypes"]
    assert all(p.grad is None for p in learner.teacher.parameters())
    assert all(p.grad is not None for part in learner.trained().values() for p in part.parameters())


def test_prototypes_stand_still_at_first():
    learner = method(frozen=2)
    for step in range(3):
        learner.zero_grad(set_to_none=True)
        learner(batch(step=step))["loss"].backward()
        assert (learner.prototypes.directions.grad is None) == (step < 2)


def test_scores_are_cosines_whatever_the_length_of_a_direction():
    prototypes, z = Prototypes(16, 12), torch.randn(4, 16)
    scores = prototypes(z)
    prototypes.directions.data *= torch.rand(12, 1) + 1
    torch.testing.assert_close(prototypes(3 * z), scores)
    assert scores.abs().max() <= 1


def test_the_projector_begins_as_the_authors_does():
    learner = method(projector_layers=3, hidden_dim=256)
    layers = [type(layer) for layer in learner.projector]
    assert layers == [nn.Linear, nn.GELU, nn.Linear, nn.GELU, nn.Linear]
    assert learner.projector[2].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not any(layer.bias.any() for layer in learner.projector if isinstance(layer, nn.Linear))
    assert len(method(projector_layers=1).projector) == 1


def test_unrelated_distributions_cost_the_logarithm_of_the_prototypes():
    torch.manual_seed(0)
    prototypes = Prototypes(1024, 500)
    targets = sharpened(prototypes(torch.randn(64, 1024)), torch.zeros(500), 0.04)
    loss = cross_entropy(targets, prototypes(torch.randn(64, 1024)), 0.1)
    assert loss.item() == pytest.approx(math.log(500), abs=0.1)


def test_centring_alone_evens_out_and_sharpening_alone_picks_one():
    """What section 5.3 sees of the teacher's entropy when it has only one of the two."""
    scores = torch.eye(12)[:1].expand(8, 12)  # the same of all images
    even, picked = sharpened(scores, scores.mean(0), 0.04), sharpened(scores, torch.zeros(12), 0.04)
    assert torch.special.entr(even).sum(1).mean().item() == pytest.approx(math.log(12))
    assert torch.special.entr(picked).sum(1).mean().item() == pytest.approx(0, abs=1e-4)


def test_a_state_brings_back_centre_and_teacher():
    learner, other = method(), method()
    for step in range(3):
        learner(batch(seed=step))
        learner.after_step(0.1)
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(batch(seed=9))["loss"], other(batch(seed=9))["loss"])


def test_a_teacher_that_is_not_sharper_is_doubted():
    kind = find("dino")
    assert "no sharper than the student's" in kind.doubts(method(teacher_temperature=0.1).settings, 64)[0]
    assert not kind.doubts(method().settings, 64)


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method(hidden_norm=True)
    assert_bf16_is_borne(learner, batch(local=2))


def test_the_student_comes_near_the_teacher():
    """The loss itself holds the teacher's entropy, which moves; what falls is the distance from it."""
    learner, seen = method(hidden_norm=True, teacher_momentum=1.0), batch(16)
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
    distances = taught(learner, seen, optimizer, 20, value="kl")
    assert distances[-1] < 0.5 * distances[0]
    assert learner.embed(seen.views[0]).shape == (16, 16)
