"""How good predictions are: accuracy by several names, and whether the confidence can be believed.

Precision, recall and F1 as scikit-learn's `precision_recall_fscore_support(zero_division=0)`; the expected calibration
error of Guo et al. 2017, "On Calibration of Modern Neural Networks" (2, equation 3; table 1: 15 bins).
Shapes: N images, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sslterm.errors import UserError

BINS = 15


class ScoresError(UserError):
    """Predictions of which nothing can be said."""


def scores(probabilities: Tensor, labels: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """Everything we say of predictions, ready for JSON: `metrics`, `per_class`, `confusion`, `reliability`.

    `probabilities` is float (N, K), rows sum to 1; `labels` int64 (N,), each 0..K-1; `classes` the K names. All numbers
    are finite; shares are 0..1, nll is in nats. Raises ScoresError where there is nothing to score or a NaN to hide.
    """
    if not len(labels):
        raise ScoresError("there are no labelled images to score; choose a split that has some")
    if not probabilities.isfinite().all():
        raise ScoresError("the network's outputs are not finite numbers; evaluate an earlier checkpoint")
    probabilities, labels = probabilities.detach().double().cpu(), labels.cpu()
    matrix = confusion(probabilities.argmax(dim=1), labels, len(classes))
    table = per_class(matrix)
    bins = reliability(probabilities, labels)
    metrics = {**top(probabilities, labels), **macro(table), "nll": nll(probabilities, labels), "ece": ece(bins)}
    columns = {name: column.tolist() for name, column in table.items()}
    return {
        "metrics": metrics,
        "per_class": [
            {"class": name, **{key: column[place] for key, column in columns.items() if key != "predicted"}}
            for place, name in enumerate(classes)
        ],
        "confusion": matrix.tolist(),
        "reliability": bins,
    }


def top(probabilities: Tensor, labels: Tensor) -> dict[str, float]:
    """`top1`, and `top5` where there are more than five classes: how often the truth is among the first guesses.

    Of equals the first class is guessed first, as argmax does; a class of probability 0 (kNN: no votes) is no guess.
    """
    truth = probabilities.gather(1, labels[:, None])
    before = torch.arange(probabilities.shape[1]) < labels[:, None]
    rank = ((probabilities > truth) | ((probabilities == truth) & before)).sum(dim=1)
    guessed = truth[:, 0] > 0
    return {
        f"top{count}": ((rank < count) & guessed).double().mean().item()
        for count in (1, 5)
        if count == 1 or probabilities.shape[1] > count
    }


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """int64 (K, K): how many images of the row's class were taken for the column's."""
    return (labels * classes + predicted).bincount(minlength=classes**2).reshape(classes, classes)


def per_class(matrix: Tensor) -> dict[str, Tensor]:
    """Precision, recall, F1 (float64), support and times predicted (int64) of each class (K,); 0/0 is 0."""
    right, support, predicted = matrix.diagonal(), matrix.sum(dim=1), matrix.sum(dim=0)
    return {
        "precision": _share(right, predicted),
        "recall": _share(right, support),
        "f1": _share(2 * right, support + predicted),
        "support": support,
        "predicted": predicted,
    }


def macro(table: dict[str, Tensor]) -> dict[str, float]:
    """The plain mean over classes, of those that occur in the truth or in a prediction."""
    occurs = (table["support"] + table["predicted"]) > 0
    return {f"{name}_macro": table[name][occurs].mean().item() for name in ("precision", "recall", "f1")}


def nll(probabilities: Tensor, labels: Tensor) -> float:
    """The mean negative log-likelihood of the truth, in nats: on a softmax, the cross-entropy.

    A truth that was given no probability at all would be infinitely wrong; it counts as float32's smallest, 87 nats.
    """
    truth = probabilities.gather(1, labels[:, None])
    return -truth.clamp(min=torch.finfo(torch.float32).tiny).log().mean().item()


def reliability(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> list[dict[str, float | int]]:
    """Mean confidence and accuracy of the predictions whose confidence lies in ((m - 1) / bins, m / bins], m = 1...

    An empty bin says count 0, and 0 of the rest.
    """
    confidence, predicted = probabilities.max(dim=1)
    place = ((confidence * bins).ceil().long() - 1).clamp(0, bins - 1)
    count = place.bincount(minlength=bins)
    columns = {
        "confidence": _share(place.bincount(confidence, minlength=bins), count),
        "accuracy": _share(place.bincount((predicted == labels).double(), minlength=bins), count),
        "count": count,
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]


def ece(bins: list[dict[str, float | int]]) -> float:
    """The mean distance between confidence and accuracy over the bins of `reliability`, each weighing what it holds."""
    total = sum(held["count"] for held in bins)
    return sum(held["count"] * abs(held["accuracy"] - held["confidence"]) for held in bins) / total


def _share(part: Tensor, whole: Tensor) -> Tensor:
    return part.double() / whole.clamp(min=1)
