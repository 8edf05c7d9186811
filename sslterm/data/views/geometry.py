"""Where the pixels of a view come from: crop, resize, rotate, translate, turn, flip.

A crop and its resizing are separable: view = rows @ image @ columns^T, where each row of a matrix holds the weights of
the few pixels that make one new pixel. They are torchvision's antialiased bilinear filter: a triangle, as wide as a new
pixel where the image shrinks. So every sample can have a box of its own without a loop over samples.

Letters: B images, C channels, H the side of an image, S the side of a view, K taps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from sslterm.data.dataset import moved
from sslterm.data.views.draw import Drawn


def place(images: Tensor, drawn: Drawn, size: int) -> Tensor:
    """uint8 (B, C, H, H) -> float (B, C, S, S) of 0..1, moved as drawn; a tensor of its own."""
    if "window" in drawn:
        images = windows(images, drawn["window"], size)
    views = images.float().div_(255)
    flip = drawn.get("flip")
    if "crop" in drawn:
        rows, columns = resampling(drawn["crop"], views.shape[-1], size, views.device).unbind(1)
        if flip is not None and "angle" not in drawn and "turn" not in drawn:
            # Nothing comes between: to read the columns backwards costs less than to turn images round.
            on_rows(columns, flip, lambda some: some.flip(1))
            flip = None
        views = resample(views, rows, columns)
    if "angle" in drawn:
        views = warp(views, drawn["angle"], drawn["shift"])
    if "turn" in drawn:
        for turns in (1, 2, 3):
            on_rows(views, drawn["turn"] == turns, partial(torch.rot90, k=turns, dims=(2, 3)))
    if flip is not None:
        on_rows(views, flip, lambda some: some.flip(3))
    return views


def centre(images: Tensor, scale: int, size: int) -> Tensor:
    """uint8 (B, C, H, H) -> float (B, C, S, S) of 0..1: resized to `scale`, the middle kept (zeros around where the
    scale is smaller than the view)."""
    views = images.float().div_(255)
    side = views.shape[-1]
    if side == scale == size:
        return views
    first = round((scale - size) / 2) if scale >= size else -((size - scale) // 2)  # as torchvision's center_crop
    crop = torch.tensor([[0.0, side, scale, first]])
    matrix = resampling(crop, side, size, views.device).expand(len(views), -1, -1)
    return resample(views, matrix, matrix)


def on_rows(views: Tensor, chosen: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """Changes the chosen samples of a batch in place. `chosen` is bool (B) on the CPU: no device is waited for."""
    rows = chosen.nonzero().squeeze(1)
    if len(rows):
        rows = moved(rows, views.device)
        views.index_copy_(0, rows, change(views.index_select(0, rows)))


def windows(images: Tensor, window: Tensor, size: int) -> Tensor:
    """Zeros around uint8 (B, C, H, H), then the window (B, 3: padding, top, left) of each. -> uint8 (B, C, S, S)"""
    padding = int(window[0, 0])
    padded = F.pad(images, [padding] * 4)
    sample = torch.arange(len(images), device=images.device)
    _, top, left = moved(window, images.device).unbind(1)
    return padded.unfold(2, size, 1).unfold(3, size, 1)[sample, :, top, left]


def resample(views: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """rows @ views @ columns^T. (B, C, H, H), (B, S, H), (B, S, H) -> (B, C, S, S)"""
    images, channels, side, _ = views.shape
    narrow = torch.bmm(views.reshape(images, channels * side, side), columns.transpose(1, 2))
    return torch.matmul(rows[:, None], narrow.view(images, channels, side, -1))


def resampling(crop: Tensor, side: int, size: int, device: torch.device) -> Tensor:
    """The weights of each new pixel along an axis. CPU float (..., 4), as `draw` says -> (..., S, H) on `device`."""
    reach = (crop[..., 1] / crop[..., 2]).max().clamp(min=1).item()  # still on the CPU
    taps = torch.arange(math.ceil(2 * reach), device=device)
    start, length, resized, offset = moved(crop, device)[..., None].unbind(-2)

    pixel = torch.arange(size, device=device) + offset  # (..., S)
    scale = length / resized
    reach_of = scale.clamp(min=1)[..., None]
    middle = ((pixel + 0.5) * scale)[..., None]  # in pixels of the box
    source = (middle - reach_of - 0.5).ceil() + taps  # (..., S, K)
    weight = (1 - (source + 0.5 - middle).abs() / reach_of).clamp_(min=0)
    weight *= (source >= 0) & (source < length[..., None]) & ((pixel >= 0) & (pixel < resized))[..., None]
    weight /= weight.sum(-1, keepdim=True).clamp_(min=1e-6)

    source = (source + start[..., None]).clamp_(0, side - 1).long()
    return torch.zeros(*crop.shape[:-1], size, side, device=device).scatter_add_(-1, source, weight)


def warp(views: Tensor, angle: Tensor, shift: Tensor) -> Tensor:
    """Rotation by degrees (B) about the middle, then translation by pixels (B, 2): bilinear, zeros from outside."""
    size = views.shape[-1]
    radians = angle.deg2rad()
    cos, sin = radians.cos(), radians.sin()
    back = torch.stack([cos, sin, -sin, cos], 1).view(-1, 2, 2)  # from a pixel of the view to where it comes from
    origin = -back @ shift[:, :, None] * (2 / size)  # grid_sample measures in half sides
    theta = moved(torch.cat([back, origin], 2), views.device)
    grid = F.affine_grid(theta, list(views.shape), align_corners=False)
    return F.grid_sample(views, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
