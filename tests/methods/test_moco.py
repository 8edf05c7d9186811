"""MoCo: algorithm 1 with its queue, the teacher, the shuffled batch norm."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judging import taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.moco import info_nce
from sslterm.models.encoders import build_encoder
from sslterm.models.split_batch_norm import SplitBatchNorm2d


def method(name: str = "tinyvgg-bn", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "moco", "queue": 32, "projection_dim": 16, "bn_splits": 2, **said})
    assert not problems
    return find("moco")(build_encoder(presets.Encoder(name=name, dropout=0.0), 3), checked, FACTS)


def batch(count: int = 8, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    views = tuple(torch.randn(count, 3, 16, 16, generator=generator) for _ in range(2))
    return Batch(views, torch.full((count,), -1), torch.arange(count))


def algorithm_1(q: np.ndarray, k: np.ndarray, queue: np.ndarray, temperature: float) -> float:
    """The paper's pseudo-code in loops: N queries, each with its key and all of the queue."""
    total = 0.0
    for query, key in zip(q.astype(np.float64), k.astype(np.float64), strict=True):
        query = query / np.linalg.norm(query)
        logits = [query @ key, *(query @ negative for negative in queue.astype(np.float64))]
        exponentials = [math.exp(logit / temperature) for logit in logits]
        total -= math.log(exponentials[0] / sum(exponentials))
    return total / len(q)


@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
def test_the_loss_is_algorithm_1(temperature):
    z = torch.randn(6, 12)
    keys, queue = F.normalize(torch.randn(6, 12), dim=1), F.normalize(torch.randn(20, 12), dim=1)
    expected = algorithm_1(z.numpy(), keys.numpy(), queue.numpy(), temperature)
    assert info_nce(z, keys, queue, temperature)[0].item() == pytest.approx(expected, abs=1e-5)


def test_without_knowledge_the_loss_is_ln_of_k_plus_1():
    """In many dimensions the cosines of unrelated directions vanish, so the K + 1 candidates look alike. In 128
    dimensions and at temperature 0.1 they do not: logits then vary by 10 / sqrt(128) = 0.88, which adds 0.39."""
    torch.manual_seed(0)
    keys, queue = F.normalize(torch.randn(16, 5000), dim=1), F.normalize(torch.randn(255, 5000), dim=1)
    assert info_nce(torch.randn(16, 5000), keys, queue, 1.0)[0].item() == pytest.approx(math.log(256), abs=0.01)
    keys, queue = F.normalize(torch.randn(512, 128), dim=1), F.normalize(torch.randn(4096, 128), dim=1)
    loss = info_nce(torch.randn(512, 128), keys, queue, 0.1)[0].item()
    assert loss == pytest.approx(math.log(4097) + 100 / 128 / 2, abs=0.15)


def test_top1_counts_queries_nearest_to_their_own_key():
    z, queue = torch.eye(6), -torch.eye(6)
    assert info_nce(z, z, queue, 0.1)[1] == 1.0
    assert info_nce(z, -z, z, 0.1)[1] == 0.0


class TestQueue:
    def test_it_starts_as_noise_on_the_sphere(self):
        queue = method(queue=512, projection_dim=64).queue.rows
        torch.testing.assert_close(queue.norm(dim=1), torch.ones(512))
        assert queue.mean(0).abs().max() < 0.05
        assert queue.dtype == torch.float32

    def test_keys_enter_in_order_and_the_oldest_leave(self):
        learner = method()
        noise, seen = learner.queue.rows.clone(), []
        for step in range(5):
            learner(batch(seed=step))
            seen += learner.fresh
            learner.after_step(0.0)
            entered = torch.cat(seen)
            assert learner.queue.oldest == 8 * (step + 1) % 32
            if step == 1:
                assert torch.equal(learner.queue.rows, torch.cat([entered, noise[16:]]))
        assert torch.equal(learner.queue.rows, torch.cat([entered[32:40], entered[8:32]]))

    def test_places_wrap_even_in_the_middle_of_a_batch(self):
        learner = method(queue=12)
        entered = []
        for step in range(2):
            learner(batch(seed=step))
            entered += learner.fresh
            learner.after_step(0.0)
        keys = torch.cat(entered)
        assert torch.equal(learner.queue.rows, torch.cat([keys[12:16], keys[4:12]]))
        assert learner.queue.oldest == 4

    @pytest.mark.parametrize("symmetric", [False, True])
    def test_own_keys_are_never_among_the_negatives(self, symmetric):
        """The step's loss is that of the queue as the step before left it, in both halves."""
        learner = method(symmetric=symmetric, bn_splits=1)
        for step in range(3):
            queue, seen = learner.queue.rows.clone(), batch(seed=step)
            loss = learner(seen)["loss"].item()
            assert torch.equal(learner.queue.rows, queue)
            halves = [(0, 1), (1, 0)] if symmetric else [(0, 1)]
            expected = 0.0
            with torch.no_grad():
                for query, key in halves:
                    z, keys = learner.embed(seen.views[query]), learner.keys(seen.views[key])
                    expected += algorithm_1(z.numpy(), keys.numpy(), queue.numpy(), 0.1)
            assert loss == pytest.approx(expected, abs=1e-4)
            learner.after_step(0.0)
            assert learner.queue.oldest == (step + 1) * 8 * len(halves) % 32

    def test_looking_without_a_step_leaves_it_alone(self):
        learner = method()
        before = learner.queue.rows.clone()
        learner(batch())
        assert torch.equal(learner.queue.rows, before)


