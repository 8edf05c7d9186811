"""A data set: its labels, its statistics, and batches of its images wherever these are kept.

Shapes: N images (train images first, then the data set's own test images), B in a batch, C channels, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dataset:
    """N square images, uint8, indexed by int64 tensors; splits are index tensors into it."""

    name: str
    classes: tuple[str, ...]
    """Empty when unlabelled."""
    labels: Tensor
    """int64 (N,), -1 = no label."""
    first_test: int
    """Images from here on are the data set's own test images; N where it has none."""
    channels: int
    """1 or 3."""
    size: int
    """Side in pixels."""
    mean: tuple[float, ...]
    """Of each channel, 0..1, over the train images (index below first_test)."""
    std: tuple[float, ...]
    fingerprint: str
    """Hex: which images these are; the same wherever they lie, cached or streamed."""

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
        """uint8 (B, C, S, S) on `device`, one for each int64 (B,) index tensor of `order`.

        On a CPU, each may be written over when the next one is asked for.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class MemoryDataset(Dataset):
    """All images as one tensor: mapped from the cache, and kept on the GPU where it has room."""

    images: Tensor
    """uint8 (N, C, S, S) on the CPU."""
    _resident: dict[torch.device, Tensor | None] = field(default_factory=dict, repr=False, compare=False)

    def batches(self, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
        resident = self._on(device)
        for indices in order:
            if resident is not None:
                yield resident.index_select(0, indices.to(device, non_blocking=True))
            else:
                batch = self.images.index_select(0, indices.cpu())
                yield moved(batch, device)

    def _on(self, device: torch.device) -> Tensor | None:
        """The whole data set on a GPU, if it takes at most half of the memory that is free; asked once a device."""
        if device.type != "cuda":
            return None
        if device not in self._resident:
            free, _ = torch.cuda.mem_get_info(device)
            self._resident[device] = self.images.to(device) if self.images.nbytes <= free // 2 else None
        return self._resident[device]


def moved(batch: Tensor, device: torch.device) -> Tensor:
    """To the device, without waiting for the copy where that is possible."""
    if device.type == "cuda" and len(batch):
        return batch.pin_memory().to(device, non_blocking=True)
    return batch.to(device)
