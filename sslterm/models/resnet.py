"""ResNet-18, -34 and -50 (He et al., 2015): https://arxiv.org/abs/1512.03385, without their classifiers.

Names of weights and what is computed are torchvision's, so that its weights load here and ours there; but torchvision
takes three seconds to import, longer than anything else between a command and its first step.
Shapes: B images, C channels, S side in pixels, D features.
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.models.convolution import Convolution

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
"""Blocks in each of the four layers."""
WIDTHS = (64, 128, 256, 512)


class ResNet(nn.Module):
    """float (B, C, S, S) -> h, float (B, D): D is 512, or 2048 for resnet50."""

    def __init__(self, name: str, channels: int, stem: Literal["cifar", "imagenet"]) -> None:
        super().__init__()
        kind = Bottleneck if name == "resnet50" else BasicBlock
        if stem == "imagenet":
            self.conv1 = Convolution(channels, 64, 7, stride=2, padding=3, bias=False)
            self.maxpool: nn.Module = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            # SimCLR appendix B.9: for small images "we replace the first 7x7 Conv of stride 2 with 3x3 Conv of stride
            # 1, and also remove the first max pooling operation".
            self.conv1 = Convolution(channels, 64, 3, stride=1, padding=1, bias=False)
            self.maxpool = nn.Identity()
        self.bn1 = nn.BatchNorm2d(64)
        before = 64
        for place, (width, depth) in enumerate(zip(WIDTHS, DEPTHS[name], strict=True), start=1):
            strides = [1 if place == 1 else 2] + [1] * (depth - 1)
            blocks = []
            for stride in strides:
                blocks.append(kind(before, width, stride))
                before = width * kind.widening
            self.add_module(f"layer{place}", nn.Sequential(*blocks))
        self.features = before
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        maps = self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))
        for place in range(1, 5):
            maps = self.get_submodule(f"layer{place}")(maps)
        return F.adaptive_avg_pool2d(maps, 1).flatten(1)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, and the way around them."""

    widening = 1

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Convolution(before, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Convolution(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _around(before, width, stride)

    def forward(self, maps: Tensor) -> Tensor:
        changed = F.relu(self.bn1(self.conv1(maps)), inplace=True)
        changed = self.bn2(self.conv2(changed))
        changed += maps if self.downsample is None else self.downsample(maps)
        return F.relu(changed, inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1, and the way around them. The stride is the 3x3's, as in torchvision (v1.5); in the paper it is the
    first 1x1's."""

    widening = 4

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Convolution(before, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Convolution(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = Convolution(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _around(before, 4 * width, stride)

    def forward(self, maps: Tensor) -> Tensor:
        changed = F.relu(self.bn1(self.conv1(maps)), inplace=True)
        changed = F.relu(self.bn2(self.conv2(changed)), inplace=True)
        changed = self.bn3(self.conv3(changed))
        changed += maps if self.downsample is None else self.downsample(maps)
        return F.relu(changed, inplace=True)


def _around(before: int, after: int, stride: int) -> nn.Sequential | None:
    """The way around a block: as it is, where that fits."""
    if stride == 1 and before == after:
        return None
    return nn.Sequential(Convolution(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
