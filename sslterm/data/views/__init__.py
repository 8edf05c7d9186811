"""Views: what the network sees of an image. A whole batch at once, on its own device, each sample with its own draws.

`TrainView` changes images as `[views]` says; `PlainView` is what validation, test and prediction see. Both do
as torchvision.transforms.v2 does on floats. The order: crop or resize, rotate and translate, quarter turn, flip,
jitter, gray, blur, solarize, normalise. What is random is drawn on the CPU (`draw`); `geometry` moves pixels, `colour`
changes them.

Letters: B images, C channels, H and W their sides (equal), S the side of a view.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sslterm.data.views import colour, geometry
from sslterm.data.views.draw import Drawn, ViewError, draw, problems
from sslterm.presets import Views

__all__ = ["PlainView", "TrainView", "ViewError"]

WORKING_SET = 1 << 21
"""Bytes of views that one CPU core treats at a time: they stay in its cache from the first change to the last."""


class TrainView:
    """One random view of every image, as one recipe of `[views]` says (`settings.second` is not looked at).

    `mean` and `std` are per channel (0..1 scale), `channels` (1 or 3) and `size` are what comes out. Raises ViewError
    where the settings contradict each other. Matrix products do the resizing: call it outside autocast.
    """

    def __init__(self, settings: Views, mean: Sequence[float], std: Sequence[float], channels: int, size: int) -> None:
        if wrong := problems(settings, size):
            raise ViewError("\n".join(wrong))
        self.settings, self.channels, self.size = settings, channels, size
        self.normalise = Normalise(mean, std)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """uint8 (B, C, H, W) and a CPU generator -> float32 (B, channels, S, S), normalised, on the images' device.

        The generator alone decides the draws, so one seed gives the same views on every device. Raises ViewError
        where a padded crop does not fit the images.
        """
        return self.make(images, self.draw(len(images), images.shape[-1], generator))

    def draw(self, images: int, side: int, generator: torch.Generator) -> Drawn:
        """All that is random in the views of so many images of `side` pixels. Raises ViewError as a call does."""
        return draw(self.settings, images, side, self.size, self.channels, generator)

    def make(self, images: Tensor, drawn: Drawn) -> Tensor:
        """The views of uint8 (B, C, H, W) that were drawn."""
        views = torch.empty(len(images), self.channels, self.size, self.size, device=images.device)
        # Pieces of one size, for a small last one would cost as many calls as any other.
        pieces = max(1, math.ceil(len(images) / self._together(images.device)))
        step = max(1, math.ceil(len(images) / pieces))
        for start in range(0, len(images), step):
            part = slice(start, start + step)
            self._make(images[part], {name: values[part] for name, values in drawn.items()}, out=views[part])
        return views

    def _make(self, images: Tensor, drawn: Drawn, out: Tensor) -> None:
        views = geometry.place(images, drawn, self.size)
        views = views.expand(-1, self.channels, -1, -1).contiguous()  # grey images become three channels where asked
        colour.change(views, drawn)
        self.normalise(views, out)

    def _together(self, device: torch.device) -> int:
        """How many images are treated at a time, at most."""
        if device.type != "cpu":
            return 1 << 30  # an accelerator wants few, large launches
        one_view = 4 * self.channels * self.size**2
        return max(1, WORKING_SET * torch.get_num_threads() // one_view)


class PlainView:
    """Images as they are evaluated: resized to `eval_scale`, centre crop, normalised. Takes what TrainView takes."""

    def __init__(self, settings: Views, mean: Sequence[float], std: Sequence[float], channels: int, size: int) -> None:
        self.channels, self.size = channels, size
        middle = round(sum(settings.scale) / 2) if settings.crop == "scaled" else size
        self.scale = settings.eval_scale or middle
        self.normalise = Normalise(mean, std)

    def __call__(self, images: Tensor, flip: bool = False, scale: int | None = None) -> Tensor:
        """uint8 (B, C, H, W) -> float32 (B, channels, S, S), normalised. `scale`: pixels, instead of `eval_scale`;
        `flip`: mirrored left to right."""
        views = geometry.centre(images, scale or self.scale, self.size)
        if flip:
            views = views.flip(3)
        return self.normalise(views.expand(-1, self.channels, -1, -1))


class Normalise:
    """(x - mean) / std for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = torch.tensor(mean).view(-1, 1, 1)
        self.std = torch.tensor(std).view(-1, 1, 1)

    def __call__(self, views: Tensor, out: Tensor | None = None) -> Tensor:
        """float (B, C, S, S) -> the same; written to `out` where given."""
        mean, std = (values.to(views.device, non_blocking=True) for values in (self.mean, self.std))
        return torch.sub(views, mean, out=out).div_(std)
