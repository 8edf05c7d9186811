"""SimMIM, a Simple Framework for Masked Image Modeling (Xie et al., 2021): https://arxiv.org/abs/2111.09886

Hide squares of an image behind one learned token, see the rest as usual, and foretell the hidden pixels by one layer.
Shapes: B images, C channels, S side in pixels, N patches of an image, W width of a token, P = patch * patch * C numbers
of a patch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.vit import VisionTransformer, patchify, unpatchify
from sslterm.presets import BelowOne, Count, Section


class SimMIM(Method):
    """A vit encoder that sees all places, hidden ones as a token, and a linear layer back to pixels.

    Differs from the paper: vits here know places by fixed sines and cosines; `drop_path` waits for fine-tuning.
    """

    encoder: VisionTransformer

    class Settings(Section):
        mask_ratio: BelowOne = 0.6
        """How much of an image is hidden: 0.6 in the paper, with squares of 32 pixels."""
        mask_patch: Count = 8
        """Side in pixels of a square that is hidden or not, a multiple of the encoder's patch: 32 in the paper. For
        views of 32 pixels, 8 is a quarter of the side."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the encoder has no patches, or squares do not fit them."""
        super().__init__(encoder, settings, facts)
        if not isinstance(encoder, VisionTransformer):
            raise ValueError("method.name: simmim needs a vit, whose patches it can hide; say encoder.name = vit-tiny")
        side = settings.mask_patch
        if side % encoder.patch or facts.size % side:
            raise ValueError(
                f"method.mask_patch: {side} is no multiple of the encoder's patches of {encoder.patch} pixels that"
                f" divides a view of {facts.size}; take {encoder.patch}"
            )
        if facts.size == side:
            raise ValueError(f"method.mask_patch: {side} is the whole view, of which nothing would be left to see")
        encoder.set_drop_path(0.0)
        self.mask_token = MaskToken(encoder.features)
        self.predict = nn.Linear(features(encoder), encoder.patch**2 * facts.channels)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        images = batch.views[0]
        rows, columns = self._squares(images)
        hidden = self._hidden(torch.rand(len(images), rows * columns, device=images.device), rows, columns)
        return {"loss": absolute_error(self._painted(images, hidden), patchify(images, self.encoder.patch), hidden)}

    def _squares(self, images: Tensor) -> tuple[int, int]:
        """Rows and columns of squares that are hidden or not."""
        height, width = images.shape[-2:]
        return height // self.settings.mask_patch, width // self.settings.mask_patch

    def _hidden(self, noise: Tensor, rows: int, columns: int) -> Tensor:
        """Which patches are hidden: the squares with the lowest noise, (B, rows * columns) -> bool (B, N)."""
        squares = noise.argsort(1).argsort(1) < how_many(rows * columns, self.settings.mask_ratio)
        each = self.settings.mask_patch // self.encoder.patch
        grid = squares.view(-1, rows, columns).repeat_interleave(each, 1).repeat_interleave(each, 2)
        return grid.flatten(1)

    def _painted(self, images: Tensor, hidden: Tensor) -> Tensor:
        """The pixels of all patches as they are foretold: (B, N, P)."""
        known = self.encoder.encode(self.encoder.placed(images, hidden, self.mask_token.value))
        return self.predict(known[:, 1:])

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Images, what is left of them, their mean colour where squares are hidden, and with what is painted there. The
        same squares are hidden every time."""
        patch, (rows, columns) = self.encoder.patch, self._squares(images)
        noise = torch.rand(len(images), rows * columns, generator=torch.Generator().manual_seed(0))
        hidden = self._hidden(noise.to(images.device), rows, columns)
        pixels, painted = patchify(images, patch), self._painted(images, hidden).float()
        gaps = hidden[..., None]
        shown = {"masked": pixels.masked_fill(gaps, 0.0), "reconstructed": torch.where(gaps, painted, pixels)}
        grid = self.encoder.grid(images)
        return {"image": images, **{name: unpatchify(parts, patch, *grid) for name, parts in shown.items()}}


class MaskToken(nn.Module):
    """What stands for a hidden patch: float (W,), at first from a normal distribution with deviation 0.02."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.empty(width))
        nn.init.trunc_normal_(self.value, std=0.02)


def how_many(squares: int, ratio: float) -> int:
    """How many of so many squares are hidden; at least one is, and one is not."""
    return min(max(math.ceil(squares * ratio), 1), squares - 1)


def absolute_error(painted: Tensor, pixels: Tensor, hidden: Tensor) -> Tensor:
    """The l1 loss of section 3.4, the mean over all numbers of hidden patches: (B, N, P) twice, bool (B, N)."""
    each = F.l1_loss(painted.float(), pixels, reduction="none").mean(2)
    return (each * hidden).sum() / hidden.sum()
