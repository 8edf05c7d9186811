"""Supervised learning: cross-entropy with the labels, on all of the network or on named parts of it.

Training from scratch (`train = "all"`), linear probe (`train = "head"`), partial unfreeze
(`train = ["layer4", "head"]`) and fine-tuning are all this method.
Shapes: B images, C channels, S side in pixels, D encoder features.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features, parts
from sslterm.presets import Fraction, Names, Section


class Supervised(Method):
    """A linear head on the encoder. What is not trained stays exactly as it is, batch-norm statistics included."""

    uses_labels = True
    chart = "valid/top1"

    class Settings(Section):
        train: Names | str = "all"
        """`all`, `head`, or a list of parts: `head`, `encoder`, or the encoder's own, as in ["layer4", "head"]."""
        label_smoothing: Fraction = 0.0
        """The share of the target that is spread over all classes; Szegedy et al. 2015, 7, for ImageNet: 0.1."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where `train` names no part, or the data have no classes."""
        super().__init__(encoder, settings, facts)
        if facts.classes < 1:
            raise ValueError("method.name: supervised learning needs labels, and these data have no classes")
        self.head = nn.Linear(features(encoder), facts.classes)
        self.chosen = chosen(settings.train, encoder)
        self.requires_grad_(False)
        for part in self.trained().values():
            part.requires_grad_(True)
        self.train()

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.head(self.encoder(batch.views[0])).float()
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=self.settings.label_smoothing)
        return {"loss": loss, "top1": (logits.argmax(1) == batch.labels).float().mean()}

    def trained(self) -> dict[str, nn.Module]:
        """The chosen parts: `encoder` as one where all of it is chosen, else its own parts by name."""
        known = {"encoder": self.encoder, **parts(self.encoder), "head": self.head}
        return {name: part for name, part in known.items() if name in self.chosen}

    def train(self, mode: bool = True) -> Supervised:
        """Only what is trained enters train mode: elsewhere batch-norm statistics stay and nothing is dropped."""
        super().train(False)
        self.training = mode
        for part in self.trained().values():
            part.train(mode)
        return self

    def classify(self, images: Tensor) -> Tensor:
        return self.head(self.encoder(images))


def chosen(train: str | tuple[str, ...], encoder: nn.Module) -> frozenset[str]:
    """The names of the parts that learn. Raises ValueError with a sentence where one is unknown, or none is left."""
    names = frozenset([train] if isinstance(train, str) else train)
    own = list(parts(encoder))
    unknown = sorted(names - {"all", "encoder", "head", *own})
    if unknown or not names:
        what = f"{unknown[0]!r} is no part of this network" if unknown else "an empty list trains nothing"
        raise ValueError(f'method.train: {what}; say "all", or a list of {", ".join(["head", "encoder", *own])}')
    if "all" in names:
        return frozenset({"encoder", "head"})
    return names - frozenset(own) if "encoder" in names else names
