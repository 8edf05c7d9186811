"""What every method is: an encoder that is kept, parts that help it learn, and one forward pass that holds the loss.

Shapes: B images, C channels, S side in pixels, D encoder features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from sslterm.presets import Section


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    views: tuple[Tensor, ...]
    """Each float (B, C, S, S), normalised; as many as the method asks for, and then the local ones with an S of their
    own."""
    labels: Tensor
    """int64 (B,); -1 where an image has none, and always for methods that must not look."""
    indices: Tensor
    """int64 (B,): which images of the data set these are."""


class Method(nn.Module):
    """One way to learn. A subclass has a `Settings`, builds its parts in `__init__` and says its loss in `forward`.

    Whatever the method must remember (queues, teachers, counters) is a parameter or a registered buffer, made in
    `__init__`, so that a checkpoint holds all of it.
    """

    class Settings(Section):
        """What `[method]` may say beside its name."""

    view_count: ClassVar[int] = 1
    takes_local_views: ClassVar[bool] = False
    """Whether `views.local.count` more views, smaller ones, may come behind those (multi-crop)."""
    uses_labels: ClassVar[bool] = False
    chart: ClassVar[str] = "knn/top1"
    """The metric that says how good a checkpoint is, unless the preset names another."""

    def __init__(self, encoder: nn.Module, settings: Any, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.settings = settings
        self.classes = classes

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`{"loss": scalar}` and what else is worth a chart, as detached scalars. Never synchronises the device."""
        raise NotImplementedError

    def trained(self) -> dict[str, nn.Module]:
        """The parts that the optimizer moves, by the name that `optimizer.lr` and progress know them by."""
        return {name: part for name, part in self.named_children() if any(p.requires_grad for p in part.parameters())}

    constant_lr: ClassVar[frozenset[str]] = frozenset()
    """Parts whose learning rate the schedule leaves alone."""

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch: sentences that begin with the setting's name."""
        return []

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works with such a batch but hardly well: sentences likewise."""
        return []

    def after_step(self, progress: float) -> None:
        """Called once the optimizer has moved; `progress` is the share of the stage that is done, 0..1."""

    def embed(self, images: Tensor) -> Tensor:
        """What the loss compares, for looking at its health: float (B, C, S, S) -> (B, D)."""
        return self.encoder(images)

    @classmethod
    def classifies(cls) -> bool:
        """Whether the method has a head for the data set's classes."""
        return cls.classify is not Method.classify

    def classify(self, images: Tensor) -> Tensor | None:
        """Logits (B, classes) of the data set's classes, or None where the method has no such head."""
        return None
