"""DCGAN's generator (Radford, Metz & Chintala, 2015): images out of a few numbers. https://arxiv.org/abs/1511.06434

Shapes: B images, Z latent, C channels, S side in pixels.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

SMALLEST, STEP = 8, 4
"""Sides it can make: 8, 12, 16 and so on."""


class Generator(nn.Module):
    """z (B, Z) -> (B, C, S, S), of any size: whoever wants pixels puts tanh behind it, as the paper does.

    A few places first (4x4 for sides of 16, 32 and 64), then each 4x4 transposed convolution of stride 2 doubles the
    side and halves the channels, down to `width` before the last; batch norm and ReLU behind all but the last. For 64
    pixels and a width of 128, it is the paper's figure 1.
    """

    def __init__(self, latent: int, channels: int, size: int, width: int) -> None:
        """Raises ValueError where it cannot make such a side."""
        super().__init__()
        side, doublings = _from(size)
        widths = [width << place for place in reversed(range(doublings))]
        self.first = nn.Sequential(nn.ConvTranspose2d(latent, widths[0], side, bias=False), *_behind(widths[0]))
        rest: list[nn.Module] = []
        for wide, narrow in pairwise(widths):
            rest += [nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False), *_behind(narrow)]
        self.rest = nn.Sequential(*rest, nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        return self.rest(self.first(z[:, :, None, None]))


def _behind(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(width), nn.ReLU(inplace=True)


def _from(size: int) -> tuple[int, int]:
    """The side that it starts from, 4 to 7 where that is possible, and how often it doubles."""
    if size < SMALLEST or size % STEP:
        near = max(SMALLEST, round(size / 8) * 8)
        raise ValueError(f"views.size: images are drawn with sides of 8, 12, 16 and so on, not {size}; take {near}")
    side, doublings = size, 0
    while side % 2 == 0 and side >= SMALLEST:
        side, doublings = side // 2, doublings + 1
    return side, doublings


def initialise(layer: nn.Module) -> None:
    """Section 3: all weights from a normal distribution around zero with a standard deviation of 0.02; those of batch
    norm, as in the authors' code, around one."""
    if isinstance(layer, nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)
