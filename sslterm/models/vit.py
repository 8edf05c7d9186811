"""Vision transformers (Dosovitskiy et al., 2020), as masked autoencoders have them (He et al., 2021).

https://arxiv.org/abs/2010.11929, https://arxiv.org/abs/2111.06377. An image is a sequence of patches. Where a patch
lies, fixed sines and cosines tell, made for whatever grid comes: so views of several sizes go through one network.
Shapes: B images, C channels, S side in pixels, N patches of an image, T tokens, W the width of a token, D = W features.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZES = {"vit-micro": (128, 4, 4), "vit-tiny": (192, 12, 3), "vit-small": (384, 12, 6), "vit-base": (768, 12, 12)}
"""Width, depth and heads: small and base are those of DeiT (Touvron et al. 2020, table 1), and so is tiny; micro is for
demonstrations on a CPU."""
EPSILON = 1e-6
"""Of layer norm."""


class VisionTransformer(nn.Module):
    """float (B, C, S, S) -> h, float (B, D), for any side that patches divide.

    The parts, from the image upward: `patch_embed`, `block1` .. `block<depth>`, `norm`; and `cls_token`, a vector of
    its own. Methods that mask take the way in pieces: `placed`, `encode`.
    """

    cls_token: nn.Parameter

    def __init__(
        self, name: str, channels: int, patch: int, pool: Literal["mean", "cls"] = "mean", drop_path: float = 0.0
    ) -> None:
        """`name` is a key of `SIZES`."""
        super().__init__()
        width, self.depth, heads = SIZES[name]
        self.features, self.patch, self.pool = width, patch, pool
        self.patch_embed = nn.Conv2d(channels, width, patch, stride=patch)
        for place in range(1, self.depth + 1):
            self.add_module(f"block{place}", Block(width, heads))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.cls_token = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.cls_token, std=0.02)
        self.apply(initialise)
        self.set_drop_path(drop_path)

    def set_drop_path(self, highest: float) -> None:
        """Stochastic depth (Huang et al. 2016): how often a block of an image is left out in training, from never in
        the first block, linearly, to `highest` in the last."""
        for place, block in enumerate(self.blocks):
            block.drop_path = highest * place / max(self.depth - 1, 1)

    @property
    def blocks(self) -> list[Block]:
        """From the image upward."""
        return [block for block in self.children() if isinstance(block, Block)]

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.encode(self.placed(images))
        return tokens[:, 0] if self.pool == "cls" else tokens[:, 1:].mean(1)

    def placed(self, images: Tensor, hidden: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Each patch as a token that knows its place: float (B, C, S, S) -> (B, N, W). Of those that are `hidden`, bool
        (B, N), only the place is known: `mask`, (W,), stands for them."""
        tokens = self.patches(images)
        if hidden is not None and mask is not None:
            tokens = torch.where(hidden[..., None], mask.to(tokens.dtype), tokens)
        return tokens + self.positions(*self.grid(images))

    def grid(self, images: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""
        height, width = images.shape[-2:]
        return height // self.patch, width // self.patch

    def patches(self, images: Tensor) -> Tensor:
        """Each patch as a token, row by row, that does not know its place: float (B, C, S, S) -> (B, N, W)."""
        return self.patch_embed(images).flatten(2).transpose(1, 2)

    def positions(self, rows: int, columns: int) -> Tensor:
        """What is added to the tokens of a grid of patches: float32 (rows * columns, W)."""
        return positions(rows, columns, self.features, self.cls_token.device)

    def encode(self, tokens: Tensor) -> Tensor:
        """The class token, which has no place, before these tokens; then all blocks, and the norm behind them.

        float (B, N', W), any number of tokens that know their places -> (B, 1 + N', W).
        """
        tokens = torch.cat([self.cls_token.to(tokens.dtype).expand(len(tokens), 1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)


class Block(nn.Module):
    """Attention and a two-layer network, each behind a norm and beside a way around it: float (B, T, W) -> the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop_path = 0.0

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self._dropped(self._attended(self.norm1(tokens)))
        return tokens + self._dropped(self.mlp(self.norm2(tokens)))

    def _attended(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        q, k, v = self.qkv(tokens).view(count, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(attention(q, k, v).transpose(1, 2).reshape(count, length, width))

    def _dropped(self, change: Tensor) -> Tensor:
        """Left out for some images in training, and so much larger for all others that its mean stays."""
        if not self.training or not self.drop_path:
            return change
        kept = torch.rand(len(change), 1, 1, device=change.device) >= self.drop_path
        return change * kept / (1 - self.drop_path)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(width)) v: each float (B, heads, T, width of a head) -> the same."""
    if q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # The way back through torch's fused attention takes a CPU several times as long in bf16.
        return (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1) @ v
    return F.scaled_dot_product_attention(q, k, v)


@lru_cache(maxsize=64)
def positions(rows: int, columns: int, width: int, device: torch.device) -> Tensor:
    """Fixed 2-d sines and cosines for a grid of patches, row by row: float32 (rows * columns, width).

    As in the authors' code: the first half of the width tells the column, the other half the row; of each half, sines
    at width / 4 frequencies from 1 to 1 / 10,000, then cosines at the same. Made once for each grid.
    """
    with torch.inference_mode(False):
        quarter = width // 4
        frequencies = 10000 ** -(torch.arange(quarter, dtype=torch.float64) / quarter)
        down, across = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        angles = [place.reshape(-1, 1) * frequencies for place in (across, down)]
        return torch.cat([wave for angle in angles for wave in (angle.sin(), angle.cos())], 1).float().to(device)


def initialise(layer: nn.Module) -> None:
    """Xavier for all matrices, the embedding of patches as if it were one; biases 0, norms 1."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight.view(len(layer.weight), -1))
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)


# ---------------------------------------------------------------- pixels


def patchify(images: Tensor, patch: int) -> Tensor:
    """The pixels of each patch, patches row by row: (B, C, S, S) -> (B, N, patch * patch * C), the channels of one
    pixel side by side."""
    count, channels, height, width = images.shape
    grid = images.reshape(count, channels, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 3, 5, 1).reshape(count, -1, patch * patch * channels)


def unpatchify(pixels: Tensor, patch: int, rows: int, columns: int) -> Tensor:
    """Images out of patches, what `patchify` began with: (B, rows * columns, patch * patch * C) -> (B, C, S, S)."""
    grid = pixels.reshape(len(pixels), rows, columns, patch, patch, -1)
    return grid.permute(0, 5, 1, 3, 2, 4).reshape(len(pixels), -1, rows * patch, columns * patch)
