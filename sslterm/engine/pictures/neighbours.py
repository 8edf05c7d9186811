"""Neighbours: training images that an encoder finds most like others, by the cosine between their representations.

Shapes: n images asked about, M in the bank, k neighbours, D encoder features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from sslterm.engine import chance
from sslterm.engine.device import pick_device
from sslterm.engine.evaluate import Examiner
from sslterm.engine.pictures.images import called, class_of, pixels
from sslterm.engine.pictures.sheet import Row, Sheet, Tile
from sslterm.errors import UsageError
from sslterm.runs import Run, RunError
from sslterm.runs.checkpoints import Checkpoint

BANK = 10_000
"""Training images among which neighbours are looked for, at most."""
ASKED = 8
"""Images that are asked about where nobody said which."""


class NoSuchImage(UsageError):
    """A number that no image has."""


def sheet(
    run: Run,
    checkpoint: Checkpoint,
    of: Sequence[int],
    count: int,
    device: str,
    data_dir: Path,
    say: Callable[[str], None],
    progress: Callable[[str, int], Callable[[int], object]],
) -> Sheet:
    """A row for each image: itself, then the `count` nearest of train. Raises RunError, NoSuchImage, DataError."""
    examiner = Examiner(run, pick_device(device), data_dir, progress)
    images, train = _asked(examiner, of), examiner.parts["train"]
    bank = chance.sample(train, BANK, examiner.preset.seed, "pictures", "bank")
    examined = examiner.open(checkpoint, say)
    near, cosines = nearest(examined.features(bank), bank, examined.features(images), images, count)
    looks = _looks(examiner, torch.cat([images, near.flatten()]))
    rows = [
        _row(examiner, looks, image, others, how_near)
        for image, others, how_near in zip(images.tolist(), near.tolist(), cosines.tolist(), strict=True)
    ]
    among = f"all {len(bank):,}" if len(bank) == len(train) else f"{len(bank):,} of {len(train):,}"
    drawn = "" if len(bank) == len(train) else ", drawn by seed"
    title = f"{Path(checkpoint.file).name} · nearest by cosine among {among} train images{drawn}"
    return Sheet(title, tuple(rows))


def nearest(bank: Tensor, bank_images: Tensor, queries: Tensor, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The images nearest to each query, int64 (n, k), and their cosines (n, k); no image is its own neighbour.

    `bank` (M, D) and `queries` (n, D) represent the images `bank_images` (M,) and `images` (n,); k is `count`, and less
    than M. Raises RunError where they are not numbers.
    """
    if not (bank.isfinite().all() and queries.isfinite().all()):
        raise RunError("the encoder's outputs are not finite numbers; choose an earlier checkpoint")
    similarity = F.normalize(queries, dim=1) @ F.normalize(bank, dim=1).T
    similarity[images[:, None] == bank_images] = -2.0
    cosines, places = similarity.topk(min(count, len(bank) - 1), dim=1)
    return bank_images[places], cosines


def _asked(examiner: Examiner, of: Sequence[int]) -> Tensor:
    """The int64 (n,) images that are asked about; left out: some of test, else of valid, else of train."""
    images = len(examiner.dataset)
    for number in of:
        if number >= images:
            raise NoSuchImage(f"--of {number}: {examiner.dataset.name} has images 0 to {images - 1}")
    if of:
        return torch.tensor(list(dict.fromkeys(of)))
    part = next(examiner.parts[name] for name in ("test", "valid", "train") if len(examiner.parts[name]))
    return chance.sample(part, ASKED, examiner.preset.seed, "pictures", "asked")


def _looks(examiner: Examiner, images: Tensor) -> dict[int, Tensor]:
    """The pixels of images, by number; each is read once."""
    images = images.unique()
    return dict(zip(images.tolist(), pixels(examiner.dataset, images), strict=True))


def _row(examiner: Examiner, looks: dict[int, Tensor], image: int, others: list[int], cosines: list[float]) -> Row:
    dataset = examiner.dataset
    truth = class_of(dataset, image)
    tiles = [Tile(looks[image], "asked about", image)]
    for other, cosine in zip(others, cosines, strict=True):
        theirs = class_of(dataset, other)
        same = None if truth is None or theirs is None else truth == theirs
        tiles.append(Tile(looks[other], f"{theirs or f'image {other}'} {cosine:.3f}", other, same))
    return Row(called(dataset, image), tuple(tiles))
