"""Batch norm whose statistics come from parts of the batch, as if each part were on a device of its own.

MoCo (He et al., 2019, 3.3) shuffles the keys between devices, because batch statistics let a query recognise its key
by the company it keeps. On one device, the splits stand for the devices. https://arxiv.org/abs/1911.05722
Shapes: B images, C channels, H and W the sides of a map.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SplitBatchNorm2d(nn.BatchNorm2d):
    """Like `nn.BatchNorm2d`, with its state_dict; in training, each of `splits` equal runs of the batch is normalised
    by its own mean and variance, and the running statistics follow the average over the splits."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def __init__(self, channels: int, splits: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(channels, eps, momentum)
        self.splits = splits

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        assert len(input) % self.splits == 0, f"{len(input)} images do not divide into {self.splits} splits"
        # Pieces of the batch rather than splits folded into channels: pieces keep channels_last, folding copies.
        means, variances = self.running_mean.repeat(self.splits, 1), self.running_var.repeat(self.splits, 1)
        normalised = [
            F.batch_norm(piece, mean, variance, self.weight, self.bias, True, self.momentum, self.eps)
            for piece, mean, variance in zip(input.chunk(self.splits), means, variances, strict=True)
        ]
        with torch.no_grad():
            self.running_mean.copy_(means.mean(0))
            self.running_var.copy_(variances.mean(0))
            self.num_batches_tracked.add_(1)
        return torch.cat(normalised)


def split_batch_norm(module: nn.Module, splits: int) -> None:
    """Put a SplitBatchNorm2d, with the same weights and statistics, in place of every BatchNorm2d inside `module`."""
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm2d:
            assert child.affine
            assert child.momentum is not None
            split = SplitBatchNorm2d(child.num_features, splits, child.eps, child.momentum)
            split.weight, split.bias = child.weight, child.bias
            for buffer, kept in child.named_buffers():
                setattr(split, buffer, kept)
            setattr(module, name, split)
        else:
            split_batch_norm(child, splits)
