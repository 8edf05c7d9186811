"""What is random in a view, drawn for a whole batch on the CPU, from torchvision's distributions.

Each function reads some settings of `[views]` and returns what it drew by name, one row for each of B images, or
nothing where the settings ask for nothing. So a name that is absent is work that is not done.

crop      float (B, 2, 4)  rows and columns: start and length of a box in the image, the pixels it becomes, and the
                           first of those that is kept
window    int64 (B, 3)     padding around, then top and left of what is kept
angle     float (B)        degrees, clockwise
shift     float (B, 2)     whole pixels to the right and down
turn      int64 (B)        quarter turns, counter-clockwise
flip, jitter, gray, blur, solarize   bool (B)   whose coin fell on heads
steps     float (B, n, 3)  n changes of brightness, contrast or saturation in the sample's own order: the shares of
                           the pixel, of its grey and of the image's mean grey
hue       float (B)        part of the colour circle to go round
hue_place int64 (B)        how many of the steps come before the hue
sigma     float (B)        of the blur, in pixels
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from sslterm.errors import UsageError
from sslterm.presets import Views

Drawn = dict[str, Tensor]
"""All of it on the CPU, so that the sizes of groups are known without asking a device."""

TRIES = 10
"""Boxes that torchvision's RandomResizedCrop tries before it takes the whole image."""


class ViewError(UsageError):
    """Views that cannot be made: a sentence for each setting that is in the way."""


def problems(settings: Views, size: int | None, side: int | None = None) -> list[str]:
    """A sentence for each setting of a recipe that contradicts another, or the sides of the view (`size`) and of the
    images (`side`), where these are known."""
    wrong = []
    for name in ("area", "ratio", "scale", "blur_sigma"):
        low, high = getattr(settings, name)
        if not 0 < low <= high:
            wrong.append(
                f"views.{name}: [{low:g}, {high:g}] does not fit; it takes two numbers above 0, the smaller first"
            )
    if settings.crop == "resized" and settings.area[1] > 1:
        wrong.append(f"views.area: {settings.area[1]:g} does not fit; a crop is at most the whole image, 1.0")
    if settings.crop == "scaled" and size and settings.scale[0] < size:
        wrong.append(
            f"views.scale: an image of {settings.scale[0]:g} pixels holds no crop of {size}; "
            f"take a scale of at least {size}, or smaller views (views.size)"
        )
    if settings.crop == "padded" and size and side and side + 2 * settings.padding < size:
        wrong.append(
            f"views.padding: images of {side} pixels with {settings.padding} around them hold no crop of {size}; "
            f"take at least {-(-(size - side) // 2)}"
        )
    return wrong


def draw(settings: Views, images: int, side: int, size: int, channels: int, generator: Generator) -> Drawn:
    """Everything that `images` views of `size` pixels and `channels` channels need, made of images of `side` pixels."""
    drawn: Drawn = {}
    drawn |= crop(settings, images, side, size, generator)
    drawn |= affine(settings, images, size, generator)
    if settings.quarter_turns:
        drawn["turn"] = below(torch.full((images,), 4), generator)
    drawn |= coins("flip", settings.flip, images, generator)
    drawn |= jitter(settings, images, channels, generator)
    if channels == 3:
        drawn |= coins("gray", settings.gray, images, generator)
    drawn |= coins("blur", settings.blur, images, generator)
    if "blur" in drawn:
        drawn["sigma"] = uniform((images,), *settings.blur_sigma, generator)
    drawn |= coins("solarize", settings.solarize, images, generator)
    return drawn


# ---------------------------------------------------------------- where the pixels come from


def crop(settings: Views, images: int, side: int, size: int, generator: Generator) -> Drawn:
    """`crop` by the name of the setting, or `window` for the padded one, which needs no resizing."""
    if settings.crop == "resized":
        return {"crop": random_resized(settings, images, side, size, generator)}
    if settings.crop == "scaled":
        return {"crop": random_scaled(settings, images, side, size, generator)}
    if settings.crop == "padded":
        if wrong := problems(settings, size, side):
            raise ViewError("\n".join(wrong))
        corner = below(torch.full((images, 2), side + 2 * settings.padding - size + 1), generator)
        return {"window": torch.cat([torch.full((images, 1), settings.padding), corner], 1)}
    if size != side:
        return {"crop": torch.tensor([0.0, side, size, 0.0]).expand(images, 2, 4)}
    return {}


