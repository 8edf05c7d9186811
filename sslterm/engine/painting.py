"""What a method paints of a few images: asked between epochs, kept in the run, shown to TensorBoard.

Shapes: n images, C channels, S side in pixels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from sslterm.engine import chance
from sslterm.engine.features import evaluating
from sslterm.engine.stage import StageInTraining
from sslterm.runs.painted import GAP, Painting

IMAGES = 8
PAPER = 255


@dataclass(frozen=True)
class Painted:
    """A painting, and its PNG."""

    painting: Painting
    png: bytes
    width: int
    height: int


def paint(stage: StageInTraining) -> Painted | None:
    """The same few images every time, of those that are not trained on where there are any; None where the method
    paints nothing."""
    subject, seed = stage.subject, stage.preset.seed
    valid = subject.parts["valid"]
    indices = chance.sample(valid if len(valid) else stage.indices, IMAGES, seed, "painted")
    plain = stage.plain(next(iter(subject.dataset.batches([indices], subject.device))))
    chance.begin(stage.subject.device, seed, "painted")
    with evaluating(stage.method), torch.inference_mode(), stage.precision.on(subject.device):
        painted = stage.method.pictures(plain)
    if not painted:
        return None
    rows = {what: _pixels(squares, stage) for what, squares in painted.items()}
    side = next(iter(rows.values())).shape[-1]
    counts = tuple((what, len(squares)) for what, squares in rows.items())
    painting = Painting(stage.stage.name, stage.epoch, stage.total_steps, side, tuple(indices.tolist()), counts)
    sheet = _sheet(painting, list(rows.values()))
    file = io.BytesIO()
    sheet.save(file, "png")
    return Painted(painting, file.getvalue(), *sheet.size)


def _pixels(squares: Tensor, stage: StageInTraining) -> Tensor:
    """Normalised float (n, C, S, S) -> uint8 (n, C, S, S) on the CPU; what is no number becomes black."""
    mean, std = (
        torch.tensor(said, device=squares.device).view(-1, 1, 1) for said in (stage.facts.mean, stage.facts.std)
    )
    return (squares.float() * std + mean).nan_to_num(0.0).mul(255).round().clamp(0, 255).to(torch.uint8).cpu()


def _sheet(painting: Painting, rows: list[Tensor]) -> Image.Image:
    """A row below the other."""
    across, down = painting.corner(len(rows), max(map(len, rows)))
    sheet = Image.new("RGB", (max(across - GAP, 1), max(down - GAP, 1)), (PAPER,) * 3)
    for row, squares in enumerate(rows):
        for column, square in enumerate(squares):
            picture = Image.fromarray(square.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy())
            sheet.paste(picture, painting.corner(row, column))
    return sheet