class TestShuffledBatchNorm:
    def test_keys_come_back_in_the_order_of_their_images(self):
        """An encoder without batch norm makes the same keys in any order."""
        learner, images = method("tinyvgg-a"), torch.randn(16, 3, 16, 16)
        torch.testing.assert_close(learner.keys(images), F.normalize(learner.teacher(images), dim=1))

    def test_the_company_of_a_key_is_drawn_anew(self):
        learner, images = method(), torch.randn(16, 3, 16, 16)
        torch.manual_seed(1)
        first = learner.keys(images)
        second = learner.keys(images)
        torch.manual_seed(1)
        assert torch.equal(learner.keys(images), first)
        assert not torch.allclose(first, second, atol=1e-4)

    def test_query_and_key_encoders_are_split_alike(self):
        learner = method()
        for network in (learner.encoder, learner.teacher):
            norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
            assert len(norms) == 8
            assert all(isinstance(m, SplitBatchNorm2d) and m.splits == 2 for m in norms)

    def test_one_split_is_ordinary_batch_norm(self):
        learner = method(bn_splits=1)
        assert not any(isinstance(m, SplitBatchNorm2d) for m in learner.modules())

    def test_the_encoders_state_fits_an_ordinary_encoder(self):
        plain = build_encoder(presets.Encoder(name="tinyvgg-bn"), 3)
        plain.load_state_dict(method().encoder.state_dict())


def test_no_gradient_reaches_the_teacher_or_the_queue():
    learner = method(symmetric=True)
    learner(batch())["loss"].backward()
    assert all(p.grad is None for p in learner.teacher.parameters())
    assert not any(keys.requires_grad for keys in learner.fresh)
    assert all(p.grad is not None for part in learner.trained().values() for p in part.parameters())
    assert list(learner.trained()) == ["encoder", "projector"]


def test_the_teacher_follows_after_the_step():
    learner = method(teacher_momentum=0.9)
    before = [p.clone() for p in learner.teacher.parameters()]
    for part in (learner.encoder, learner.projector):
        for p in part.parameters():
            p.data += torch.randn_like(p)
    learner.after_step(0.5)
    theirs = [*learner.encoder.parameters(), *learner.projector.parameters()]
    for own, was, student in zip(learner.teacher.parameters(), before, theirs, strict=True):
        torch.testing.assert_close(own.detach(), 0.9 * was + 0.1 * student.detach())


def test_the_projector_is_that_of_the_settings():
    assert "".join(type(layer).__name__[0] for layer in method().projector) == "LRL"
    assert "".join(type(layer).__name__[0] for layer in method(projector="linear").projector) == "L"
    assert method(hidden_dim=40).projector[0].out_features == 40
    assert method().projector[0].out_features == 256


def test_the_loss_falls():
    learner, seen = method(symmetric=True), batch()
    optimizer = torch.optim.SGD([p for part in learner.trained().values() for p in part.parameters()], 0.05, 0.9)
    # the queue rests: with one batch only, it would fill with the positives
    losses = taught(learner, seen, optimizer, 25)
    assert losses[-1] < 0.5 * losses[0]


def test_under_bf16_the_cosines_and_the_queue_are_still_fp32():
    learner = method()
    z, keys, queue = torch.randn(6, 12), F.normalize(torch.randn(6, 12), dim=1), F.normalize(torch.randn(9, 12), dim=1)
    with torch.autocast("cpu", torch.bfloat16):
        loss = learner(batch())["loss"]
        exact = info_nce(z, keys, queue, 0.1)[0]
    loss.backward()
    learner.after_step(0.0)
    assert loss.isfinite()
    assert learner.queue.rows.dtype == torch.float32
    assert exact.item() == pytest.approx(algorithm_1(z.numpy(), keys.numpy(), queue.numpy(), 0.1), abs=1e-5)


def test_the_state_comes_back_with_queue_and_place():
    learner, other = method(), method()
    learner(batch())
    learner.after_step(0.0)
    other.load_state_dict(learner.state_dict())
    for each in (learner, other):
        torch.manual_seed(5)
        each(batch(seed=2))
        each.after_step(0.0)
    assert torch.equal(learner.queue.rows, other.queue.rows)
    assert learner.queue.oldest == other.queue.oldest == 16


class TestBatchSize:
    def objections(self, batch_size: int, **said) -> list[str]:
        return find("moco").objections(settings({"name": "moco", **said})[0], batch_size)

    def doubts(self, batch_size: int, **said) -> list[str]:
        return find("moco").doubts(settings({"name": "moco", **said})[0], batch_size)

    def test_the_papers_numbers_are_fine(self):
        for said in ({}, {"symmetric": True}):
            assert not self.objections(512, **said)
            assert not self.doubts(512, **said)

    def test_a_queue_that_the_keys_do_not_divide_is_named(self):
        (sentence,) = self.objections(96)
        assert "queue = 4096" in sentence
        assert "take 4128" in sentence
        (sentence,) = self.objections(256, queue=256, symmetric=True)
        assert "512 keys" in sentence

    def test_splits_that_do_not_divide_the_batch_are_named(self):
        (sentence,) = self.objections(128, bn_splits=6)
        assert "bn_splits = 6" in sentence
        assert "take 4" in sentence

    def test_too_small_parts_are_doubted(self):
        (sentence,) = self.doubts(32)
        assert "4 images at a time" in sentence
        assert "take 4 or less" in sentence
        assert not self.doubts(4, bn_splits=1)
        assert self.doubts(4, bn_splits=4)
