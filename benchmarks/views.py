"""Views per second: ours beside torchvision's, in the same process, on one core (or `--threads N`).

    python benchmarks/views.py

The recipe is SimCLR's without blur: random resized crop, flip, colour jitter, greyscale, normalise. torchvision makes
one view at a time, as data loaders do; v1 from PIL images, v2 from uint8 tensors. The three take turns, so that a busy
machine slows all of them; the median of the rounds is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import ModuleType

import torch
from torchvision import transforms as v1
from torchvision.transforms import v2
from torchvision.transforms.functional import to_pil_image

from sslterm.data.views import TrainView
from sslterm.presets import Views

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
RECIPE = Views(
    crop="resized",
    area=(0.2, 1.0),
    flip=0.5,
    jitter=0.8,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    hue=0.1,
    gray=0.2,
)


def torchvision_recipe(size: int, t: ModuleType) -> list[object]:
    """The same recipe, from either of torchvision's modules."""
    return [
        t.RandomResizedCrop(size, scale=RECIPE.area, antialias=True),
        t.RandomHorizontalFlip(RECIPE.flip),
        t.RandomApply([t.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=RECIPE.jitter),
        t.RandomGrayscale(RECIPE.gray),
    ]


def per_second(make: Callable[[], object], views: int) -> float:
    start = time.perf_counter()
    make()
    return views / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=32, help="side of a view in pixels")
    parser.add_argument("--side", type=int, help="side of an image in pixels (left out: that of the view)")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)

    side = given.side or given.size
    coarse = torch.rand(given.batch, 3, 8, 8)  # smooth enough to look like photographs
    images = (torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1) * 255).byte()
    pictures = [to_pil_image(image) for image in images]
    view, generator = TrainView(RECIPE, MEAN, STD, 3, given.size), torch.Generator().manual_seed(0)
    old = v1.Compose([*torchvision_recipe(given.size, v1), v1.ToTensor(), v1.Normalize(MEAN, STD)])
    new = v2.Compose(
        [*torchvision_recipe(given.size, v2), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    )

    makers: dict[str, Callable[[], object]] = {
        "ours": lambda: view(images, generator),
        "torchvision v1, PIL": lambda: torch.stack([old(picture) for picture in pictures]),
        "torchvision v2, tensor": lambda: torch.stack([new(image) for image in images]),
    }
    rates: dict[str, list[float]] = {name: [] for name in makers}
    for make in makers.values():
        make()
    for _ in range(given.rounds):
        for name, make in makers.items():
            rates[name].append(per_second(make, given.batch))

    ours = statistics.median(rates["ours"])
    print(f"{side} -> {given.size} pixels, batch {given.batch}, {given.threads} thread(s), {given.rounds} rounds")
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:24}{median:10,.0f} views/s  (of {min(measured):,.0f} to {max(measured):,.0f})", end="")
        print("" if name == "ours" else f"  ours is {ours / median:.1f}x")


if __name__ == "__main__":
    main()
