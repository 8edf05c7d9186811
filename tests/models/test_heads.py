"""Heads: batch norm stands where each paper puts it."""

import torch
from torch import nn

from sslterm.models.heads import mlp


def kinds(head: nn.Sequential) -> str:
    names = {nn.Linear: "L", nn.BatchNorm1d: "B", nn.ReLU: "R"}
    return "".join(names[type(layer)] for layer in head)


def test_batch_norm_stands_where_it_was_asked_for():
    assert kinds(mlp(8, 4)) == "L"
    assert kinds(mlp(8, 8, 4)) == "LRL"
    assert kinds(mlp(8, 8, 4, hidden_norm=True)) == "LBRL"
    assert kinds(mlp(8, 8, 4, hidden_norm=True, last_norm="affine")) == "LBRLB"
    assert kinds(mlp(8, 8, 8, 4, hidden_norm=True, last_norm="plain")) == "LBRLBRLB"


def test_a_linear_layer_has_a_bias_unless_batch_norm_follows():
    assert [layer.bias is not None for layer in mlp(8, 8, 4) if isinstance(layer, nn.Linear)] == [True, True]
    normed = mlp(8, 8, 4, hidden_norm=True)
    assert [layer.bias is not None for layer in normed if isinstance(layer, nn.Linear)] == [False, True]
    plain = mlp(8, 8, 4, hidden_norm=True, last_norm="plain")
    assert [layer.bias is not None for layer in plain if isinstance(layer, nn.Linear)] == [False, False]
    assert plain[-1].weight is None


def test_widths_follow_each_other():
    assert mlp(8, 16, 4, hidden_norm=True)(torch.randn(5, 8)).shape == (5, 4)
