"""DINO, self-distillation with no labels (Caron et al., 2021): https://arxiv.org/abs/2104.14294

Foretell, from any view of an image, the distribution that a slow copy of the network makes of another, whole view;
centring and sharpening it keeps both from saying the same of all images.
Shapes: B images, V views of which the first two are whole, D encoder features, P bottleneck features, K prototypes.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Method
from sslterm.models.encoders import encoded, features
from sslterm.models.heads import mlp
from sslterm.models.teacher import Teacher, rising
from sslterm.presets import Count, Fraction, Positive, Section, Whole

WHOLE = 2
"""Views that the teacher sees; the local ones are the student's alone."""


class DINO(Method):
    """Student: encoder, projector (an MLP with a bottleneck), prototypes. Teacher: a slow copy of all three.

    As in the authors' code: GELU in the projector; views of one size go through an encoder together, and all of them
    through the projector at once. Differs from it: no schedule of the weight decay; and `clip_norm` shortens all
    gradients together, where theirs shortens each weight's by itself.
    """

    view_count = WHOLE
    takes_local_views = True

    class Settings(Section):
        prototypes: Count = 65536
        """K, `out_dim` in the authors' code: 65,536 for ImageNet; public CIFAR-10 recipes: 2,048 and 4,096."""
        temperature: Positive = 0.1
        """tau_s, the student's: 0.1 in the paper."""
        teacher_temperature: Positive = 0.04
        """tau_t, the teacher's: 0.04 in the authors' code, which calls more than 0.07 unstable; 0.07 in the paper."""
        warmup_teacher_temperature: Positive = 0.04
        """tau_t at first: 0.04."""
        teacher_temperature_warmup: Whole = 0
        """Steps in which tau_t goes from that to its own value; 30 epochs in the paper, 0 in the authors' code."""
        teacher_momentum: Fraction = 0.996
        """lambda at first: 0.996; the authors advise more for small batches, as 0.9995 for 256."""
        teacher_schedule: Literal["cosine", "constant"] = "cosine"
        """cosine: rises to 1 as in the paper; constant: a short public run on CIFAR-10 keeps 0.99."""
        centre_momentum: Fraction = 0.9
        """m of equation 4: 0.9."""
        frozen: Whole = 1251
        """Steps that the student's prototypes stand still at first: an epoch, which is 1,251 steps of ImageNet."""
        projector_layers: Count = 3
        """Linear layers of the projector: 3; public CIFAR-10 recipes: 2."""
        hidden_dim: Count = 2048
        """Width of its hidden layers."""
        bottleneck_dim: Count = 256
        """P, width of its last layer, which is normalised."""
        hidden_norm: bool = False
        """Batch norm on the hidden layers, `use_bn_in_head` in the authors' code: for convolutional encoders."""

    centre: Tensor

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        super().__init__(encoder, settings, facts)
        hidden, narrow = [settings.hidden_dim] * (settings.projector_layers - 1), settings.bottleneck_dim
        self.projector = mlp(features(encoder), *hidden, narrow, hidden_norm=settings.hidden_norm, gelu=True)
        self.projector.apply(begin)
        self.prototypes = Prototypes(narrow, settings.prototypes)
        self.teacher = Teacher(encoder, self.projector, self.prototypes)
        self.register_buffer("centre", torch.zeros(settings.prototypes))
        self.fresh: Tensor | None = None  # the mean of the teacher's scores in this step, until the step is over

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        if settings.teacher_temperature < settings.temperature:
            return []
        return [
            f"teacher_temperature = {settings.teacher_temperature:g} is no sharper than the student's temperature ="
            f" {settings.temperature:g}, so that both may come to say the same of all images; take 0.04"
        ]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Equation 3, the mean over all pairs of a view that the teacher saw and another one; near ln K at first.

        `entropy` is that of the teacher's distributions, `kl` what the student lacks of them. A kl near 0 is collapse:
        to one prototype where the entropy is 0 too, to all of them alike where it is ln K.
        """
        z = self._projected(batch.views)
        scores = self.prototypes(z, frozen=batch.step < self.settings.frozen).split(len(batch.indices))
        seen = self.teacher(torch.cat(batch.views[:WHOLE]))
        targets = sharpened(seen, self.centre, self.teacher_temperature(batch.step))
        losses = [
            cross_entropy(target, scores[other], self.settings.temperature)
            for which, target in enumerate(targets.split(len(batch.indices)))
            for other in range(len(scores))
            if other != which
        ]
        self.fresh = seen.mean(0)
        loss, entropy = torch.stack(losses).mean(), torch.special.entr(targets).sum(1).mean()
        return {"loss": loss, "entropy": entropy, "kl": loss.detach() - entropy}

    def teacher_temperature(self, step: int) -> float:
        """tau_t of a step."""
        first, last, steps = (
            self.settings.warmup_teacher_temperature,
            self.settings.teacher_temperature,
            self.settings.teacher_temperature_warmup,
        )
        return first + (last - first) * step / steps if step < steps else last

    def _projected(self, views: tuple[Tensor, ...]) -> Tensor:
        """z of all views, (V * B, P). Views of one size are one batch for batch norm; the projector sees all."""
        return self.projector(encoded(self.encoder, views))

    def after_step(self, progress: float) -> None:
        """Teacher and centre follow, the centre only now that it was used."""
        m = self.settings.teacher_momentum
        if self.settings.teacher_schedule == "cosine":
            m = rising(m, progress)
        self.teacher.follow(self.encoder, self.projector, self.prototypes, teacher_momentum=m)
        if self.fresh is not None:  # equation 4
            self.centre.lerp_(self.fresh, 1 - self.settings.centre_momentum)
            self.fresh = None

    def embed(self, images: Tensor) -> Tensor:
        """z, float (B, P), not normalised, whose directions the prototypes compare."""
        return self.projector(self.encoder(images))


class Prototypes(nn.Module):
    """The last layer: K directions, and how near z comes to each. Without bias, weight-normalised, of norm 1."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(nn.Linear(width, count, bias=False).weight.detach())

    def forward(self, z: Tensor, frozen: bool = False) -> Tensor:
        """Scores, float32 (B, K) between -1 and 1, of z (B, P)."""
        # Detached, they get no gradient at all, and so no momentum or decay moves them either.
        directions = self.directions.detach() if frozen else self.directions
        with torch.autocast(z.device.type, enabled=False):  # cosines over 0.04 need more than bf16's 8 bits
            return F.normalize(z.float(), dim=1) @ F.normalize(directions, dim=1).T


def begin(layer: nn.Module) -> None:
    """The authors' first weights of the projector: narrow, without bias."""
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def sharpened(scores: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """What the teacher says: its scores (B, K), float32, less their centre (K,), as distributions (B, K)."""
    return F.softmax((scores - centre) / temperature, dim=1)


def cross_entropy(targets: Tensor, scores: Tensor, temperature: float) -> Tensor:
    """H(P_t, P_s) of equation 2 between distributions (B, K) and the student's scores (B, K), mean over the batch."""
    return -(targets * F.log_softmax(scores / temperature, dim=1)).sum(1).mean()
