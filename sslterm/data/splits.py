"""Which images train, validate and test: the same for every run with the same seed.

All splits follow from one random order of the images: each takes, class by class, those that come first among what
the splits before it have left. So another share of labels changes neither `valid` nor `test`, and 5 % of the labels
are among the 10 %.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sslterm.data.catalog import DataError
from sslterm.presets import Data

FIFTH = 0.2
"""How much is held out for testing where a data set has no test images of its own."""
DEFAULT_LABELED = Data.model_fields["labeled"].default


def split(settings: Data, labels: Tensor, first_test: int, seed: int) -> dict[str, Tensor]:
    """Sorted int64 indices of `train`, `valid`, `test`, `labeled` and `unlabeled`; train is the last two together.

    `labels`: int64 (N,), -1 = none; images from `first_test` on are the data set's own test images.
    Amounts: a whole number counts images, a number with a point is a share of them; all stratified.
    - `test` is of the own test images, or where there are none of all images; then 1.0 (left out) means a fifth.
    - `valid` is of the remaining training images, `train` of what it leaves, `labeled` of `train`.
    - Images without a label are always in `train` and `unlabeled`, on top of these amounts; where no image has a
      label, `train` is an amount of them and `valid`, `test` and `labeled` are empty.
    Raises DataError: more than there are, nothing left to train on, a class without a labeled image.
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    ours = order[order < first_test]
    known, unknown = ours[labels[ours] >= 0], ours[labels[ours] < 0]
    nothing = order[:0]
    if not len(known):
        train, _ = _taken(settings.train, unknown, labels, "train", "images")
        return _sorted(train=_some(train), valid=nothing, test=nothing, labeled=nothing, unlabeled=train)

    if first_test < len(labels):
        own = order[(order >= first_test) & (labels[order] >= 0)]
        test, _ = _taken(settings.test, own, labels, "test", "test images")
    else:
        amount = FIFTH if settings.test == 1.0 and isinstance(settings.test, float) else settings.test
        test, known = _taken(amount, known, labels, "test", "images")
    valid, known = _taken(settings.valid, known, labels, "valid", "training images")
    train, _ = _taken(settings.train, known, labels, "train", "training images after data.valid")
    labeled, rest = _labeled(settings, train, labels)
    unlabeled = torch.cat([rest, unknown])
    return _sorted(
        train=_some(torch.cat([train, unknown])), valid=valid, test=test, labeled=labeled, unlabeled=unlabeled
    )


def _taken(amount: float, order: Tensor, labels: Tensor, key: str, what: str) -> tuple[Tensor, Tensor]:
    """The first of each class in `order`, as many as `amount` says, and the others, both still in order."""
    count = _count(amount, len(order), key, what)
    return _first(order, labels, apportioned(torch.bincount(labels[order] + 1), count))


def _count(amount: float, there: int, key: str, what: str) -> int:
    """How many an amount is: a whole number itself, else a share rounded to the nearest."""
    count = amount if isinstance(amount, int) else int(amount * there + 0.5)
    if count > there:
        raise DataError(f"asks for {count:,} {what}, but there are {there:,}", f"data.{key}")
    return count


def apportioned(sizes: Tensor, count: int) -> Tensor:
    """`count` divided in proportion to the int64 `sizes` by largest remainders; the first of equals wins."""
    total = int(sizes.sum())
    if not total:
        return torch.zeros_like(sizes)
    shares, remainders = sizes * count // total, sizes * count % total
    missing = count - int(shares.sum())
    shares[remainders.argsort(descending=True, stable=True)[:missing]] += 1
    return shares


def _first(order: Tensor, labels: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """The first `shares[label + 1]` images of each label in `order`, and the others."""
    chosen = torch.zeros(len(order), dtype=torch.bool)
    for place, share in enumerate(shares.tolist()):
        chosen[(labels[order] == place - 1).nonzero()[:share, 0]] = True
    return order[chosen], order[~chosen]


def _labeled(settings: Data, train: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """As `_taken`, with at least one image of each class; the default share grows to that, others are refused."""
    sizes = torch.bincount(labels[train] + 1)
    classes = int((sizes > 0).sum())
    count = _count(settings.labeled, len(train), "labeled", "training images")
    if 0 < count < classes or (count == 0 and settings.labeled):
        if settings.labeled != DEFAULT_LABELED:
            raise DataError(
                f"{settings.labeled} makes {count} of the {len(train):,} training images, fewer than one for "
                f"each of the {classes} classes; take {classes} or more, or 0",
                "data.labeled",
            )
        count = classes
    shares = apportioned(sizes, count)
    if count:
        while (forgotten := (sizes > 0) & (shares == 0)).any():  # a rare class: the largest gives it one
            shares[shares.argmax()] -= 1
            shares[forgotten.nonzero()[0]] += 1
    return _first(train, labels, shares)


def _some(train: Tensor) -> Tensor:
    if not len(train):
        raise DataError("leaves no image to train on; lower data.valid or data.test, or raise data.train", "data.train")
    return train


def _sorted(**splits: Tensor) -> dict[str, Tensor]:
    return {name: indices.sort().values for name, indices in splits.items()}
