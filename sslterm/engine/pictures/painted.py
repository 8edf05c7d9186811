"""Painted: what a method painted between epochs, the newest first, so that one sees it learn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from sslterm.engine.pictures.sheet import Row, Sheet, Tile
from sslterm.runs import Run, RunNotFound
from sslterm.runs.painted import Painting


def sheet(run: Run, paintings: Sequence[Painting]) -> Sheet:
    """Paintings of one stage, in the order given: all rows of the first, and of the others what looks different.

    Raises RunNotFound where none of them can be read.
    """
    rows: list[Row] = []
    seen: list[Tensor] = []
    for painting in paintings:
        for (what, _), squares in zip(painting.rows, _squares(run, painting), strict=False):
            if not any(torch.equal(squares, one) for one in seen):
                seen.append(squares)
                rows.append(_row(f"epoch {painting.epoch} · {what}", squares, painting.images))
    if not rows:
        raise RunNotFound(f"{run.painted}: no painting there can be read; train again, or choose another stage")
    stage, count = paintings[0].stage, len(paintings)
    return Sheet(f"{run.name} · stage {stage} · painted in {count} epoch{'s' * (count > 1)}", tuple(rows))


def _row(caption: str, squares: Tensor, images: tuple[int, ...]) -> Row:
    of = images if len(images) == len(squares) else [None] * len(squares)
    return Row(caption, tuple(Tile(pixels, "", image) for pixels, image in zip(squares, of, strict=True)))


def _squares(run: Run, painting: Painting) -> list[Tensor]:
    """The rows of a painting, each uint8 (n, 3, S, S); none where the file is not what it should be."""
    path: Path = run.painted / f"{painting.name}.png"
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return []
    found = []
    for row, (_, count) in enumerate(painting.rows):
        corners = [painting.corner(row, column) for column in range(count)]
        cut = [pixels[top : top + painting.side, left : left + painting.side] for left, top in corners]
        if not cut or any(one.shape != (painting.side, painting.side, 3) for one in cut):
            return []
        found.append(torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2))
    return found
