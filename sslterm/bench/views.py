"""Views per second: ours beside torchvision's, and kornia's where it is installed.

The recipe is SimCLR's without blur: random resized crop, flip, colour jitter, greyscale, normalise. torchvision makes
one view at a time, as data loaders do: v1 from PIL images, v2 from uint8 tensors. kornia makes a batch, each view by
parameters of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns
from sslterm.data.views import TrainView
from sslterm.presets import Views

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
RECIPE = Views(
    crop="resized", area=(0.2, 1.0), flip=0.5, jitter=0.8, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1,
    gray=0.2,
)  # fmt: skip
OURS = "sslterm"


def measure(
    size: int = 32, side: int | None = None, batch: int = 512, rounds: int = 9, threads: int = 1, device: str = "cpu"
) -> Report:
    """Views of `size` pixels from images of `side` (left out: the same), made on so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _measured(size, side or size, batch, rounds, threads, torch.device(device))
    finally:
        torch.set_num_threads(before)


def _measured(size: int, side: int, batch: int, rounds: int, threads: int, device: torch.device) -> Report:
    images = photographs(batch, side)
    there = images.to(device)
    view, generator = TrainView(RECIPE, MEAN, STD, 3, size), torch.Generator().manual_seed(0)

    def ours() -> None:
        view(there, generator)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    rivals: dict[str, Callable[[], object]] = {OURS: ours, **_torchvision(images, size)}
    kornia = _kornia(there, size)
    if kornia is not None:
        rivals["kornia, batch"] = kornia
    report = Report(f"views: {side} -> {size} pixels, batch {batch}, {threads} thread(s), {rounds} rounds, {device}")
    taken = in_turns(rivals, rounds)
    for name, times in taken.items():
        if name != OURS:
            report.add(Figure(name, tuple(batch / t for t in times), "views/s"))
    for name in [name for name in taken if name != OURS]:
        label = f"{OURS}, beside {name}"
        report.add(Figure(label, tuple(batch / t for t in taken[OURS]), "views/s"), beside=name)
    if kornia is None:
        report.notes.append("kornia is not installed; with `pip install kornia` it is measured too")
    return report


def photographs(count: int, side: int) -> Tensor:
    """uint8 (count, 3, side, side), smooth enough to look like photographs."""
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return (torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1) * 255).byte()


def _torchvision(images: Tensor, size: int) -> dict[str, Callable[[], object]]:
    from torchvision import transforms as v1
    from torchvision.transforms import v2
    from torchvision.transforms.functional import to_pil_image

    pictures = [to_pil_image(image) for image in images]
    old = v1.Compose([*_recipe(size, v1), v1.ToTensor(), v1.Normalize(MEAN, STD)])
    new = v2.Compose([*_recipe(size, v2), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return {
        "torchvision v1, PIL": lambda: torch.stack([old(picture) for picture in pictures]),
        "torchvision v2, tensor": lambda: torch.stack([new(image) for image in images]),
    }


def _recipe(size: int, t: ModuleType) -> list[Any]:
    """The same recipe, from either of torchvision's modules."""
    return [
        t.RandomResizedCrop(size, scale=RECIPE.area, antialias=True),
        t.RandomHorizontalFlip(RECIPE.flip),
        t.RandomApply([t.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=RECIPE.jitter),
        t.RandomGrayscale(RECIPE.gray),
    ]


def _kornia(images: Tensor, size: int) -> Callable[[], object] | None:
    try:
        from kornia import augmentation as k
    except ImportError:
        return None
    recipe = k.AugmentationSequential(
        k.RandomResizedCrop((size, size), scale=RECIPE.area), k.RandomHorizontalFlip(p=RECIPE.flip),
        k.ColorJitter(0.4, 0.4, 0.4, 0.1, p=RECIPE.jitter), k.RandomGrayscale(p=RECIPE.gray),
        k.Normalize(torch.tensor(MEAN), torch.tensor(STD)), data_keys=["input"],
    )  # fmt: skip
    return lambda: recipe(images.float() / 255)
