"""Rotation: all four exact turns of each image in one batch, and which is which."""

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
from sslterm.methods.rotation import quarter_turns
from sslterm.models.encoders import build_encoder


def method(name: str = "tinyvgg-a") -> nn.Module:
    torch.manual_seed(0)
    said, _ = settings({"name": "rotation"})
    return find("rotation")(build_encoder(presets.Encoder(name=name), 3), said, FACTS)


def batch(count: int = 6) -> Batch:
    nothing = torch.full((count,), -1)
    return Batch((torch.randn(count, 3, 16, 16),), nothing, torch.arange(count))


def test_turns_are_exact_and_in_the_order_of_turns():
    images = torch.randn(3, 2, 5, 5)
    turned, turns = quarter_turns(images)
    assert turns.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    for place, (image, turn) in enumerate(zip(turned, turns, strict=True)):
        expected = np.rot90(images[place % 3].numpy(), turn.item(), axes=(1, 2))
        assert np.array_equal(image.numpy(), expected)


def test_the_loss_is_the_papers_mean_over_images_and_turns():
    """Equations 2 and 3: minus the log-probability of each of the four turns, averaged over turns, then images."""
    learner, seen = method(), batch()
    total = 0.0
    for image in seen.views[0]:
        turned = image
        for turn in range(4):
            probability = F.softmax(learner.head(learner.encoder(turned[None])), dim=1)[0]
            total -= math.log(probability[turn].item()) / 4
            turned = turned.transpose(1, 2).flip(1)  # a quarter turn, counter-clockwise
    assert learner(seen)["loss"].item() == pytest.approx(total / 6, abs=1e-5)


def test_one_forward_sees_all_four_turns_of_every_image():
    learner, sizes = method(), []
    learner.encoder.register_forward_hook(lambda _m, inputs, _o: sizes.append(len(inputs[0])))
    learner(batch())
    assert sizes == [24]


def test_the_loss_starts_near_ln_4_and_falls():
    learner, seen = method(), batch(8)
    optimizer = torch.optim.Adam(learner.parameters(), lr=2e-3)
    losses = taught(learner, seen, optimizer, 40)
    assert losses[0] == pytest.approx(math.log(4), abs=0.3)
    assert losses[-1] < 0.6 * losses[0]


def test_its_head_does_not_tell_classes():
    assert method().classify(torch.randn(2, 3, 16, 16)) is None


def test_bf16_gives_a_finite_fp32_loss():
    with torch.autocast("cpu", torch.bfloat16):
        loss = method("tinyvgg-bn")(batch())["loss"]
    assert loss.isfinite()
    assert loss.dtype == torch.float32


def test_the_state_comes_back():
    learner, other = method(), method()
    nn.init.normal_(learner.head.weight)
    other.load_state_dict(learner.state_dict())
    seen = batch()
    assert torch.equal(learner(seen)["loss"], other(seen)["loss"])
