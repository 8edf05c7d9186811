"""Conv4: four convolutions, the small network of few-shot learning (Vinyals et al. 2016, Matching Networks, 4.1).

https://arxiv.org/abs/1606.04080. Differs from the paper: it widens on the way up (16-32-64-128 instead of 64
throughout) and ends in the average over places, so that it is quick on a laptop and takes images of any side.
Shapes: B images, C channels, S side in pixels, D = 128 features.
"""

from __future__ import annotations

from torch import Tensor, nn

WIDTHS = (16, 32, 64, 128)


class Conv4(nn.Module):
    """(B, C, S, S) -> (B, D): 3x3 convolution, batch norm, ReLU four times, max-pooling between."""

    features: int = WIDTHS[-1]

    def __init__(self, channels: int) -> None:
        super().__init__()
        for place, width in enumerate(WIDTHS, start=1):
            self.add_module(f"layer{place}", block(channels, width, pooled=place < len(WIDTHS)))
            channels = width
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for child in self.children():
            maps = child(maps)
        return maps.flatten(1)


def block(channels: int, width: int, pooled: bool) -> nn.Sequential:
    """One convolution; its pooling rounds up, so that a side of 1 stays 1."""
    layers = [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2, ceil_mode=True)] if pooled else []))
