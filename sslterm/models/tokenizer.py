"""A tokenizer, which says each patch of an image with one of K codes: VQ-VAE (van den Oord et al., 2017).

https://arxiv.org/abs/1711.00937. Section 4.1 has two strided convolutions, which makes patches of 4 x 4; here there are
as many as halve the side of a patch to one pixel.
Shapes: B images, C channels, S side in pixels, R x R patches, D width of a code, K codes, M = B R R rows.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.models.vit import VisionTransformer


class VQVAE(nn.Module):
    """Images to codes and back. `patch` is a power of two, and `width` the channels of the convolutions on patches; on
    each finer grid they are half as many, as in the authors' example."""

    def __init__(self, channels: int, patch: int, codes: int, code_dim: int, width: int) -> None:
        super().__init__()
        halvings = patch.bit_length() - 1
        assert patch == 2**halvings, patch
        widths = [max(width >> finer, 1) for finer in reversed(range(halvings))]
        down, up = [channels, *widths], [*reversed(widths), channels]
        self.encoder = nn.Sequential(
            *(layer for a, b in pairwise(down) for layer in (nn.Conv2d(a, b, 4, stride=2, padding=1), nn.ReLU())),
            *(Residual(down[-1]), Residual(down[-1]), nn.ReLU()),
            nn.Conv2d(down[-1], code_dim, 1),
        )
        self.codebook = Codebook(codes, code_dim)
        self.decoder = nn.Sequential(
            nn.Conv2d(code_dim, up[0], 3, padding=1),
            *(Residual(up[0]), Residual(up[0])),
            *(
                layer
                for a, b in pairwise(up)
                for layer in (nn.ReLU(), nn.ConvTranspose2d(a, b, 4, stride=2, padding=1))
            ),
        )

    def encode(self, images: Tensor) -> Tensor:
        """What the codes are to stand for: (B, C, S, S) -> float32 (B, R, R, D)."""
        return self.encoder(images).permute(0, 2, 3, 1).float()

    def decode(self, codes: Tensor) -> Tensor:
        """(B, R, R, D) -> images (B, C, S, S), normalised as those that went in."""
        return self.decoder(codes.permute(0, 3, 1, 2))

    def tokens(self, images: Tensor) -> Tensor:
        """The number of the code of each patch, row by row: (B, C, S, S) -> int64 (B, R * R)."""
        return self.codebook.nearest(self.encode(images).flatten(0, 2)).view(len(images), -1)

    def forward(self, images: Tensor) -> Tensor:
        """What is left of images when each patch is a code: (B, C, S, S) -> (B, C, S, S)."""
        z = self.encode(images)
        return self.decode(self.codebook.codes[self.codebook.nearest(z.flatten(0, 2))].view_as(z))


class Codebook(nn.Module):
    """K codes, and how often each was used of late. Both are buffers: averages move them, not an optimizer."""

    codes: Tensor
    uses: Tensor

    def __init__(self, codes: int, code_dim: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.randn(codes, code_dim))
        self.register_buffer("uses", torch.zeros(codes))

    def nearest(self, rows: Tensor) -> Tensor:
        """Equation 1, the number of the code that is nearest to each row: float32 (M, D) -> int64 (M,)."""
        with torch.autocast(rows.device.type, enabled=False):
            # The rows' own squares are the same for all codes.
            return (self.codes.square().sum(1) - 2 * rows @ self.codes.T).argmin(1)

    @torch.no_grad()
    def follow(self, rows: Tensor, tokens: Tensor, decay: float) -> None:
        """Appendix A.1: each code becomes the moving average of the rows (M, D) that it was nearest to.

        Equations 6 to 8 with the sum of rows written as uses times code; so a code that none was nearest to stays, and
        the very first rows count in full.
        """
        with torch.autocast(rows.device.type, enabled=False):
            # A product and no index_add, whose order of adding, and so the last bit, is left to chance on a GPU.
            chosen = (tokens[:, None] == torch.arange(len(self.codes), device=tokens.device)).float()
            counts = chosen.sum(0)
            self.uses.lerp_(counts, 1 - decay)
            change = chosen.T @ rows - counts[:, None] * self.codes
            self.codes.add_((1 - decay) * change / self.uses.clamp(min=1e-12)[:, None])

    @torch.no_grad()
    def restart(self, rows: Tensor, share: float) -> None:
        """Codes that are used at most `share` as often as the mean one take rows (M, D) at random, and are thought to
        be used like the mean: so they have time to be found. Nobody has used any before the first step."""
        mean = self.uses.mean()
        idle = self.uses <= share * mean
        places = torch.randperm(len(rows), device=rows.device)
        some = rows[places[torch.arange(len(self.codes), device=rows.device) % len(rows)]]
        self.codes.copy_(torch.where(idle[:, None], some, self.codes))
        self.uses.copy_(torch.where(idle, mean, self.uses))


class Residual(nn.Module):
    """ReLU, 3x3 convolution, ReLU, 1x1 convolution, and the way around them: (B, W, R, R) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.conv2(F.relu(self.conv1(F.relu(maps))))


def patch_of(encoder: nn.Module, who: str) -> int:
    """Side of the encoder's patches. Raises ValueError where it has none, or one that no halving brings to 1."""
    if not isinstance(encoder, VisionTransformer):
        raise ValueError(f"encoder.name: {who} needs the patches of a vit; take one, as in vit-tiny")
    if encoder.patch & (encoder.patch - 1):
        raise ValueError(f"encoder.patch: {encoder.patch} is no power of two, by which {who} takes images apart")
    return encoder.patch
