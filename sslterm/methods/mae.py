"""MAE, Masked Autoencoders (He et al., 2021): https://arxiv.org/abs/2111.06377

Hide most patches of an image; see only the others, and paint the hidden ones.
Shapes: B images, C channels, S side in pixels, N patches of an image, V of them visible, P = patch * patch * C numbers
of a patch, D encoder features, W decoder width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.vit import EPSILON, Block, VisionTransformer, initialise, patchify, positions, unpatchify
from sslterm.presets import BelowOne, Count, Section


class MAE(Method):
    """A vit encoder that sees visible patches only, and a light decoder that sees all places.

    The encoder's `drop_path` waits for fine-tuning, as in the authors' code.
    """

    encoder: VisionTransformer

    class Settings(Section):
        mask_ratio: BelowOne = 0.75
        """How much of an image is hidden; section 4.1: 75 % is good for linear probes and for fine-tuning."""
        norm_pix: bool = True
        """Whether each patch is painted in units of its own mean and standard deviation, section 3: better
        representations. The authors' code has it as an option, and for the weights that they give away."""
        decoder_width: Count = 192
        """W. Here and below: what the public CIFAR-10 code of IcarusWizard/MAE has for a vit-tiny with patches of 2. On
        ImageNet, table 1 and section 4: width 512, 8 blocks, of which 1 is nearly as good for fine-tuning, 16 heads."""
        decoder_depth: Count = 4
        decoder_heads: Count = 3

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the encoder takes no patches, or they are too few."""
        super().__init__(encoder, settings, facts)
        if not isinstance(encoder, VisionTransformer):
            raise ValueError("method.name: mae needs a vit, which can leave patches out; say encoder.name = vit-tiny")
        if facts.size < 2 * encoder.patch:
            raise ValueError("encoder.patch: a view is one patch, of which nothing can be hidden; say a smaller one")
        width, heads = settings.decoder_width, settings.decoder_heads
        if width % heads or width % 4:
            raise ValueError(f"method.decoder_width: {width} is no multiple of 4 and of decoder_heads = {heads}")
        encoder.set_drop_path(0.0)
        pixels = encoder.patch**2 * facts.channels
        self.decoder = Decoder(encoder.features, width, settings.decoder_depth, heads, pixels)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        images = batch.views[0]
        pixels = patchify(images, self.encoder.patch)
        painted, hidden = self._painted(images, torch.rand(pixels.shape[:2], device=images.device))
        targets = normalised(pixels)[0] if self.settings.norm_pix else pixels
        return {"loss": squared_error(painted, targets, hidden)}

    def _painted(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder paints, (B, N, P), and which patches were hidden from the encoder, 1 or 0, (B, N).

        Of `noise`, (B, N), the lowest of each image stay visible.
        """
        rows, columns = self.encoder.grid(images)
        seen = visible(noise.shape[1], self.settings.mask_ratio)
        order = noise.argsort(1)
        place = order.argsort(1)  # where in this order each patch is
        known = self.encoder.encode(taken(self.encoder.placed(images), order[:, :seen]))
        return self.decoder(known, place, rows, columns), (place >= seen).float()

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Images, what is left of them, their mean colour where patches are hidden, and what is painted there. The same
        patches are hidden every time."""
        patch = self.encoder.patch
        rows, columns = self.encoder.grid(images)
        noise = torch.rand(len(images), rows * columns, generator=torch.Generator().manual_seed(0))
        pixels = patchify(images, patch)
        painted, hidden = self._painted(images, noise.to(images.device))
        if self.settings.norm_pix:
            _, mean, deviation = normalised(pixels)
            painted = painted * deviation + mean
        left, there = pixels * (1 - hidden[..., None]), painted.float() * hidden[..., None]
        shown = {"masked": left, "reconstructed": left + there}
        return {"image": images, **{name: unpatchify(each, patch, rows, columns) for name, each in shown.items()}}


class Decoder(nn.Module):
    """Blocks over all patches: what the encoder made of the visible ones, one learned token for every hidden one."""

    def __init__(self, features: int, width: int, depth: int, heads: int, pixels: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.mask_token = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.mask_token, std=0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.predict = nn.Linear(width, pixels)
        self.apply(initialise)

    def forward(self, known: Tensor, place: Tensor, rows: int, columns: int) -> Tensor:
        """What the encoder made of visible patches, behind a class token, (B, 1 + V, D), and where among them each
        patch is, int64 (B, N), a hidden one at V or beyond -> pixels of all patches, (B, N, P)."""
        known = self.embed(known)
        hidden = self.mask_token.to(known.dtype).expand(len(known), place.shape[1] + 1 - known.shape[1], -1)
        patches = taken(torch.cat([known[:, 1:], hidden], dim=1), place)
        patches = patches + positions(rows, columns, known.shape[2], known.device)
        tokens = self.blocks(torch.cat([known[:, :1], patches], dim=1))
        return self.predict(self.norm(tokens))[:, 1:]


def visible(patches: int, mask_ratio: float) -> int:
    """V of so many patches; at least one is visible, and at least one hidden."""
    return min(max(int(patches * (1 - mask_ratio)), 1), patches - 1)


def taken(tokens: Tensor, places: Tensor) -> Tensor:
    """The tokens at these places of each image: (B, T, W), int64 (B, K) -> (B, K, W)."""
    return tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[2]))


def normalised(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each patch less its mean, by its standard deviation; and those two: (B, N, P) -> (B, N, P), twice (B, N, 1)."""
    mean, variance = pixels.mean(2, keepdim=True), pixels.var(2, keepdim=True)
    deviation = (variance + 1e-6).sqrt()
    return (pixels - mean) / deviation, mean, deviation


def squared_error(painted: Tensor, targets: Tensor, hidden: Tensor) -> Tensor:
    """The mean over all pixels of hidden patches: (B, N, P) twice, float (B, N) of 1 and 0."""
    each = (painted.float() - targets).square().mean(2)
    return (each * hidden).sum() / hidden.sum()
