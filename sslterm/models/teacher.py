"""The teacher: a slow copy of the network that learns (papers also say momentum encoder, target, key encoder).

It starts as an exact copy, gets no gradient, and after every step moves a little toward the student:
teacher <- m * teacher + (1 - m) * student.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn


class Teacher(nn.Module):
    """A deep copy of `students`, applied one after the other.

    Only parameters follow. Batch norm stays in train mode and the running statistics come from the teacher's own
    batches, as in the papers' code.
    """

    def __init__(self, *students: nn.Module) -> None:
        super().__init__()
        self.copies = nn.Sequential(*(copy.deepcopy(student) for student in students)).requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        return self.copies(images)

    @torch.no_grad()
    def follow(self, *students: nn.Module, teacher_momentum: float) -> None:
        """One step toward `students`, the modules that it was made of, in the same order."""
        theirs: list[Tensor] = [weight for student in students for weight in student.parameters()]
        own: list[Tensor] = list(self.copies.parameters())
        assert len(own) == len(theirs)
        torch._foreach_lerp_(own, theirs, 1 - teacher_momentum)  # all weights in a few kernels


def rising(teacher_momentum: float, progress: float) -> float:
    """BYOL's "tau = 1 - (1 - tau_base) * (cos(pi k / K) + 1) / 2", from tau_base up to 1; `progress` is k / K."""
    return 1 - (1 - teacher_momentum) * (math.cos(math.pi * progress) + 1) / 2
