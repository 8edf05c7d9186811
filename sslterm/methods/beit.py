"""BEiT, BERT pre-training of image transformers (Bao et al., 2021): https://arxiv.org/abs/2106.08254

Hide two fifths of an image's patches, in blocks, and guess from the others which code a tokenizer says each hidden one
with. The tokenizer is what the stage before learned (method `tokenizer`).
Shapes: B images, C channels, S side in pixels, N patches of an image, W the width of a token, K codes.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.tokenizer import VQVAE, patch_of
from sslterm.models.vit import VisionTransformer
from sslterm.presets import Count, Fraction, Section

ROUNDS = 12
"""Blocks that are drawn for an image, of which those count that are needed: of 4,096 masks for 8 x 8 patches none fell
short after twelve, and seldom one for 14 x 14."""
NARROWEST = 0.3
"""Aspect of a block, algorithm 1: between this and 1 / this."""


class BEiT(Method):
    """Encoder, an embedding in the place of hidden patches, and a linear head that guesses codes.

    Differs from the paper: places are told by fixed sines and cosines instead of learned relative positions, blocks
    have no layer scale, and the codes are of the very view that the encoder sees, from a tokenizer with fewer of them.
    """

    encoder: VisionTransformer
    chart = "train/loss"  # kNN of what was never asked to lie close says little: BEiT is for fine-tuning
    needs = "tokenizer"

    class Settings(Section):
        codes: Count = 512
        """K, and the next two: as in the tokenizer's stage."""
        code_dim: Count = 64
        """Width of a code."""
        width: Count = 128
        """Channels of the tokenizer's convolutions."""
        masked: Fraction = 0.4
        """How much of an image is hidden at least: about 40 % in the paper, section 2.3."""
        block: Count = 5
        """Patches of a block at least; algorithm 1 has 16 of 196, which is as much of an image as 5 of 64."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the encoder has no patches, or a block takes more than is to be hidden."""
        super().__init__(encoder, settings, facts)
        patch = patch_of(encoder, "beit")
        hidden = settings.masked * (facts.size // patch) ** 2
        if settings.block > hidden:
            raise ValueError(
                f"method.block: {settings.block} patches are more than the {hidden:g} that masked = {settings.masked:g}"
                " hides of an image; take fewer"
            )
        self.tokenizer = VQVAE(facts.channels, patch, settings.codes, settings.code_dim, settings.width)
        self.tokenizer.requires_grad_(False)
        self.predictor = Predictor(features(encoder), settings.codes)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Equation 1, the mean over all hidden patches of the batch: near ln K at first. `accuracy` is the share of
        them whose code is guessed."""
        images = batch.views[0]
        tokens, hidden = self._tokens(images), self._hidden(images)
        logits = self._guesses(images, hidden)
        losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none").view_as(tokens)
        return {"loss": mean(losses, hidden), "accuracy": mean(logits.detach().argmax(2) == tokens, hidden)}

    @torch.no_grad()
    def _tokens(self, images: Tensor) -> Tensor:
        """The tokenizer's codes, int64 (B, N); in fp32, so that no rounding changes one."""
        with torch.autocast(images.device.type, enabled=False):
            return self.tokenizer.tokens(images.float())

    def _hidden(self, images: Tensor) -> Tensor:
        """Which patches are hidden, other ones in each image: bool (B, N)."""
        rows, columns = self.encoder.grid(images)
        draws = torch.rand(len(images), ROUNDS, 4)  # on the CPU: the same for the same seed wherever training goes on
        hidden = blocks(draws, rows, columns, self.settings.masked, self.settings.block)
        return hidden.to(images.device, non_blocking=True)

    def _guesses(self, images: Tensor, hidden: Tensor) -> Tensor:
        """What the codes of all patches may be when these are hidden: float32 logits (B, N, K).

        All patches, because to pick the hidden ones, of which each image has another number, would wait for the device.
        """
        known = self.encoder.encode(self.encoder.placed(images, hidden, self.predictor.mask))
        return self.predictor.head(known[:, 1:]).float()

    def train(self, mode: bool = True) -> BEiT:
        """The tokenizer stays as it came."""
        super().train(mode)
        self.tokenizer.eval()
        return self

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Images, without what is hidden, and with what the decoder paints of the guessed codes in its place."""
        hidden = self._hidden(images)
        guessed = torch.where(hidden, self._guesses(images, hidden).argmax(2), self._tokens(images))
        patch, (rows, columns) = self.encoder.patch, self.encoder.grid(images)
        codes = self.tokenizer.codebook.codes[guessed].view(len(images), rows, columns, -1)
        pixels = hidden.view(-1, 1, rows, columns).repeat_interleave(patch, 2)
        gaps = pixels.repeat_interleave(patch, 3)
        return {"image": images, "masked": images.masked_fill(gaps, 0.0), "guessed": self.tokenizer.decode(codes)}


class Predictor(nn.Module):
    """What stands for a hidden patch, float (W,), and the guess of its code: (..., W) -> (..., K)."""

    def __init__(self, width: int, codes: int) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.empty(width))
        self.head = nn.Linear(width, codes)
        nn.init.normal_(self.mask, std=0.02)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)


def mean(values: Tensor, hidden: Tensor) -> Tensor:
    """Of values (B, N) those of hidden patches, as a scalar."""
    return (values * hidden).sum() / hidden.sum()


def blocks(draws: Tensor, rows: int, columns: int, share: float, smallest: int) -> Tensor:
    """Algorithm 1: hide block after block until more than `share` of a grid is hidden. bool (B, rows * columns).

    `draws`, between 0 and 1, float32 (B, rounds, 4), say the area, aspect, top and left of each block. As in the
    authors' code the logarithm of the aspect is even, so that high and wide blocks are alike.
    """
    down, across = torch.arange(rows)[:, None], torch.arange(columns)
    hidden = torch.zeros(len(draws), rows, columns, dtype=torch.bool)
    for draw in draws.unbind(1):
        for_area, for_aspect, for_top, for_left = draw[:, :, None, None].unbind(1)
        missing = share * rows * columns - hidden.sum((1, 2), keepdim=True)
        area = torch.lerp(torch.full_like(missing, smallest), missing, for_area).clamp(min=1)
        aspect = NARROWEST ** (1 - 2 * for_aspect)
        height = (area * aspect).sqrt().round().clamp(1, rows)
        width = (area / aspect).sqrt().round().clamp(1, columns)
        top, left = ((rows - height + 1) * for_top).floor(), ((columns - width + 1) * for_left).floor()
        block = (down >= top) & (down < top + height) & (across >= left) & (across < left + width)
        hidden |= block & (missing >= 0)
    return hidden.flatten(1)
