"""MAE: the whole forward pass is the paper's, hidden patches alone are judged, and pictures show what was painted."""

import math

import numpy as np
import pytest
import torch
from judging import assert_bf16_is_borne, taught
from told import FACTS
from torch import nn

from sslterm import presets
from sslterm.methods import Batch, find, settings
from sslterm.methods.mae import normalised, squared_error, visible
from sslterm.models.encoders import build_encoder
from sslterm.models.vit import patchify, unpatchify


def method(encoder: str = "vit-micro", channels: int = 3, drop_path: float = 0.0, **said) -> nn.Module:
    torch.manual_seed(0)
    checked, problems = settings({"name": "mae", "decoder_width": 32, "decoder_depth": 2, "decoder_heads": 4, **said})
    assert not problems
    return find("mae")(build_encoder(presets.Encoder(name=encoder, drop_path=drop_path), channels), checked, FACTS)


def batch(count: int = 4, side: int = 16) -> Batch:
    images = torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))
    return Batch((images,), torch.full((count,), -1), torch.arange(count))


class ByHand:
    """forward_encoder, random_masking, forward_decoder and forward_loss of the authors' models_mae.py, in numpy."""

    def __init__(self, learner: nn.Module) -> None:
        self.w = {name: value.double().numpy() for name, value in learner.state_dict().items()}

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def block(self, x: np.ndarray, name: str, heads: int) -> np.ndarray:
        b, t, c = x.shape
        qkv = self.linear(self.norm(x, f"{name}.norm1"), f"{name}.qkv")
        q, k, v = qkv.reshape(b, t, 3, heads, c // heads).transpose(2, 0, 3, 1, 4)
        attn = np.exp(q @ k.swapaxes(-2, -1) * (c // heads) ** -0.5)
        attn /= attn.sum(-1, keepdims=True)
        x = x + self.linear((attn @ v).swapaxes(1, 2).reshape(b, t, c), f"{name}.proj")
        wide = self.linear(self.norm(x, f"{name}.norm2"), f"{name}.mlp.0")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        return x + self.linear(wide, f"{name}.mlp.2")

    @staticmethod
    def places(side: int, width: int) -> np.ndarray:
        """get_2d_sincos_pos_embed, without the class token."""
        across, down = np.meshgrid(np.arange(side), np.arange(side))
        omega = 1.0 / 10000 ** (np.arange(width // 4) / (width / 4.0))
        waves = [np.einsum("m,d->md", at.reshape(-1), omega) for at in (across, down)]
        return np.concatenate([f(wave) for wave in waves for f in (np.sin, np.cos)], axis=1)

    @staticmethod
    def patchify(images: np.ndarray, p: int = 4) -> np.ndarray:
        b, c, side, _ = images.shape
        x = images.reshape(b, c, side // p, p, side // p, p)
        return np.einsum("nchpwq->nhwpqc", x).reshape(b, (side // p) ** 2, p**2 * c)

    def loss(self, images: np.ndarray, noise: np.ndarray, keep: int, norm_pix: bool) -> float:
        b, n = noise.shape
        side, x = math.isqrt(n), self.patchify(images)
        kernel = self.w["encoder.patch_embed.weight"]  # (W, C, 4, 4), of which `x` has the channels last
        tokens = x @ kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel)) + self.w["encoder.patch_embed.bias"]
        tokens = tokens + self.places(side, tokens.shape[2])
        ids_shuffle = np.argsort(noise, axis=1)
        ids_restore = np.argsort(ids_shuffle, axis=1)
        seen = np.take_along_axis(tokens, ids_shuffle[:, :keep, None], axis=1)
        mask = np.ones((b, n))
        mask[:, :keep] = 0
        mask = np.take_along_axis(mask, ids_restore, axis=1)
        seen = np.concatenate([np.broadcast_to(self.w["encoder.cls_token"], (b, 1, tokens.shape[2])), seen], axis=1)
        for place in range(1, 5):
            seen = self.block(seen, f"encoder.block{place}", heads=4)
        y = self.linear(self.norm(seen, "encoder.norm"), "decoder.embed")
        hidden = np.broadcast_to(self.w["decoder.mask_token"], (b, n + 1 - y.shape[1], y.shape[2]))
        y_ = np.take_along_axis(np.concatenate([y[:, 1:], hidden], axis=1), ids_restore[:, :, None], axis=1)
        y = np.concatenate([y[:, :1], y_ + self.places(side, y.shape[2])], axis=1)
        for place in range(2):
            y = self.block(y, f"decoder.blocks.{place}", heads=4)
        pred = self.linear(self.norm(y, "decoder.norm"), "decoder.predict")[:, 1:]
        if norm_pix:
            x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True, ddof=1) + 1e-6)
        return float((((pred - x) ** 2).mean(-1) * mask).sum() / mask.sum())


@pytest.mark.parametrize("norm_pix", [True, False])
@pytest.mark.parametrize("mask_ratio", [0.75, 0.5])
def test_the_whole_forward_pass_is_the_papers(norm_pix, mask_ratio):
    learner, seen = method(norm_pix=norm_pix, mask_ratio=mask_ratio), batch()
    torch.manual_seed(5)
    noise = torch.rand(4, 16)
    torch.manual_seed(5)
    ours = learner(seen)["loss"].item()
    expected = ByHand(learner).loss(
        seen.views[0].double().numpy(), noise.numpy(), keep=int(16 * (1 - mask_ratio)), norm_pix=norm_pix
    )
    assert ours == pytest.approx(expected, abs=1e-4)


class TestPixels:
    def test_their_order_is_the_authors(self):
        images = torch.randn(2, 3, 8, 8)
        np.testing.assert_array_equal(patchify(images, 4).numpy(), ByHand.patchify(images.numpy()))

    @pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 1, 8, 12)])
    def test_images_come_back_whole(self, shape):
        images = torch.randn(shape)
        pixels = patchify(images.to(memory_format=torch.channels_last), 4)
        assert torch.equal(unpatchify(pixels, 4, shape[2] // 4, shape[3] // 4), images)

    def test_targets_have_the_unbiased_variance_of_their_patch(self):
        pixels = torch.randn(2, 3, 12) * 5 + 2
        ours, mean, deviation = normalised(pixels)
        x = pixels.double().numpy()
        expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, ddof=1, keepdims=True) + 1e-6)
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-5)
        torch.testing.assert_close(ours * deviation + mean, pixels)

    def test_a_patch_of_one_colour_is_no_trouble(self):
        assert torch.equal(normalised(torch.ones(1, 1, 12))[0], torch.zeros(1, 1, 12))


