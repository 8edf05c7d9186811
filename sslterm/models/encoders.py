"""Encoders: the networks that are kept, without their classifiers: images (B, C, S, S) -> representation h (B, D).

Every encoder has `.features`, its D, and named children that a preset may call parts: `conv1, bn1, layer1 .. layer4`
(resnets), `layer1 .. layer5, full` (TinyVGG), `layer1 .. layer4` (Conv4), `patch_embed, block1 .. block12,
norm` (vits), `conv1, block1 .. block11, conv2` (MobileNet); and `last` where `encoder.features` puts a linear layer
behind them.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from sslterm import presets
from sslterm.errors import UserError
from sslterm.models.conv4 import Conv4
from sslterm.models.resnet import ResNet
from sslterm.models.tinyvgg import TinyVGG
from sslterm.models.vit import Block, VisionTransformer


class WeightsError(UserError):
    """Pretrained weights that cannot be had, with what to do about it."""


def build_encoder(settings: presets.Encoder, channels: int) -> nn.Module:
    """The encoder for images of `input_channels` channels. Raises WeightsError.

    Weights other than "imagenet" are ours: whoever knows runs loads them afterwards.
    """
    network = _network(settings, channels)
    return Narrowed(network, settings.features) if settings.features else network


def _network(settings: presets.Encoder, channels: int) -> nn.Module:
    """The network that a name means, as wide as it is."""
    if settings.weights == "imagenet":
        _refuse_what_has_no_weights(settings)
    if settings.name.startswith("tinyvgg"):
        return TinyVGG(settings.name.removeprefix("tinyvgg-"), channels, settings.dropout)
    if settings.name == "conv4":
        return Conv4(channels)
    if settings.name.startswith("vit"):
        return VisionTransformer(settings.name, channels, settings.patch_side, settings.pool, settings.drop_path)
    assert channels == 3, channels
    if settings.name.startswith("mobilenet"):
        return _mobilenet(settings)
    network = ResNet(settings.name, channels, settings.stem)
    if settings.weights == "imagenet":
        _load_imagenet(network, settings.name)
    return network


def input_channels(settings: presets.Encoder, data_channels: int) -> int:
    """How many channels the encoder wants: torchvision's networks 3, our own those of the data."""
    return data_channels if _is_ours(settings) else 3


def _is_ours(settings: presets.Encoder) -> bool:
    return settings.name.startswith(("tinyvgg", "conv4", "vit"))


def features(encoder: nn.Module) -> int:
    """D, the width of the representation."""
    return cast(int, encoder.features)


def encoded(encoder: nn.Module, views: Sequence[Tensor]) -> Tensor:
    """h of all views, the first view's images first: V times (B, C, S, S), each with an S of its own -> (V * B, D).

    Neighbours of one size are one batch for batch norm, as in the code of those who came up with local views.
    """
    together = [torch.cat(list(some)) for _, some in groupby(views, key=lambda view: view.shape[-1])]
    return torch.cat([encoder(images) for images in together])


def parts(encoder: nn.Module) -> dict[str, nn.Module]:
    """The children that have weights, from the image upward; those of a trunk by their own names."""
    own = {name: child for name, child in encoder.named_children() if any(True for _ in child.parameters())}
    return {**parts(own.pop("trunk")), **own} if isinstance(encoder, Narrowed) else own


def networks(module: nn.Module) -> list[nn.Module]:
    """The convolutional networks and the transformers' blocks anywhere inside: the encoder's, teachers', decoders'."""
    return [one for one in module.modules() if isinstance(one, ResNet | TinyVGG | Conv4 | MobileNet | Block)]


class Narrowed(nn.Module):
    """A network, the trunk, and a linear layer behind its h: (B, C, S, S) -> (B, D) with any D."""

    def __init__(self, trunk: nn.Module, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.last = nn.Linear(features(trunk), width)
        self.features = width

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.trunk(images))


class MobileNet(nn.Module):
    """torchvision's MobileNet v3 without classifier; its blocks are children, so that each can be named."""

    features: int

    def __init__(self, blocks: nn.Sequential) -> None:
        super().__init__()
        first, *middle, last = blocks
        self.conv1 = first
        for place, block in enumerate(middle, start=1):
            self.add_module(f"block{place}", block)
        self.conv2 = last
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.features = cast(nn.Conv2d, last.get_submodule("0")).out_channels

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for child in self.children():
            maps = child(maps)
        return maps.flatten(1)


def _mobilenet(settings: presets.Encoder) -> MobileNet:
    from torchvision.models import get_model

    network = get_model(settings.name, weights=None)
    if settings.weights == "imagenet":
        _load_imagenet(network, settings.name)
    return MobileNet(network.features)


# ---------------------------------------------------------------- torchvision's weights


def _refuse_what_has_no_weights(settings: presets.Encoder) -> None:
    if _is_ours(settings):
        raise WeightsError(
            f'encoder.weights: nobody trained {settings.name} on ImageNet; weights = "imagenet" needs a resnet or '
            "mobilenet_v3_small"
        )
    if settings.name.startswith("resnet") and settings.stem == "cifar":
        raise WeightsError(
            'encoder.weights: the ImageNet weights of resnets belong to the 7x7 stem; say stem = "imagenet", or leave '
            "weights out"
        )


def _load_imagenet(network: nn.Module, name: str) -> None:
    from torchvision.models import get_model_weights

    # V1 for all: the one recipe that every network here was trained by. (resnet50's V2 classifies ImageNet better.)
    url = get_model_weights(name)["IMAGENET1K_V1"].url
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    was_there = file.is_file()
    try:
        weights = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
        own = network.state_dict()
        # Our resnets have no classifier; whatever else is too much or too little is refused.
        network.load_state_dict({key: value for key, value in weights.items() if key in own or key[:3] != "fc."})
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, TypeError, AttributeError) as error:
        if was_there:
            raise WeightsError(
                f"encoder.weights: {file} does not hold the ImageNet weights of {name}; delete it and run again, or "
                f"put the file from {url} in its place"
            ) from error
        reason = str(error) or type(error).__name__
        raise WeightsError(
            f"encoder.weights: the ImageNet weights of {name} could not be downloaded ({reason}); place the file from "
            f"{url} at {file}"
        ) from error