def random_resized(settings: Views, images: int, side: int, size: int, generator: Generator) -> Tensor:
    """RandomResizedCrop's boxes: all ten tries at once, the first that fits is taken. -> (B, 2, 4)"""
    area = side * side * uniform((images, TRIES), *settings.area, generator)
    low, high = torch.tensor(settings.ratio).log().tolist()
    ratio = uniform((images, TRIES), low, high, generator).exp()
    sides = torch.stack([(area / ratio).sqrt(), (area * ratio).sqrt()], 2).round()  # height, width
    fits = ((sides > 0) & (sides <= side)).all(2)
    first = fits.int().argmax(1)
    box = sides[torch.arange(images), first]
    corner = below(side - box + 1, generator)

    whole = largest_box(settings.ratio, side)
    none_fits = ~fits.any(1, keepdim=True)
    box = torch.where(none_fits, whole, box)
    corner = torch.where(none_fits, (side - whole) // 2, corner)
    return torch.stack([corner, box, torch.full_like(box, size), torch.zeros_like(box)], 2)


def largest_box(ratio: tuple[float, float], side: int) -> Tensor:
    """torchvision's way out where no try fits: the largest box in the middle whose ratio is allowed. -> (2)"""
    low, high = ratio
    if low > 1:
        return torch.tensor([round(side / low), side])
    if high < 1:
        return torch.tensor([side, round(side * high)])
    return torch.tensor([side, side])


def random_scaled(settings: Views, images: int, side: int, size: int, generator: Generator) -> Tensor:
    """The whole image becomes one of the whole numbers of `scale`, of which a random part is kept. -> (B, 2, 4)"""
    low, high = (int(pixels) for pixels in settings.scale)
    scale = low + below(torch.full((images, 1), high - low + 1), generator)
    scale = scale.expand(images, 2)
    offset = below(scale - size + 1, generator)
    whole = torch.tensor([0, side]).expand(images, 2, 2)
    return torch.cat([whole, torch.stack([scale, offset], 2)], 2).float()


def affine(settings: Views, images: int, size: int, generator: Generator) -> Drawn:
    """RandomAffine's angle and its translation, which is whole pixels."""
    if not settings.rotate and not settings.translate:
        return {}
    most = settings.translate * size
    return {
        "angle": uniform((images,), -settings.rotate, settings.rotate, generator),
        "shift": uniform((images, 2), -most, most, generator).round(),
    }


# ---------------------------------------------------------------- what becomes of their colours

OTHER_SHARES = {"brightness": (0.0, 0.0), "contrast": (0.0, 1.0), "saturation": (1.0, 0.0)}
"""What a pixel is blended with: black, the image's mean grey, or its own grey."""


def jitter(settings: Views, images: int, channels: int, generator: Generator) -> Drawn:
    """ColorJitter's factors, and for each sample its own order of the changes. Grey images have no hue."""
    if not settings.jitter:
        return {}
    names = [name for name in OTHER_SHARES if getattr(settings, name) and (channels == 3 or name != "saturation")]
    has_hue = channels == 3 and settings.hue > 0
    if not names and not has_hue:
        return {}
    drawn = coins("jitter", settings.jitter, images, generator)
    order = torch.rand(images, len(names) + has_hue, generator=generator).argsort(1)
    if has_hue:
        drawn["hue"] = uniform((images,), -settings.hue, settings.hue, generator)
        drawn["hue_place"] = (order == len(names)).int().argmax(1)
        order = order[order != len(names)].view(images, len(names))
    steps = torch.empty(images, len(names), 3)
    for i, name in enumerate(names):
        strength = getattr(settings, name)
        factor = uniform((images, 1), max(0.0, 1 - strength), 1 + strength, generator)
        steps[:, i] = torch.cat([factor, (1 - factor) * torch.tensor(OTHER_SHARES[name])], 1)
    drawn["steps"] = steps.gather(1, order[:, :, None].expand(-1, -1, 3))
    return drawn


# ---------------------------------------------------------------- dice


def coins(name: str, probability: float, images: int, generator: Generator) -> Drawn:
    if not probability:
        return {}
    return {name: torch.rand(images, generator=generator) < probability}


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    return torch.empty(shape).uniform_(low, high, generator=generator)


def below(limits: Tensor, generator: Generator) -> Tensor:
    """A whole number from 0 to one less than each limit. -> int64"""
    return (torch.rand(limits.shape, dtype=torch.float64, generator=generator) * limits).long()