class TestMasking:
    def test_as_many_are_visible_as_the_ratio_leaves(self):
        assert [visible(*case) for case in [(64, 0.75), (196, 0.75), (256, 0.6), (4, 0.99), (4, 0.0)]] == [
            16, 49, 102, 1, 3,
        ]  # fmt: skip

    def test_the_lowest_of_the_noise_stay_and_no_others_reach_the_encoder(self):
        learner, images = method(), batch().views[0]
        noise = torch.rand(4, 16)
        _, hidden = learner._painted(images, noise)
        np.testing.assert_array_equal(hidden.numpy(), noise.argsort(1).argsort(1).numpy() >= 4)
        changed = patchify(images, 4) + hidden[..., None] * torch.randn(4, 16, 48)
        other, _ = learner._painted(unpatchify(changed, 4, 4, 4), noise)
        assert torch.equal(other, learner._painted(images, noise)[0])

    def test_hidden_patches_alone_are_judged(self):
        hidden = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
        painted, targets = torch.randn(2, 2, 3, 5)
        error = ((painted - targets) ** 2).mean(2)
        expected = (error[0, 0] + error[1, 0] + error[1, 1]) / 3
        torch.testing.assert_close(squared_error(painted, targets, hidden), expected)

    def test_each_step_hides_others(self):
        learner, seen = method(), batch()
        assert learner(seen)["loss"] != learner(seen)["loss"]


def test_at_first_the_loss_is_about_the_variance_of_normalised_pixels():
    learner = method(decoder_width=64)
    assert 0.9 < learner(batch(32, 32))["loss"].item() < 2.5


def test_every_matrix_begins_as_xavier_says():
    for name, weight in method().decoder.named_parameters():
        if weight.ndim == 2:
            bound = math.sqrt(6 / sum(weight.shape))
            assert 0.9 * bound < weight.abs().max() <= bound, name
        elif name.endswith("bias"):
            assert not weight.any(), name


class TestPictures:
    @pytest.mark.parametrize("norm_pix", [True, False])
    def test_visible_patches_are_as_they_were_and_hidden_ones_are_painted(self, norm_pix):
        learner, images = method(norm_pix=norm_pix), batch().views[0]
        made = learner.pictures(images)
        assert {name: one.shape for name, one in made.items()} == dict.fromkeys(
            ["image", "masked", "reconstructed"], images.shape
        )
        masked, painted, real = (patchify(one, 4) for one in (made["masked"], made["reconstructed"], images))
        hidden = (masked == 0).all(2)
        assert hidden.sum(1).tolist() == [12] * 4
        torch.testing.assert_close(masked[~hidden], real[~hidden])
        torch.testing.assert_close(painted[~hidden], real[~hidden])
        assert (painted[hidden] != real[hidden]).any(1).all()
        assert torch.equal(made["reconstructed"], learner.pictures(images)["reconstructed"])

    def test_a_perfect_decoder_paints_the_image_itself(self):
        learner, images = method(), batch().views[0]
        learner.decoder.forward = lambda *_: normalised(patchify(images, 4))[0]
        torch.testing.assert_close(learner.pictures(images)["reconstructed"], images, atol=1e-4, rtol=1e-4)


def test_what_cannot_work_is_said():
    with pytest.raises(ValueError, match=r"^method\.name: mae needs a vit"):
        method("conv4")
    with pytest.raises(ValueError, match=r"^method\.decoder_width: 30 is no multiple of 4 and of decoder_heads = 4"):
        method(decoder_width=30)
    checked, _ = settings({"name": "mae"})
    with pytest.raises(ValueError, match=r"^encoder\.patch: a view is one patch"):
        find("mae")(build_encoder(presets.Encoder(name="vit-micro", patch=32), 3), checked, FACTS)


def test_no_path_is_dropped_before_fine_tuning():
    assert {block.drop_path for block in method(drop_path=0.2).encoder.blocks} == {0.0}


def test_what_is_kept_is_the_encoders_h():
    learner, images = method().eval(), batch().views[0]
    assert torch.equal(learner.embed(images), learner.encoder(images))


def test_bf16_gives_a_finite_fp32_loss_and_gradients():
    learner = method()
    assert_bf16_is_borne(learner, batch())


def test_the_loss_falls():
    learner = method()
    smooth = nn.functional.interpolate(torch.randn(16, 3, 3, 3), 16, mode="bicubic")
    optimizer = torch.optim.Adam(learner.parameters(), lr=2e-3)
    losses = taught(learner, Batch((smooth,), torch.full((16,), -1), torch.arange(16)), optimizer, 60)
    assert np.mean(losses[-5:]) < 0.75 * losses[0]
