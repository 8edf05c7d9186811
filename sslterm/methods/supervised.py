"""Supervised learning: cross-entropy with the labels, on all of the network or on named parts of it.

Training from scratch (`train = "all"`), linear probe (`train = "head"`), partial unfreeze
(`train = ["layer4", "head"]`) and fine-tuning are all this method.
Shapes: B images, C channels, S side in pixels, D encoder features.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Beta

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features, parts
from sslterm.presets import Fraction, Names, NotNegative, Section


class Supervised(Method):
    """A linear head on the encoder. What is not trained stays exactly as it is, batch-norm statistics included."""

    uses_labels = True
    chart = "valid/top1"

    class Settings(Section):
        train: Names | str = "all"
        """`all`, `head`, or a list of parts: `head`, `encoder`, or the encoder's own, as in ["layer4", "head"]."""
        label_smoothing: Fraction = 0.0
        """The share of the target that is spread over all classes; Szegedy et al. 2015, 7, for ImageNet: 0.1."""
        mixup: NotNegative = 0.0
        """Blend each image with another, by a share from Beta(alpha, alpha): alpha of Zhang et al. 2018 (0.1 to 0.4 for
        ImageNet there, 0.8 in MAE's fine-tuning); 0: never."""
        cutmix: NotNegative = 0.0
        """Paste a box of another image into each, as large as a share from Beta(alpha, alpha) says: Yun et al. 2019,
        with alpha 1; 0: never. Where there is mixup too, each batch has one of them, by equal chance."""

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
        images, own = mixed(batch.views[0], self.settings.mixup, self.settings.cutmix)
        logits = self.head(self.encoder(images)).float()
        report = self._judged(logits, batch.labels)
        if own == 1.0:
            return report
        other = self._judged(logits, batch.labels.flip(0))
        return {name: own * value + (1 - own) * other[name] for name, value in report.items()}

    def _judged(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        loss = F.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
        return {"loss": loss, "top1": (logits.argmax(1) == labels).float().mean()}

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


def mixed(images: Tensor, mixup: float, cutmix: float) -> tuple[Tensor, float]:
    """Images with something of another in each, float (B, C, S, S), and the share of an image that is its own.

    The first meets the last, the second the last but one: a batch is shuffled, so that is chance, and all of it is
    mixed in one way. Draws on the CPU alone, so that no device is waited for.
    """
    if not mixup and not cutmix:
        return images, 1.0
    which, down, across = torch.rand(3).tolist()
    pastes = cutmix > 0 and (not mixup or which < 0.5)
    alpha = cutmix if pastes else mixup
    (own,) = Beta(alpha, alpha, validate_args=False).sample((1,)).tolist()
    if not pastes:
        return own * images + (1 - own) * images.flip(0), own
    top, bottom = edges(down, own, images.shape[2])
    left, right = edges(across, own, images.shape[3])
    images, others = images.clone(), images.flip(0)
    images[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return images, 1 - (bottom - top) * (right - left) / (images.shape[2] * images.shape[3])


def edges(middle: float, own: float, side: int) -> tuple[int, int]:
    """Where a box begins and ends that would leave a share of `own`; its middle is anywhere (0..1), and what would lie
    outside of the image is cut off."""
    at, half = int(middle * side), int(side * (1 - own) ** 0.5) // 2
    return max(at - half, 0), min(at + half, side)
