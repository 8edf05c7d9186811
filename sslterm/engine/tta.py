"""Test-time augmentation: the mean of what a network says of several versions of the same images.

Each way is written with the one before. The mean is of probabilities (Krizhevsky et al. 2012, 4.1: "averaging the
predictions made by the network's softmax layer"), every version with the same weight; several scales as in Simonyan &
Zisserman 2015 (4.2, multi-scale evaluation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

Predict = Callable[[bool, int | None], Tensor]
"""(flip, scale) -> probabilities (N, classes) of the images in that version; scale None is the ordinary one."""


def plain(predict: Predict, scale: int | None = None) -> Tensor:
    """The images as they are."""
    return predict(False, scale)


def flipped(predict: Predict, scale: int | None = None) -> Tensor:
    """The images and their mirror images: 0.5 and 0.5."""
    return 0.5 * plain(predict, scale) + 0.5 * predict(True, scale)


def scaled(predict: Predict, scales: Sequence[int]) -> Tensor:
    """The images and their mirror images at their ordinary scale and at every other: each with the same weight."""
    return sum((flipped(predict, scale) for scale in scales), flipped(predict)) / (1 + len(scales))


def predicted(predict: Predict, tta: bool, scales: Sequence[int] = ()) -> Tensor:
    """What was asked for: scales are added to the ordinary one, each with its mirror images."""
    if scales:
        return scaled(predict, scales)
    return flipped(predict) if tta else plain(predict)
