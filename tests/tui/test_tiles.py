"""Tiles: an answer and its sheet are looked at before they are believed; tiles have their places at every size."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from sslterm.tui.widgets.tiles import (
    PictureError,
    Row,
    Tile,
    answer_of,
    open_sheet,
    rows_of,
)
from sslterm.tui.widgets.tiles.layout import Widths, plan
from sslterm.tui.widgets.tiles.sheet import cut
from sslterm.tui.widgets.tiles.tile_strip import columns


def said_rows(count: int, views: int = 3, side: int = 32) -> list[dict[str, Any]]:
    """Rows as the command says them, each with its tiles on a line of the sheet."""

    def tile(row: int, view: int) -> dict[str, Any]:
        place = {"x": view * side, "y": row * side, "width": side, "height": side}
        return {**place, "caption": f"view {view}", "image": row}

    return [{"caption": f"image {row}", "tiles": [tile(row, view) for view in range(views)]} for row in range(count)]


def make_sheet(path: Path, width: int, height: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return path


def answer(path: Path, **more: Any) -> str:
    return json.dumps({"kind": "views", "title": "Views", "sheet": str(path), "rows": said_rows(2), **more})


# ---------------------------------------------------------------- answers and sheets


def test_an_answer_is_read(tmp_path: Path) -> None:
    read = answer_of(answer(tmp_path / "run" / "a.png", title="a\x1b[2J\nb"), tmp_path)
    assert (read.kind, read.title, len(read.rows)) == ("views", "a�[2J b", 2)
    assert read.rows[1].tiles[2] == Tile(64, 32, 32, 32, "view 2")


@pytest.mark.parametrize("said", ["", "[]", "3", '{"kind": "views"}', "Traceback"])
def test_what_is_no_answer_is_a_sentence(tmp_path: Path, said: str) -> None:
    with pytest.raises(PictureError, match="is no answer"):
        answer_of(said, tmp_path)


@pytest.mark.parametrize("change", [{"x": -1}, {"width": 0}, {"y": 1.5}, {"height": None}, {"x": True}])
def test_a_tile_that_is_nowhere_is_a_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    rows = said_rows(1)
    rows[0]["tiles"][0].update(change)
    with pytest.raises(PictureError, match="is no answer"):
        answer_of(answer(tmp_path / "a.png", rows=rows), tmp_path)


def test_a_sheet_outside_of_the_runs_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path)
    for place in ("a.png", "runs/../a.png", "runs/link/a.png"):
        with pytest.raises(PictureError, match="lies outside of"):
            answer_of(answer(tmp_path / place), tmp_path / "runs")


def test_a_sheet_is_opened_with_its_tiles(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.png", 96, 64)
    assert open_sheet(path, rows_of(said_rows(2))).size == (96, 64)
    with pytest.raises(PictureError, match="does not hold the tiles"):
        open_sheet(path, rows_of(said_rows(3)))


def test_a_sheet_that_is_gone_or_damaged_is_a_sentence(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.png", 96, 64)
    whole = path.read_bytes()
    huge = whole[:16] + struct.pack(">II", 200_000, 200_000) + whole[24:]
    cases = [(whole[:-300], "damaged"), (b"GIF89a" + whole, "no PNG"), (b"", "no PNG"), (huge, "more than fit")]
    cases += [(whole[:60] + bytes(50) + whole[110:], "damaged"), (whole[:33], "damaged")]
    for content, why in cases:
        path.write_bytes(content)
        with pytest.raises(PictureError, match=why):
            open_sheet(path)
    path.unlink()
    with pytest.raises(PictureError, match="gone; r makes them again"):
        open_sheet(path)
    with pytest.raises(PictureError, match="is no file"):
        open_sheet(tmp_path)


def test_a_tile_is_cut_without_its_neighbours(tmp_path: Path) -> None:
    sheet = Image.new("RGB", (64, 32), "red")
    sheet.paste("blue", (32, 0, 64, 32))
    for size in (10, 24, 32, 200):
        assert cut(sheet, Tile(32, 0, 32, 32), size, size).getcolors() == [(size * size, (0, 0, 255))]


# ---------------------------------------------------------------- where they go


def rows(count: int, tiles: int) -> list[Row]:
    return [Row(f"row {row}", tuple(Tile(0, 0, 32, 32, f"{row}.{i}") for i in range(tiles))) for row in range(count)]


@pytest.mark.parametrize("size", [(58, 17), (78, 21), (118, 36), (198, 56), (30, 8), (7, 3), (2, 1)])
@pytest.mark.parametrize(("count", "tiles"), [(8, 3), (24, 1), (6, 7), (1, 1), (2, 9)])
def test_all_tiles_are_placed_and_none_lies_over_another(size: tuple[int, int], count: int, tiles: int) -> None:
    laid = plan(rows(count, tiles), *size, Widths())
    placed = [tile.caption for line in laid.lines for _, tile in line.tiles]
    assert placed == [f"{row}.{i}" for row in range(count) for i in range(tiles)]
    for line, following in zip(laid.lines, [*laid.lines[1:], None], strict=True):
        columns = [x for x, _ in line.tiles]
        assert all(b - a >= laid.width for a, b in itertools.pairwise(columns))
        assert max(columns) + laid.width <= max(size[0], 2)
        assert following is None or following.top == line.top + line.height
    assert laid.height == laid.width // 2


@pytest.mark.parametrize(
    ("width", "height", "tiles", "size", "across"),
    [(78, 21, 3, 24, 3), (58, 17, 3, 18, 3), (118, 36, 1, 28, 4), (198, 56, 3, 30, 6), (78, 21, 7, 18, 4)],
)
def test_tiles_are_as_large_as_there_is_room(width: int, height: int, tiles: int, size: int, across: int) -> None:
    laid = plan(rows(24, tiles), width, height, Widths())
    assert (laid.width, len(laid.lines[0].tiles)) == (size, across)


def test_few_tiles_are_large(tmp_path: Path) -> None:
    assert plan(rows(2, 3), 198, 56, Widths()).width == 32


def test_flowing_tiles_follow_each_other() -> None:
    laid = plan(rows(3, 4), 78, 21, Widths(), flowing=True)
    assert [len(line.tiles) for line in laid.lines] == [3, 3, 3, 3]
    assert not laid.lines[0].above
    assert laid.rows_between(0, laid.lines[1].top) == (0, 2)


def test_a_row_that_is_too_wide_goes_on_beneath_under_its_second_tile() -> None:
    laid = plan(rows(2, 7), 78, 21, Widths())
    assert [len(line.tiles) for line in laid.lines] == [4, 3, 4, 3]
    assert laid.lines[1].tiles[0][0] == laid.lines[0].tiles[1][0]
    assert [bool(line.above) for line in laid.lines] == [True, False, True, False]


def test_captions_fit_beneath_their_tiles() -> None:
    said = ["cat -> dog 93 %", "sweet_pepper -> orange 93 %", "x" * 2000, "宽" * 40, "", "a b c d"]
    laid = plan([Row("r" * 2000, tuple(Tile(0, 0, 8, 8, text, False) for text in said))], 200, 20, Widths(12, 18, 18))
    words = [said.text for line in laid.lines for row in line.beneath for said in row]
    assert all(cell_len(text) <= laid.width for text in words)
    assert "✗ sweet_pepper ->" in words
    assert "orange 93\N{NO-BREAK SPACE}%" in words
    assert max(len(line.beneath) for line in laid.lines) == 2


def test_a_strip_shows_each_image_in_a_column_with_its_views_beneath_each_other() -> None:
    laid = columns(rows(8, 3), 86, 16)
    assert [[tile.caption for _, tile in line.tiles] for line in laid.lines] == [
        [f"{row}.1" for row in range(7)],
        [f"{row}.2" for row in range(7)],
    ]
    assert laid.tall <= 16
    assert len(columns(rows(8, 3), 46, 12).lines[0].tiles) == 4
    assert len(columns(rows(8, 9), 86, 16).lines) == 2
    assert not columns([], 86, 16).lines
    captioned = [Row("star · image 4024", (Tile(0, 0, 32, 32),))] * 8
    assert columns(captioned, 86, 16).lines[0].above[0].text == "star"
    assert columns(captioned[:1], 86, 40).lines[0].above[0].text == "star · image 4024"
