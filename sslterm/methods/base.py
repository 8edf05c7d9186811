"""What every method is: an encoder that is kept, parts that help it learn, and one forward pass that holds the loss.

Shapes: N images of a stage, B in a batch, C channels, S side in pixels, D encoder features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from sslterm.presets import Section

Report = dict[str, Tensor]
"""`loss`, a scalar, and what else is worth a chart, as detached scalars."""


@dataclass(frozen=True)
class Facts:
    """What is known of a stage's images before the first of them is seen."""

    classes: int
    """0: they have no labels."""
    images: int
    """N: how many the stage learns from."""
    channels: int
    size: int
    """Side of a whole view in pixels."""
    mean: tuple[float, ...]
    """Of each channel of a pixel between 0 and 1; views are (pixel - mean) / std."""
    std: tuple[float, ...]


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    views: tuple[Tensor, ...]
    """Each float (B, C, S, S), normalised; as many as the method asks for, and then the local ones with an S of their
    own."""
    labels: Tensor
    """int64 (B,); -1 where an image has none, and always for methods that must not look."""
    indices: Tensor
    """int64 (B,), 0..N-1: which of the stage's images these are."""
    step: int = 0
    """How many steps of the stage came before."""
    progress: float = 0.0
    """The share of the stage that they are, 0..1."""


class Look(Protocol):
    """What a method may see and do between epochs; no gradients, no random views."""

    def outputs(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """What a function of the method says of images as evaluation sees them: (B, C, S, S) -> (B, K); all of it in
        eval mode. float32 (N, K) on the CPU."""

    def restart(self, part: nn.Module) -> None:
        """Forget what the optimizer remembers of a part: its weights were drawn anew."""


class Method(nn.Module):
    """One way to learn. A subclass has a `Settings`, builds its parts in `__init__` and says its loss in `forward`.

    Whatever the method must remember (queues, teachers, centroids) is a parameter or a registered buffer, made in
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
    needs: ClassVar[str | None] = None
    """The method of the stage that must come right before; what that one trained under this very name is taken over
    (`self.tokenizer` of a stage with method `tokenizer`). A setting that both methods have must be the same."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__()
        self.encoder = encoder
        self.settings = settings
        self.facts = facts

    # -------------------------------------------------------- a step

    def forward(self, batch: Batch) -> Report:
        """What is learned from a batch. Never synchronises the device."""
        raise NotImplementedError

    def turns(self) -> Sequence[Callable[[Batch], Report]]:
        """What is learned from a batch, one after another; behind each, the weights move that its loss reached.

        One turn, `forward`, unless parts learn against each other. Where there are several, `train/loss` is their sum.
        """
        return (self,)

    def after_step(self, progress: float) -> None:
        """Called once the optimizer has moved; `progress` is the share of the stage that is done, 0..1."""

    def trained(self) -> dict[str, nn.Module]:
        """The parts that the optimizer moves, by the name that `optimizer.lr` and progress know them by."""
        return {name: part for name, part in self.named_children() if any(p.requires_grad for p in part.parameters())}

    constant_lr: ClassVar[frozenset[str]] = frozenset()
    """Parts whose learning rate the schedule leaves alone."""

    # -------------------------------------------------------- an epoch

    def before_epoch(self, look: Look) -> None:
        """Called before the first step of each epoch, with all N images to look at. What it finds out, buffers keep."""

    def shares(self) -> Tensor | None:
        """How often each image is drawn in an epoch, relative to the others: float (N,); None: each once."""
        return None

    def measure(self, look: Look) -> dict[str, float]:
        """What is worth a chart and too slow for a step, by its full name (`frechet/distance`); called every
        `monitor.every` epochs, with at most `monitor.queries` images that are not trained on, where there are any."""
        return {}

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """What the method paints of images, or out of nothing, by what it is: float (B, C, S, S) -> (any, C, S, S),
        normalised as they are."""
        return {}

    # -------------------------------------------------------- what is said before and asked after training

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch: sentences that begin with the setting's name."""
        return []

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works with such a batch but hardly well: sentences likewise."""
        return []

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
