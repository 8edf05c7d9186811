"""Supervised: cross-entropy on what is trained; what is frozen does not move at all."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.supervised import edges, mixed
from sslterm.models.encoders import build_encoder

CLASSES = 5


def method(train="all", name: str = "resnet18", classes: int = CLASSES, **more) -> nn.Module:
    torch.manual_seed(0)
    said, problems = settings({"name": "supervised", "train": train, **more})
    assert not problems
    return find("supervised")(build_encoder(presets.Encoder(name=name), 3), said, replace(FACTS, classes=classes))


def batch(count: int = 10, side: int = 16) -> Batch:
    labels = torch.arange(count) % CLASSES
    return Batch((torch.randn(count, 3, side, side),), labels, torch.arange(count))


def step(learner: nn.Module, seen: Batch, optimizer: torch.optim.Optimizer) -> float:
    loss = learner(seen)["loss"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    learner.after_step(0.5)
    return loss.item()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_cross_entropy_with_smoothed_targets(smoothing):
    learner, seen = method(name="tinyvgg-a", label_smoothing=smoothing), batch()
    probability = learner.classify(seen.views[0]).softmax(1)
    expected = 0.0
    for row, label in zip(probability, seen.labels, strict=True):
        for k in range(CLASSES):
            target = (1 - smoothing) * float(k == label) + smoothing / CLASSES
            expected -= target * math.log(row[k].item())
    assert learner(seen)["loss"].item() == pytest.approx(expected / len(seen.labels), abs=1e-5)


def test_top1_is_the_share_told_right():
    learner, seen = method(name="tinyvgg-a"), batch()
    guesses = learner.classify(seen.views[0]).argmax(1)
    right = Batch(seen.views, guesses, seen.indices)
    assert learner(right)["top1"] == 1.0
    assert learner(Batch(seen.views, (guesses + 1) % CLASSES, seen.indices))["top1"] == 0.0


def test_the_whole_network_is_two_parts():
    assert list(method("all").trained()) == ["encoder", "head"]
    assert list(method(["encoder", "head", "layer4"]).trained()) == ["encoder", "head"]


def test_named_parts_are_trained_and_nothing_else():
    learner = method(["head", "layer4"])
    assert list(learner.trained()) == ["layer4", "head"]
    moving = {name for name, p in learner.named_parameters() if p.requires_grad}
    assert moving == {n for n, _ in learner.named_parameters() if n.startswith(("encoder.layer4.", "head."))}


def test_one_name_may_stand_without_a_list():
    assert list(method("head").trained()) == ["head"]


def test_an_encoder_that_was_frozen_before_learns_again():
    frozen = method("head")
    said, _ = settings({"name": "supervised"})
    again = find("supervised")(frozen.encoder, said, replace(FACTS, classes=CLASSES))
    assert all(p.requires_grad for p in again.parameters())
    assert all(m.training for m in again.modules())


@pytest.mark.parametrize("train", ["head", ["layer4", "head"]])
def test_frozen_parts_do_not_move_nor_do_their_statistics(train):
    learner = method(train)
    before = {key: value.clone() for key, value in learner.state_dict().items()}
    optimizer = torch.optim.SGD(
        [p for part in learner.trained().values() for p in part.parameters()], lr=0.1, momentum=0.9, weight_decay=0.1
    )
    learner.train()
    for _ in range(2):
        step(learner, batch(), optimizer)
    learner.eval()
    learner.train()
    step(learner, batch(), optimizer)
    moved = {key for key, value in learner.state_dict().items() if not torch.equal(value, before[key])}
    may_move = ("head.",) if train == "head" else ("head.", "encoder.layer4.")
    assert moved == {key for key in before if key.startswith(may_move)}


def test_frozen_parts_are_in_eval_mode_and_trained_ones_follow():
    learner = method(["layer4", "head"])
    assert learner.training
    assert learner.encoder.layer4.training
    assert not learner.encoder.layer3.training
    assert not learner.encoder.bn1.training
    assert not any(module.training for module in learner.eval().modules())


def test_frozen_dropout_drops_nothing():
    learner = method("head", name="tinyvgg-bn")
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(learner.classify(images), learner.classify(images))


def test_an_unknown_part_is_refused_with_the_parts_there_are():
    with pytest.raises(
        ValueError, match=r"'layer5' is no part of this network; .* conv1, bn1, layer1, layer2"
    ) as error:
        method(["layer5", "head"])
    assert str(error.value).startswith("method.train: ")
    with pytest.raises(ValueError, match="an empty list trains nothing"):
        method([])


def test_data_without_classes_are_refused():
    with pytest.raises(ValueError, match="needs labels"):
        method(classes=0)


def test_the_loss_starts_near_ln_classes_and_falls():
    learner, seen = method(name="tinyvgg-a"), batch()
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)
    losses = [step(learner, seen, optimizer) for _ in range(30)]
    assert losses[0] == pytest.approx(math.log(CLASSES), abs=0.4)
    assert losses[-1] < 0.5 * losses[0]


def test_bf16_gives_a_finite_fp32_loss():
    with torch.autocast("cpu", torch.bfloat16):
        loss = method(name="tinyvgg-bn")(batch())["loss"]
    assert loss.isfinite()
    assert loss.dtype == torch.float32


def test_the_state_comes_back():
    learner, other = method(name="tinyvgg-bn").eval(), method(name="tinyvgg-bn")
    nn.init.normal_(learner.head.weight)
    other.load_state_dict(learner.state_dict())
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(learner.classify(images), other.eval().classify(images))


class TestMixing:
    @pytest.mark.parametrize("said", [{"mixup": 0.8}, {"cutmix": 1.0}])
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_the_loss_is_cross_entropy_with_soft_targets(self, said, smoothing):
        learner, seen = method(name="tinyvgg-a", label_smoothing=smoothing, **said).eval(), batch()
        torch.manual_seed(3)
        images, own = mixed(seen.views[0], said.get("mixup", 0.0), said.get("cutmix", 0.0))
        one_hot = np.eye(CLASSES)[seen.labels.numpy()] * (1 - smoothing) + smoothing / CLASSES
        targets = own * one_hot + (1 - own) * one_hot[::-1]
        with torch.no_grad():
            log_p = learner.classify(images).double().log_softmax(1).numpy()
        torch.manual_seed(3)
        assert learner(seen)["loss"].item() == pytest.approx(-(targets * log_p).sum(1).mean(), abs=1e-5)

    def test_mixup_blends_every_pixel_by_one_share(self):
        images = torch.randn(6, 3, 8, 8)
        blended, own = mixed(images, mixup=0.8, cutmix=0.0)
        assert 0 < own < 1
        np.testing.assert_allclose(blended.numpy(), own * images.numpy() + (1 - own) * images.numpy()[::-1], atol=1e-6)

    def test_cutmix_pastes_one_box_and_tells_how_large_it_is(self):
        images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 32, 32)
        for seed in range(20):
            torch.manual_seed(seed)
            pasted, own = mixed(images, mixup=0.0, cutmix=1.0)
            theirs = pasted != images
            assert theirs.float().mean().item() == pytest.approx(1 - own)
            assert torch.equal(pasted[theirs], images.flip(0)[theirs])
            rows, columns = theirs[0, 0].any(1), theirs[0, 0].any(0)
            assert theirs.sum() == 4 * 3 * rows.sum() * columns.sum()  # nothing but a box
        assert torch.equal(images[3], torch.full((3, 32, 32), 3.0))  # what came in is as it was

    def test_a_box_is_yuns(self):
        """rand_bbox of the authors' code, along one side."""
        generator = np.random.default_rng(0)
        for middle, own in generator.random((50, 2)):
            cut, center = int(32 * np.sqrt(1 - own)), int(middle * 32)
            expected = (np.clip(center - cut // 2, 0, 32), np.clip(center + cut // 2, 0, 32))
            assert edges(middle, own, 32) == expected

    def test_shares_are_from_a_beta_distribution(self):
        torch.manual_seed(0)
        shares = np.array([mixed(torch.zeros(1, 1, 1, 1), mixup=0.3, cutmix=0.0)[1] for _ in range(4000)])
        assert shares.mean() == pytest.approx(0.5, abs=0.03)
        assert shares.var() == pytest.approx(1 / (4 * (2 * 0.3 + 1)), rel=0.05)

    def test_of_two_ways_each_batch_has_one_by_equal_chance(self):
        images = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
        pasted = 0
        for seed in range(200):
            torch.manual_seed(seed)
            pasted += set(mixed(images, mixup=0.8, cutmix=1.0)[0].unique().tolist()) <= {0.0, 1.0}
        assert 75 < pasted < 125

    def test_without_either_nothing_is_drawn(self):
        images = torch.randn(2, 3, 4, 4)
        before = torch.get_rng_state()
        assert mixed(images, 0.0, 0.0) == (images, 1.0)
        assert torch.equal(torch.get_rng_state(), before)
