"""The weighted kNN of a whole data set, beside the products of matrices that it cannot do without."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns
from sslterm.engine.device import pick_device, prepare, reckoning, settle
from sslterm.engine.knn import SIMILARITIES, knn_probabilities

PRODUCTS, KNN = "products alone", "kNN"


def measure(
    device: str = "auto",
    bank: int = 50_000,
    queries: int = 10_000,
    features: int = 512,
    classes: int = 10,
    rounds: int = 3,
) -> Report:
    """So many queries among so many images, whose features lie ready. Raises UserError with a sentence."""
    on = reckoning(pick_device(device))
    prepare(on)
    dice = torch.Generator().manual_seed(0)
    known, asked = (torch.randn(count, features, generator=dice).to(on) for count in (bank, queries))
    labels = torch.randint(classes, (bank,), generator=dice)
    normalised = F.normalize(known, dim=1)

    def products() -> None:
        for part in asked.split(max(1, SIMILARITIES // bank)):
            F.normalize(part, dim=1) @ normalised.T
        settle(on)

    def knn() -> None:
        knn_probabilities(known, labels, asked, classes)
        settle(on)

    rivals: dict[str, Callable[[], object]] = {PRODUCTS: products, KNN: knn}
    report = Report(f"knn: {queries:,} queries among {bank:,} images of {features} features, {rounds} rounds, {on}")
    for name, times in in_turns(rivals, rounds).items():
        report.add(Figure(name, tuple(times), "s"), beside=None if name == PRODUCTS else PRODUCTS)
    return report
