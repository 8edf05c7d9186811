"""A queue of rows of earlier steps, from newest to forgotten: MoCo's keys, NNCLR's support set."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Queue(nn.Module):
    """The last `length` rows of `width`, on the unit sphere, float32. All of it is in the state.

    It begins as noise on the sphere, so that the first steps have a full queue too.
    """

    rows: Tensor
    oldest: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", F.normalize(torch.randn(length, width), dim=1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.rows)

    @staticmethod
    def objections(length: int, batch_size: int) -> list[str]:
        """Why a method's `queue` of this length cannot take one row of each image: a sentence, or none."""
        if length % batch_size == 0:
            return []
        nearest = max(1, round(length / batch_size)) * batch_size
        return [
            f"queue = {length} is no multiple of batch_size = {batch_size}; take {nearest}, so that whole batches"
            " leave at once"
        ]

    @torch.no_grad()
    def push(self, rows: Tensor) -> None:
        """These rows, float (n, width), take the place of the n oldest. The place is counted on the device, so that
        nothing waits for it."""
        places = (self.oldest + torch.arange(len(rows), device=rows.device)) % len(self)
        self.rows.index_copy_(0, places, rows.detach().float())
        self.oldest.add_(len(rows)).remainder_(len(self))
