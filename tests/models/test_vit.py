"""Vision transformers: sizes and parts, where patches lie, attention both ways, paths that drop."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslterm import presets
from sslterm.models.encoders import build_encoder, features, parts
from sslterm.models.vit import Block, attention, positions


def vit(name: str = "vit-micro", channels: int = 3, **said) -> nn.Module:
    torch.manual_seed(0)
    return build_encoder(presets.Encoder(name=name, **said), channels)


@pytest.mark.parametrize(("name", "width"), [("vit-micro", 128), ("vit-tiny", 192), ("vit-small", 384)])
@pytest.mark.parametrize("pool", ["mean", "cls"])
def test_any_side_that_patches_divide_gives_as_many_features(name, width, pool):
    network = vit(name, pool=pool)
    assert features(network) == width
    assert network(torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last)).shape == (2, width)
    assert network(torch.randn(2, 3, 16, 16)).shape == (2, width)


@pytest.mark.parametrize(
    ("name", "count"), [("vit-tiny", 5_717_416), ("vit-small", 22_050_664), ("vit-base", 86567656)]
)
def test_there_are_as_many_weights_as_in_timms_deits(name, count):
    # Theirs have a classifier of 1,000 classes and learned positions of 197 tokens.
    with torch.device("meta"):
        network = vit(name, stem="imagenet")
    width = features(network)
    assert sum(p.numel() for p in network.parameters()) == count - 1000 * (width + 1) - 197 * width


def test_parts_are_named_from_the_image_upward():
    assert list(parts(vit())) == ["patch_embed", "block1", "block2", "block3", "block4", "norm"]


def test_the_class_token_is_a_vector():
    assert vit().cls_token.ndim == 1


def test_patches_are_4_pixels_or_16_unless_said():
    sides = [vit(**said).patch for said in ({}, {"stem": "imagenet"}, {"patch": 2})]
    assert sides == [4, 16, 2]


def test_nothing_but_weights_is_in_the_state():
    network = vit()
    network(torch.randn(2, 3, 8, 8))
    assert set(network.state_dict()) == {name for name, _ in network.named_parameters()}
    assert copy.deepcopy(network)(torch.zeros(1, 3, 8, 8)).isfinite().all()


class TestPositions:
    def test_they_are_the_authors(self):
        """get_2d_sincos_pos_embed of MAE's code, in numpy: "here w goes first"."""
        rows, columns, width = 3, 5, 16

        def waves(places: np.ndarray) -> np.ndarray:
            omega = 1.0 / 10000 ** (np.arange(width // 4, dtype=np.float64) / (width / 4.0))
            out = np.einsum("m,d->md", places.reshape(-1), omega)
            return np.concatenate([np.sin(out), np.cos(out)], axis=1)

        across, down = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        expected = np.concatenate([waves(across), waves(down)], axis=1)
        np.testing.assert_allclose(positions(rows, columns, width, torch.device("cpu")).numpy(), expected, atol=1e-6)

    def test_one_grid_has_them_made_once_and_fit_for_training(self):
        network = vit()
        with torch.inference_mode():
            first = network.positions(7, 6)
        assert network.positions(7, 6) is first
        assert not first.is_inference()

    def test_they_tell_patches_apart(self):
        network = vit()
        tile = torch.randn(1, 3, 4, 4).tile(1, 1, 2, 2)
        alone = network.patches(tile)
        torch.testing.assert_close(alone, alone[:, :1].expand(-1, 4, -1))
        told = alone + network.positions(2, 2)
        assert torch.pdist(told[0]).min() > 0.1

    def test_patches_come_row_by_row(self):
        network, image = vit(), torch.randn(1, 3, 8, 12)
        for place, (top, left) in enumerate([(0, 0), (0, 4), (0, 8), (4, 0), (4, 4), (4, 8)]):
            one = network.patches(image[:, :, top : top + 4, left : left + 4])
            torch.testing.assert_close(network.patches(image)[:, place], one[:, 0], atol=1e-5, rtol=1e-4)


def test_the_class_token_comes_first_and_the_mean_is_without_it():
    network, images = vit().eval(), torch.randn(2, 3, 8, 8)
    tokens = network.encode(network.patches(images) + network.positions(2, 2))
    assert tokens.shape == (2, 5, 128)
    torch.testing.assert_close(network(images), tokens[:, 1:].mean(1))
    network.pool = "cls"
    torch.testing.assert_close(network(images), tokens[:, 0])


def test_tokens_know_their_places_so_that_their_order_does_not_matter():
    network = vit().eval()
    tokens = network.patches(torch.randn(2, 3, 8, 8)) + network.positions(2, 2)
    mixed = [2, 0, 3, 1]
    torch.testing.assert_close(network.encode(tokens[:, mixed])[:, 1:], network.encode(tokens)[:, 1:][:, mixed])


class TestAttention:
    def test_it_is_softmax(self):
        q, k, v = torch.randn(3, 2, 2, 5, 8)
        logits = q.double().numpy() @ k.double().numpy().swapaxes(-1, -2) / np.sqrt(8)
        shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        np.testing.assert_allclose(attention(q, k, v).numpy(), shares @ v.double().numpy(), atol=1e-5)

    def test_both_ways_are_equal_within_bf16_and_so_are_their_gradients(self):
        whole = torch.randn(3, 2, 2, 17, 32)
        ways = []
        for way in (attention, F.scaled_dot_product_attention):
            qkv = whole.bfloat16().requires_grad_()
            out = way(*qkv)
            out.float().square().sum().backward()
            ways.append((out.float(), qkv.grad.float()))
        torch.testing.assert_close(ways[0], ways[1], atol=0.06, rtol=0.05)

    def test_a_block_in_bf16_is_one_in_fp32_but_for_rounding(self):
        network, images = vit(), torch.randn(4, 3, 16, 16)
        with torch.autocast("cpu", torch.bfloat16):
            h = network(images)
        assert h.dtype == torch.float32
        torch.testing.assert_close(h, network(images), atol=0.1, rtol=0.1)


class TestDropPath:
    def test_it_rises_linearly_with_depth(self):
        blocks = vit(drop_path=0.3).blocks
        assert [block.drop_path for block in blocks] == pytest.approx([0.0, 0.1, 0.2, 0.3])

    def test_what_is_expected_stays(self):
        torch.manual_seed(0)
        block = Block(8, 2).train()
        block.drop_path = 0.4
        dropped = block._dropped(torch.ones(20_000, 3, 8))
        assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
        assert torch.equal(dropped, dropped[:, :1, :1].expand_as(dropped))  # an image loses all of a block or nothing
        assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)

    def test_nothing_is_dropped_outside_training(self):
        network, images = vit(drop_path=1.0).eval(), torch.randn(2, 3, 8, 8)
        torch.testing.assert_close(network(images), vit().eval()(images))


def test_weights_begin_as_in_mae():
    network = vit("vit-tiny")
    embedding = network.patch_embed.weight
    bound = (6 / (48 + 192)) ** 0.5
    assert embedding.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert network.block1.qkv.weight.abs().max().item() == pytest.approx((6 / (4 * 192)) ** 0.5, rel=0.01)
    assert not network.block1.qkv.bias.any()
    assert network.cls_token.std().item() == pytest.approx(0.02, rel=0.2)
