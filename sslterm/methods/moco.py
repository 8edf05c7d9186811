"""MoCo v2, Momentum Contrast: https://arxiv.org/abs/1911.05722 (He et al., 2019) with the head of
https://arxiv.org/abs/2003.04297 (Chen et al., 2020)

Among thousands of keys that a slow copy of the network made of other images, find the one of the same image.
Shapes: B images, C channels, S side in pixels, P projection features, K keys in the queue.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import features
from sslterm.models.heads import mlp
from sslterm.models.queue import Queue
from sslterm.models.split_batch_norm import split_batch_norm
from sslterm.models.teacher import Teacher
from sslterm.presets import Count, Fraction, Positive, Section


class MoCo(Method):
    """Queries from the student, keys from the teacher, a queue of earlier keys.

    The defaults are those of the authors' CIFAR-10 demo, except for the head: the demo's is "linear".
    """

    view_count = 2

    class Settings(Section):
        queue: Count = 4096
        """K, how many keys are remembered: 4096 for CIFAR-10, for ImageNet 65536."""
        teacher_momentum: Fraction = 0.99
        """m of "theta_k <- m theta_k + (1 - m) theta_q" (3.2): 0.99 for CIFAR-10, for ImageNet 0.999."""
        temperature: Positive = 0.1
        """0.1 for CIFAR-10; v2 for ImageNet: 0.2."""
        projection_dim: Count = 128
        """3.3: "a fixed-dimensional output (128-D)"."""
        projector: Literal["mlp", "linear"] = "mlp"
        """v2: "a 2-layer MLP head (hidden layer 2048-d, with ReLU)", no batch norm; v1 has one linear layer."""
        hidden_dim: Count | None = None
        """Width of the MLP's hidden layer; left out: as wide as the encoder, which for resnet50 is the paper's 2048."""
        symmetric: bool = False
        """Whether each view is once the query and once the key: the loss is the sum of both, the queue takes both."""
        bn_splits: Count = 8
        """3.3, shuffled batch norm: into how many parts, as if on so many devices, a batch is split; 1: not at all."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        width = features(encoder)
        hidden = [settings.hidden_dim or width] if settings.projector == "mlp" else []
        self.projector = mlp(width, *hidden, settings.projection_dim)
        if settings.bn_splits > 1:
            split_batch_norm(encoder, settings.bn_splits)
        self.teacher = Teacher(encoder, self.projector)
        self.queue = Queue(settings.queue, settings.projection_dim)  # noise at first: the loss starts near ln(K + 1)
        self.fresh: list[Tensor] = []  # this step's keys, until the step is over

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`top1` is the share of queries whose nearest key, of K + 1, is that of the same image."""
        first, second = batch.views
        pairs = [(first, second), (second, first)] if self.settings.symmetric else [(first, second)]
        self.fresh, losses, top1s = [], [], []
        for query_view, key_view in pairs:
            keys = self.keys(key_view)
            loss, top1 = info_nce(self.embed(query_view), keys, self.queue.rows, self.settings.temperature)
            self.fresh.append(keys)
            losses.append(loss)
            top1s.append(top1)
        return {"loss": torch.stack(losses).sum(), "top1": torch.stack(top1s).mean()}

    @torch.no_grad()
    def keys(self, images: Tensor) -> Tensor:
        """The teacher's normalised z, float32 (B, P), computed in random order.

        3.3: "we shuffle the sample order in the current mini-batch before distributing it among GPUs (and shuffle
        back after encoding)", so that a key's companions in batch norm are not those of its query.
        """
        if self.settings.bn_splits == 1:
            return F.normalize(self.teacher(images).float(), dim=1)
        order = torch.randperm(len(images), device=images.device)
        shuffled = self.teacher(images.index_select(0, order))
        return F.normalize(shuffled.index_select(0, order.argsort()).float(), dim=1)

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The teacher follows, and only now do this step's keys replace the oldest ones: no query, in the symmetric
        loss neither, ever finds a key of its own step among the negatives."""
        self.teacher.follow(self.encoder, self.projector, teacher_momentum=self.settings.teacher_momentum)
        for keys in self.fresh:
            self.queue.push(keys)
        self.fresh = []

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised."""
        return self.projector(self.encoder(images))

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot work with this batch size, as sentences."""
        found = []
        keys = batch_size * (2 if settings.symmetric else 1)
        if settings.queue % keys:
            found.append(
                f"queue = {settings.queue} is no multiple of the {keys} keys that a step makes; take "
                f"{max(1, round(settings.queue / keys)) * keys}, so that whole batches of keys leave at once"
            )
        if batch_size % settings.bn_splits:
            found.append(
                f"bn_splits = {settings.bn_splits} does not divide batch_size = {batch_size}; take "
                f"{_largest_divisor(batch_size, settings.bn_splits)}, or another batch size"
            )
        return found

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        share = batch_size // settings.bn_splits
        if settings.bn_splits > 1 and share < 8:
            return [
                f"bn_splits = {settings.bn_splits} leaves batch norm {share} images at a time, too few for good "
                f"statistics; take {max(1, _largest_divisor(batch_size, batch_size // 8))} or less"
            ]
        return []


def _largest_divisor(number: int, at_most: int) -> int:
    return next(n for n in range(min(number, at_most), 0, -1) if number % n == 0) if at_most else 1


def info_nce(z: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """InfoNCE (algorithm 1) of the queries' z (B, P) with normalised keys (B, P) and queue (K, P), and its top-1.

    B x (1 + K) logits; the first is the query's own key.
    """
    with torch.autocast(z.device.type, enabled=False):  # cosines over 0.1 need more than bf16's 8 bits
        queries = F.normalize(z.float(), dim=1)
        positive = (queries * keys).sum(1, keepdim=True)
        logits = torch.cat([positive, queries @ queue.T], dim=1) / temperature
    right = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
    return F.cross_entropy(logits, right), (logits.argmax(1) == right).float().mean()
