"""SimMIM: squares are hidden behind a token, and their pixels alone are judged, by the absolute error."""

import math

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.simmim import absolute_error, how_many
from sslterm.models.encoders import build_encoder


def method(encoder: str = "vit-micro", **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "simmim", **said})
    assert not problems
    return find("simmim")(build_encoder(presets.Encoder(name=encoder, drop_path=0.3), 3), checked, FACTS)


def batch(count: int = 4, side: int = 16) -> Batch:
    images = torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))
    return Batch((images,), torch.full((count,), -1), torch.arange(count))


def test_the_loss_is_that_of_the_authors_code():
    """forward of models/simmim.py: mask grown to pixels, |x - x_rec| over it, by its sum and the channels."""
    learner, images = method(), batch().views[0]
    noise = torch.rand(4, 4)
    hidden = learner._hidden(noise, 2, 2)
    painted = learner._painted(images, hidden)
    x = images.numpy().astype(float)
    x_rec = painted.detach().numpy().astype(float).reshape(4, 4, 4, 4, 4, 3).transpose(0, 5, 1, 3, 2, 4)
    x_rec = x_rec.reshape(4, 3, 16, 16)
    mask = np.zeros((4, 2, 2))
    for image, row in enumerate(noise.numpy()):
        for square in np.argsort(row)[: math.ceil(4 * 0.6)]:
            mask[image, square // 2, square % 2] = 1
    mask = mask.repeat(8, 1).repeat(8, 2)[:, None]
    expected = (np.abs(x - x_rec) * mask).sum() / mask.sum() / 3
    loss = absolute_error(painted, torch.from_numpy(patches(x)).float(), hidden)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def patches(x: np.ndarray) -> np.ndarray:
    b, c, s, _ = x.shape
    return x.reshape(b, c, s // 4, 4, s // 4, 4).transpose(0, 2, 4, 3, 5, 1).reshape(b, -1, 16 * c)


def test_what_is_hidden_is_not_seen():
    learner, images = method().eval(), batch().views[0]
    hidden = learner._hidden(torch.rand(4, 4), 2, 2)
    pixels = hidden.view(4, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    other = torch.where(pixels, torch.randn_like(images), images)
    torch.testing.assert_close(learner._painted(images, hidden), learner._painted(other, hidden))
    assert not torch.equal(images, other)


def test_whole_squares_are_hidden_as_many_in_each_image():
    hidden = method()._hidden(torch.rand(64, 16), 4, 4)
    assert (hidden.sum(1) == 4 * math.ceil(16 * 0.6)).all()
    squares = hidden.view(64, 4, 2, 4, 2).float().mean((2, 4))
    assert set(squares.unique().tolist()) == {0.0, 1.0}
    assert 0.5 < squares.mean(0).min() <= squares.mean(0).max() < 0.8


def test_something_is_hidden_and_something_is_not():
    assert [how_many(4, ratio) for ratio in (0.0, 0.6, 0.99)] == [1, 3, 3]


def test_at_first_the_error_is_that_of_guessing_next_to_nothing():
    """The mean of |x| over a normal distribution is sqrt(2 / pi) = 0.80."""
    assert 0.7 < method()(batch(16))["loss"].item() < 1.6


def test_pictures_keep_what_was_seen():
    learner, images = method().eval(), batch(side=32).views[0]
    with torch.no_grad():
        shown = learner.pictures(images)
        again = learner.pictures(images)
    assert list(shown) == ["image", "masked", "reconstructed"]
    kept = shown["masked"] == images
    assert 0.3 < kept.float().mean() < 0.45
    assert torch.equal(shown["reconstructed"][kept], images[kept])
    assert torch.equal(shown["reconstructed"], again["reconstructed"])


@pytest.mark.parametrize(
    ("said", "encoder", "says"),
    [
        ({}, "conv4", "method.name: simmim needs a vit"),
        (
            {"mask_patch": 6},
            "vit-micro",
            "method.mask_patch: 6 is no multiple of the encoder's patches of 4 pixels that",
        ),
        ({"mask_patch": 12}, "vit-micro", "divides a view of 32; take 4"),
        ({"mask_patch": 32}, "vit-micro", "method.mask_patch: 32 is the whole view"),
    ],
)
def test_what_cannot_work_is_said(said, encoder, says):
    with pytest.raises(ValueError, match=says):
        method(encoder, **said)


def test_no_path_is_dropped_before_fine_tuning():
    assert all(block.drop_path == 0.0 for block in method().encoder.blocks)


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method()
    assert_bf16_is_borne(learner, batch())


def test_the_loss_falls():
    learner, seen = method(), batch(8)
    optimizer = torch.optim.AdamW(learner.parameters(), lr=1e-3)
    losses = taught(learner, seen, optimizer, 30)
    assert losses[-1] < 0.9 * losses[0]
