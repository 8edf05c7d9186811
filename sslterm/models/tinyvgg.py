"""TinyVGG: the configurations of VGG (Simonyan & Zisserman, 2014, table 1) at an eighth of their width.

https://arxiv.org/abs/1409.1556. Shapes: B images, C channels, S side in pixels, D features.
"""

from __future__ import annotations

from torch import Tensor, nn

from sslterm.models.convolution import Convolution

# Table 1, a column a line: five blocks, each digit the kernel size of one convolution, max-pooling after each block.
BLOCKS: dict[str, tuple[str, ...]] = {
    "a": ("3", "3", "33", "33", "33"),
    "b": ("33", "33", "33", "33", "33"),
    "c": ("33", "33", "331", "331", "331"),
    "d": ("33", "33", "333", "333", "333"),
    "e": ("33", "33", "3333", "3333", "3333"),
    "bn": ("3", "3", "33", "33", "33"),
}
WIDTHS = (8, 16, 32, 64, 64)  # the paper's 64, 128, 256, 512, 512
WIDTHS_BN = (16, 32, 64, 128, 256)


class TinyVGG(nn.Module):
    """Blocks of convolutions `layer1` .. `layer5`, then two full layers `full`; the classifier is a head's business.

    (B, C, S, S) -> (B, D) for any side S: what the blocks leave is averaged over its places. D is 64, for "bn" 256.
    """

    features: int

    def __init__(self, configuration: str, channels: int, dropout: float | None = None) -> None:
        """`configuration` is a key of `BLOCKS`; `dropout` None means 0.5 for "bn", else none."""
        super().__init__()
        norm = configuration == "bn"
        widths = WIDTHS_BN if norm else WIDTHS
        self.features = widths[-1]
        for place, (kernels, width) in enumerate(zip(BLOCKS[configuration], widths, strict=True), start=1):
            self.add_module(f"layer{place}", block(channels, width, kernels, norm))
            channels = width
        self.pool = nn.AdaptiveAvgPool2d(1)
        if dropout is None:
            dropout = 0.5 if norm else 0.0
        self.full = nn.Sequential(*full(channels, dropout), *full(channels, dropout))
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for place in range(1, 6):
            maps = self.get_submodule(f"layer{place}")(maps)
        return self.full(self.pool(maps).flatten(1))


def block(channels: int, width: int, kernels: str, norm: bool) -> nn.Sequential:
    """Convolutions that keep the side, then max-pooling that halves it, rounded up: so a side of 1 stays 1."""
    layers: list[nn.Module] = []
    for kernel in map(int, kernels):
        layers.append(Convolution(channels, width, kernel, padding=kernel // 2, bias=not norm))
        if norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))


def full(width: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(width, width), nn.ReLU(inplace=True), nn.Dropout(dropout)]


def initialise(layer: nn.Module) -> None:
    """He initialisation by fan-in: the signal keeps its size through all layers of E, where fan-out would halve it
    wherever the width doubles. PyTorch's default has a sixth of the variance: after 600 steps of SGD at 0.01 on
    CIFAR-10, the loss of B and E still stood at ln 10.
    """
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
