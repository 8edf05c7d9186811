"""Rotation prediction (Gidaris, Singh & Komodakis, 2018): https://arxiv.org/abs/1803.07728

Turn each image by 0, 90, 180 and 270 degrees and tell which turn it was: who can tell knows what things look like.
Shapes: B images, C channels, S side in pixels, D encoder features.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.presets import Section

TURNS = 4


class Rotation(Method):
    """A linear head with four classes, one for each quarter turn. The loss starts near ln 4 = 1.386."""

    class Settings(Section):
        """Nothing to set: the four turns are the method."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        self.head = nn.Linear(features(encoder), TURNS)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`top1` is the share of turns that were told right. The encoder sees 4B images at once."""
        images, turns = quarter_turns(batch.views[0])
        logits = self.head(self.encoder(images)).float()
        return {"loss": F.cross_entropy(logits, turns), "top1": (logits.argmax(1) == turns).float().mean()}


def quarter_turns(images: Tensor) -> tuple[Tensor, Tensor]:
    """All four turns of each image: (B, C, S, S) -> (4B, C, S, S) and which turn each is, int64 (4B,).

    In the order of turns: first all images as they are, then all turned by 90 degrees (counter-clockwise), by 180, by
    270. The turns move pixels and compute none. The paper finds "significant improvement when during
    training we train the network by feeding it all the four rotated copies of an image simultaneously" instead of one
    random turn of each.
    """
    turned = torch.cat([torch.rot90(images, turn, (-2, -1)) for turn in range(TURNS)])
    return turned, torch.arange(TURNS, device=images.device).repeat_interleave(len(images))
