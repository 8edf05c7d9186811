"""TinyVGG is VGG's table 1 at an eighth of its width, and its deep plain nets train."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslterm.models.tinyvgg import BLOCKS, TinyVGG


def kernels(network: nn.Module) -> list[int]:
    return [layer.kernel_size[0] for layer in network.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize(("name", "weight_layers"), [("a", 11), ("b", 13), ("c", 16), ("d", 16), ("e", 19)])
def test_weight_layers_are_those_of_table_1(name, weight_layers):
    network = TinyVGG(name, 3)
    full = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert len(full) == 2
    assert len(kernels(network)) + len(full) + 1 == weight_layers  # and the classifier


def test_c_ends_its_last_three_blocks_with_1x1_convolutions():
    assert kernels(TinyVGG("c", 3)) == [3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]
    assert set(kernels(TinyVGG("d", 3))) == {3}


def test_a_has_as_many_weights_as_counted_by_hand():
    convolutions = [(3, 8), (8, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 64)]
    expected = sum(9 * i * o + o for i, o in convolutions) + 2 * (64 * 64 + 64)
    assert sum(p.numel() for p in TinyVGG("a", 3).parameters()) == expected == 152_880


def test_bn_has_eight_normalised_convolutions_and_wide_full_layers_with_dropout():
    network = TinyVGG("bn", 3)
    assert len(kernels(network)) == sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 8
    assert [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)][-1] == network.features == 256
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]


def test_dropout_is_a_setting_and_else_absent():
    assert [m.p for m in TinyVGG("e", 3).modules() if isinstance(m, nn.Dropout)] == [0, 0]
    assert [m.p for m in TinyVGG("bn", 3, dropout=0.1).modules() if isinstance(m, nn.Dropout)] == [0.1, 0.1]


@pytest.mark.parametrize("side", [8, 16, 28, 32, 96])
def test_every_side_goes_through(side):
    assert TinyVGG("b", 3)(torch.randn(2, 3, side, side)).shape == (2, 64)


def test_batches_in_channels_last_give_the_same():
    network, images = TinyVGG("d", 3).eval(), torch.randn(2, 3, 32, 32)
    last = network.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, network(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in BLOCKS if name != "bn"])
def test_the_signal_keeps_its_size_through_all_layers(name):
    torch.manual_seed(0)
    h = TinyVGG(name, 3)(torch.randn(32, 3, 32, 32))
    assert 0.1 < h.std().item() < 10


def test_the_deepest_plain_net_learns_with_sgd_at_0_01():
    torch.manual_seed(0)
    images = torch.randn(32, 3, 32, 32) + torch.linspace(-2, 2, 4).repeat(8)[:, None, None, None]
    labels = torch.arange(4).repeat(8)
    network = nn.Sequential(TinyVGG("e", 3), nn.Linear(64, 4))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(50):
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.8 * losses[0]  # small batch, lively losses; by default initialisation it stays at ln 4
