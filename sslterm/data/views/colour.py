"""What becomes of a view's colours: jitter, gray, blur, solarize. All in place, on float (B, C, S, S) of 0..1.

Brightness, contrast and saturation blend a pixel with black, with the image's mean grey or with its own grey: the
same affine step, x <- clamp(a x + b grey + c mean grey), with other numbers. So samples that take them in different
orders still go through one step together.

Letters: B images, C channels, P pixels (S * S), n steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sslterm.data.dataset import moved
from sslterm.data.views.draw import Drawn
from sslterm.data.views.geometry import on_rows

RED, GREEN, BLUE = 0.2989, 0.587, 0.114  # ITU-R 601, with torchvision's digits


def change(views: Tensor, drawn: Drawn) -> None:
    """Jitter, gray, blur, solarize, as drawn."""
    if "jitter" in drawn:
        jitter(views, drawn)
    if "gray" in drawn:
        on_rows(views, drawn["gray"], lambda some: grey(some).unsqueeze(1).expand_as(some))
    if "blur" in drawn:
        sigma = drawn["sigma"][drawn["blur"]]
        on_rows(views, drawn["blur"], lambda some: blur(some, moved(sigma, some.device)))
    if "solarize" in drawn:
        on_rows(views, drawn["solarize"], solarize)


# ---------------------------------------------------------------- jitter


def jitter(views: Tensor, drawn: Drawn) -> None:
    """The steps and the hue of each sample, in its own order.

    Sorted by the place of the hue among the steps, the samples that take step t before their hue are the last ones, and
    those that take it after are the first ones: every operation works on a slice.
    """
    rows = drawn["jitter"].nonzero().squeeze(1)
    hue_place = drawn.get("hue_place", torch.zeros_like(drawn["jitter"], dtype=torch.int64))[rows]
    hue_place, by_place = hue_place.sort(stable=True)
    rows = rows[by_place]
    steps = moved(drawn["steps"][rows], views.device)
    after = [int((hue_place <= t).sum()) for t in range(steps.shape[1])]  # still on the CPU

    on_device = moved(rows, views.device)
    some = views.index_select(0, on_device).flatten(2)
    for t, count in enumerate(after):
        affine_step(some[count:], steps[count:, t])
    if "hue" in drawn:
        turn_hue(some, moved(drawn["hue"][rows], views.device))
    for t, count in enumerate(after):
        affine_step(some[:count], steps[:count, t])
    views.index_copy_(0, on_device, some.view(len(rows), *views.shape[1:]))


def affine_step(views: Tensor, shares: Tensor) -> None:
    """x <- clamp(a x + b grey + c mean grey). (B, C, P), shares (B, 3: a, b, c)."""
    own, of_grey, of_mean = shares[:, :, None].unbind(1)  # (B, 1)
    other = grey(views)
    mean = other.mean(1, keepdim=True) * of_mean
    other.mul_(of_grey).add_(mean)
    torch.addcmul(other[:, None], views, own[..., None], out=views).clamp_(0, 1)


def grey(views: Tensor) -> Tensor:
    """(B, C, ...) -> (B, ...): the luma of three channels, or the only channel; a tensor of its own."""
    if views.shape[1] == 1:
        return views[:, 0].clone()
    red, green, blue = views.unbind(1)
    return torch.mul(red, RED).add_(green, alpha=GREEN).add_(blue, alpha=BLUE)


def turn_hue(views: Tensor, turn: Tensor) -> None:
    """Turns the hue of HSV by a part of the circle (B), keeping saturation and value. (B, 3, P).

    Written without branches, and without masks, which a CPU handles slowly: a comparison is a float of 0 or 1.
    """
    red, green, blue = views.unbind(1)
    hue, low, chroma = hue_of(red, green, blue)
    hue.add_(turn[:, None]).add_(1).frac_()
    # Along the circle a channel is a trapezoid between low and low + chroma; |hue - its middle| gives its slopes.
    chroma_6 = chroma * 6
    torch.sub(low, chroma, out=red).addcmul_(slope(hue, 1 / 2), chroma_6)
    low.add_(chroma, alpha=2)
    torch.addcmul(low, slope(hue, 1 / 3), chroma_6, value=-1, out=green)
    torch.addcmul(low, slope(hue, 2 / 3), chroma_6, value=-1, out=blue)


def slope(hue: Tensor, middle: float) -> Tensor:
    return (hue - middle).abs_().clamp_(1 / 6, 1 / 3)


def hue_of(red: Tensor, green: Tensor, blue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue (0..1), the least channel, and how far the greatest is above it (chroma).

    Sorting the channels by two swaps tells in which sixth of the circle a colour lies: a known trick of shaders.
    """
    swap = torch.gt(blue, green, out=torch.empty_like(green, memory_format=torch.contiguous_format))
    upper, lower = torch.maximum(green, blue), torch.minimum(green, blue)
    swap_again = torch.gt(upper, red, out=torch.empty_like(upper))
    middle = torch.minimum(red, upper)
    low = torch.minimum(middle, lower)
    chroma = torch.maximum(red, upper).sub_(low)
    # The sixth: 0 or -1 without the second swap, -1/3 or 2/3 with it.
    sector = (swap * 2).sub_(1 / 3).mul_(swap_again).sub_(swap)
    hue = middle.sub_(lower).div_((chroma * 6).clamp_(min=1e-12)).add_(sector).abs_()
    return hue, low, chroma


# ---------------------------------------------------------------- blur, solarize


def blur(views: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of sigma pixels (B), mirrored at the borders. The kernel is about a tenth of the side, and odd."""
    size = views.shape[-1]
    radius = max(1, size // 20)
    taps = torch.arange(-radius, radius + 1, device=views.device)
    weights = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)  # (B, K)
    weights /= weights.sum(1, keepdim=True)

    # Which pixel each tap of each new pixel reads, as a matrix from taps to (new pixel, old pixel).
    source = torch.arange(size, device=views.device) + taps[:, None]  # (K, S)
    source = (size - 1) - ((size - 1) - source.abs()).abs()
    reads = torch.zeros(len(taps), size, size, device=views.device).scatter_(2, source[:, :, None], 1)
    matrix = (weights @ reads.flatten(1)).view(-1, 1, size, size)
    return matrix @ views @ matrix.transpose(2, 3)


def solarize(views: Tensor) -> Tensor:
    """Inverts what is at least half as bright as can be."""
    return torch.where(views >= 0.5, 1 - views, views)
