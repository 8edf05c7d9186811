"""Split batch norm equals ordinary batch norm on each part of the batch."""

import pytest
import torch
from torch import nn

from sslterm.models.split_batch_norm import SplitBatchNorm2d, split_batch_norm


def pair(splits: int) -> tuple[nn.BatchNorm2d, SplitBatchNorm2d]:
    plain, split = nn.BatchNorm2d(5), SplitBatchNorm2d(5, splits)
    nn.init.uniform_(plain.weight)
    nn.init.uniform_(plain.bias)
    split.load_state_dict(plain.state_dict())
    return plain, split


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_each_part_is_normalised_on_its_own(format):
    plain, split = pair(4)
    maps = torch.randn(12, 5, 6, 6).to(memory_format=format)
    expected = torch.cat([plain(part) for part in maps.split(3)])
    result = split(maps)
    torch.testing.assert_close(result, expected)
    assert result.is_contiguous(memory_format=format)


def test_gradients_are_those_of_the_parts():
    plain, split = pair(4)
    maps, weights = torch.randn(12, 5, 6, 6), torch.randn(12, 5, 6, 6)
    (torch.cat([plain(part) for part in maps.split(3)]) * weights).sum().backward()
    (split(maps) * weights).sum().backward()
    torch.testing.assert_close(split.weight.grad, plain.weight.grad)
    torch.testing.assert_close(split.bias.grad, plain.bias.grad)


def test_running_statistics_follow_the_average_over_the_parts():
    _, split = pair(4)
    maps = torch.randn(12, 5, 6, 6) * 2 + 1
    split(maps)
    means = torch.stack([part.mean((0, 2, 3)) for part in maps.split(3)])
    variances = torch.stack([part.var((0, 2, 3)) for part in maps.split(3)])
    torch.testing.assert_close(split.running_mean, 0.1 * means.mean(0))
    torch.testing.assert_close(split.running_var, 0.9 + 0.1 * variances.mean(0))
    assert split.num_batches_tracked == 1


def test_one_split_is_plain_batch_norm():
    plain, split = pair(1)
    maps = torch.randn(12, 5, 6, 6)
    torch.testing.assert_close(split(maps), plain(maps))
    torch.testing.assert_close(split.running_var, plain.running_var)


def test_in_eval_mode_it_is_plain_batch_norm_for_any_batch():
    plain, split = pair(4)
    maps = torch.randn(7, 5, 6, 6)
    torch.testing.assert_close(split.eval()(maps), plain.eval()(maps))


def test_a_batch_that_does_not_divide_is_our_own_mistake():
    with pytest.raises(AssertionError, match="do not divide"):
        SplitBatchNorm2d(5, 4)(torch.randn(7, 5, 6, 6))


def test_converting_reaches_every_depth_and_keeps_the_state():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Sequential(nn.BatchNorm2d(5, eps=1e-3, momentum=0.01)))
    network(torch.randn(4, 3, 8, 8))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    split_batch_norm(network, 2)
    converted = network[1][0]
    assert isinstance(converted, SplitBatchNorm2d)
    assert (converted.splits, converted.eps, converted.momentum) == (2, 1e-3, 0.01)
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
