"""Drawing: tiles that lie apart, at the data's own size, whatever they are called."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from sslterm.engine.pictures import drawing
from sslterm.engine.pictures.sheet import Row, Sheet, Tile


def test_tiles_lie_apart_and_within_the_sheet() -> None:
    looks = [torch.randint(0, 256, (3, side, side), dtype=torch.uint8) for side in (8, 32, 33, 96, 224)]
    rows = tuple(Row(f"row {n}", tuple(Tile(look, "some words " * n, 0) for look in looks[: n + 1])) for n in range(5))
    picture, described = drawing.draw(Sheet("title", rows))
    boxes = [(tile["x"], tile["y"], tile["width"], tile["height"]) for row in described for tile in row["tiles"]]
    covered = np.zeros((picture.height, picture.width), int)
    for x, y, width, height in boxes:
        assert min(x, y) >= 0
        assert x + width <= picture.width
        assert y + height <= picture.height
        covered[y : y + height, x : x + width] += 1
    assert covered.max() == 1
    shown = np.asarray(picture)
    for row, (said, _) in enumerate(zip(described, rows, strict=True)):
        for tile, look in list(zip(said["tiles"], looks, strict=False))[1 : row + 1]:
            x, y, side = tile["x"], tile["y"], tile["width"]
            assert (shown[y : y + side, x : x + side] == look.permute(1, 2, 0).numpy()).all()


@pytest.mark.parametrize(("side", "shown"), [(1, 32), (8, 32), (20, 40), (28, 56), (32, 32), (224, 224), (300, 224)])
def test_tiles_have_the_datas_own_size_as_far_as_it_can_be_seen(side: int, shown: int) -> None:
    look = torch.randint(0, 256, (1, side, side), dtype=torch.uint8)
    picture = np.asarray(drawing.shown(look))
    assert picture.shape == (shown, shown, 3)
    if side <= shown:
        times = shown // side
        assert (picture[..., 1] == np.kron(look[0].numpy(), np.ones((times, times), np.uint8))).all()


@pytest.mark.parametrize("name", ["", " ", "猫" * 2000, "[red]cat[/]", "a\x1b[2Jb\nc", "🐈 " * 900, "\ud800"])
def test_any_name_can_be_drawn(name: str) -> None:
    tile = Tile(torch.zeros(1, 8, 8, dtype=torch.uint8), name, 3, True)
    picture, rows = drawing.draw(Sheet(name, (Row(name, (tile, tile)),)))
    assert picture.width < 900
    assert picture.height < 400
    assert rows[0]["tiles"][0]["caption"] == name
    json.dumps(rows)
