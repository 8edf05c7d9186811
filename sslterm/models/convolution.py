"""A convolution that becomes products of matrices where those are quicker: in bf16, on small maps, on a CPU with AMX.

There oneDNN's convolutions are far from what its products of matrices reach: on maps of 4x4 with 512 channels and a
batch of 256, it takes 28 ms forward, 30 for the gradient of the maps and 73 for that of the weight; as products, with
the gathering of what they multiply, 12, 12 and 17 (2 cores, torch 2.14). A step with ResNet-18 takes a quarter less.
What is computed is the same, in the same precision: products of bf16, summed up in fp32.
Shapes: B images, I and O channels before and after, S side of the maps before and T after, K side of the kernel.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

SMALL = 4
"""The largest side of maps, after the convolution, for which products are quicker; from 8 on they are not."""
WIDE = 256
"""From so many channels on."""


class Convolution(nn.Conv2d):
    """`nn.Conv2d` with square kernels and zeros around: float (B, I, S, S) -> (B, O, T, T)."""

    def forward(self, input: Tensor) -> Tensor:
        if not self._as_products(input):
            return super().forward(input)
        weight = self.weight.to(torch.bfloat16)
        made: Tensor = Products.apply(input.to(torch.bfloat16), weight, self.stride[0], int(self.padding[0]))
        return made if self.bias is None else made + self.bias.to(torch.bfloat16)[:, None, None]

    def _as_products(self, maps: Tensor) -> bool:
        after = (maps.shape[-1] + 2 * int(self.padding[0]) - self.kernel_size[0]) // self.stride[0] + 1
        return (
            maps.device.type == "cpu"
            and after <= SMALL
            and self.in_channels >= WIDE
            and torch.is_autocast_enabled("cpu")
            and torch.get_autocast_dtype("cpu") == torch.bfloat16
            and has_amx()
        )


@cache
def has_amx() -> bool:
    """Whether this CPU multiplies tiles of bf16."""
    asked = getattr(torch.cpu, "_is_amx_tile_supported", None)  # not public: where it is gone, nothing is lost but time
    return bool(asked and asked())


class Products(torch.autograd.Function):
    """A convolution as products: bf16 maps (B, I, S, S), weight (O, I, K, K), stride, zeros around -> (B, O, T, T)."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.stride, ctx.padding = stride, padding
        return convolved(maps, weight, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        maps, weight = ctx.saved_tensors
        (gradient,) = gradients
        stride, padding, kernel = ctx.stride, ctx.padding, weight.shape[-1]
        of_maps = of_weight = None
        if ctx.needs_input_grad[0]:
            if stride == 1:  # the way back is a convolution too, with the kernel turned round
                turned = weight.flip(2, 3).transpose(0, 1)
                of_maps = convolved(gradient, turned, 1, kernel - 1 - padding)
            else:
                of_maps = conv2d_input(maps.shape, weight, gradient, stride, padding)
        if ctx.needs_input_grad[1]:
            read = patches(maps, kernel, stride, padding)
            product = rows(gradient).T @ read.flatten(0, 2).flatten(1)
            of_weight = product.view(len(weight), kernel, kernel, -1).permute(0, 3, 1, 2)
        return of_maps, of_weight, None, None


def convolved(maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """(B, I, S, S), (O, I, K, K) -> (B, O, T, T), channels last."""
    read = patches(maps, weight.shape[-1], stride, padding)
    made = read.flatten(0, 2).flatten(1) @ weight.permute(2, 3, 1, 0).reshape(-1, len(weight))
    return made.view(*read.shape[:3], -1).permute(0, 3, 1, 2)


def patches(maps: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """What each place reads: (B, C, S, S) -> (B, T, T, K, K, C), a tensor of its own."""
    padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
    windows = padded.unfold(1, kernel, stride).unfold(2, kernel, stride)  # (B, T, T, C, K, K)
    return windows.permute(0, 1, 2, 4, 5, 3).contiguous()


def rows(maps: Tensor) -> Tensor:
    """Every place a row: (B, C, T, T) -> (B * T * T, C)."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)
