"""The confusion matrix: shades without colour, sizes of cells, a cursor that the window follows."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from textual.app import App, ComposeResult

from sslterm.tui.widgets.confusion import ConfusionMatrix, shares
from sslterm.tui.widgets.confusion.layout import fitted, heads
from sslterm.tui.widgets.confusion.shading import legend, levels, of_largest, short


class Alone(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.moved: list[tuple[int, int]] = []
        self.opened = 0

    def compose(self) -> ComposeResult:
        yield ConfusionMatrix()

    def on_confusion_matrix_cell_moved(self, message: ConfusionMatrix.CellMoved) -> None:
        self.moved.append((message.truth, message.guess))

    def on_confusion_matrix_cell_opened(self) -> None:
        self.opened += 1


def lines(matrix: ConfusionMatrix) -> list[str]:
    return [matrix.render_line(y).text for y in range(matrix.size.height)]


def random_matrix(classes: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 5, (classes, classes)) + 60 * np.eye(classes, dtype=np.int64)


# ---------------------------------------------------------------- shades


def test_rows_are_shares_of_their_sum_and_an_empty_row_stays_empty() -> None:
    assert shares(np.array([[3, 1], [0, 0]])).tolist() == [[0.75, 0.25], [0, 0]]
    assert of_largest(np.array([[4, 1], [0, 2]])).tolist() == [[1, 0.25], [0, 0.5]]
    assert of_largest(np.zeros((2, 2), dtype=np.int64)).tolist() == [[0, 0], [0, 0]]


def test_a_shade_says_from_where_it_begins() -> None:
    assert levels(np.array([0, 0.001, 0.02, 0.1, 0.3, 0.75, 1])).tolist() == [0, 1, 2, 3, 4, 5, 5]
    assert legend(None) == "· > 0  ░ 2  ▒ 10  ▓ 30  █ 75 %"
    assert legend(1000) == "· > 0  ░ 20  ▒ 100  ▓ 300  █ 750"


@pytest.mark.parametrize(("count", "said"), [(0, "0"), (9_999, "9999"), (12_345, "12k"), (12_345_678, "12M")])
def test_counts_take_four_cells_at_most(count: int, said: str) -> None:
    assert short(count) == said


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 37, 100, 1000])
@pytest.mark.parametrize(("width", "height"), [(3, 1), (36, 12), (39, 17), (56, 16), (76, 30), (200, 60)])
def test_the_matrix_never_takes_more_than_its_room(classes: int, width: int, height: int) -> None:
    grid = fitted([f"class {place}" for place in range(classes)], 3, width, height)
    assert grid.columns >= 1
    assert grid.rows >= 1
    if width > 10:
        assert grid.label + 1 + grid.columns * grid.cell <= width
    if height > 2:
        assert 1 + grid.rows * grid.tall <= height


def test_ten_classes_with_long_names_fit_half_of_eighty_columns() -> None:
    grid = fitted(["airplane", "automobile", *[f"animal {n}" for n in range(8)]], 3, 39, 17)
    assert (grid.rows, grid.columns) == (10, 10)
    assert grid.cell == 3


def test_cells_have_numbers_where_there_is_room() -> None:
    assert fitted(list("0123456789"), 3, 39, 17).digits == 0
    assert fitted(list("0123456789"), 3, 79, 17).digits == 3


def test_names_above_columns_lose_what_they_all_begin_with() -> None:
    assert heads(["digit 1", "digit 2"], 2) == ["1 ", "2 "]
    assert heads(["cat", "dog"], 2) == ["ca", "do"]
    assert heads(["one", "one more"], 3) == ["one", "one"]
    assert heads([], 2) == []
    assert heads(["🦊", "x" * 2000], 3) == ["🦊 ", "xxx"]


# ---------------------------------------------------------------- the widget


def test_shades_names_and_cursor_read_without_colour() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(30, 8)):
            matrix = app.query_one(ConfusionMatrix)
            matrix.show(["cat", "dog", "eel"], np.array([[90, 10, 0], [40, 60, 0], [1, 0, 99]]))
            matrix.go(1, 0)
            text = "\n".join(lines(matrix))
            assert "confusion · % of row" in text
            assert "cat" in text
            assert " 90" in text
            assert "▸▓" in text
            assert "▓▓ 40" in text or "▓ 40" in text
            assert "·" in next(line for line in lines(matrix) if line.startswith("│ eel"))
            matrix.shares = False
            text = "\n".join(lines(matrix))
            assert "confusion · images" in text
            assert " 99" in text

    asyncio.run(go())


def test_a_cursor_that_moves_is_told_stays_inside_and_is_always_seen() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(46, 20)) as pilot:
            matrix = app.query_one(ConfusionMatrix)
            matrix.show([f"name-{place}" for place in range(100)], random_matrix(100))
            for columns, rows in [(1, 0), (0, 1), (-9, 0), (500, 500), (0, -30), (-60, 0)]:
                matrix.move(columns, rows)
                assert "▸" in "\n".join(lines(matrix)[2:-1])
            matrix.first()
            matrix.page(1)
            await pilot.pause()
            assert app.moved[-1] == (matrix.truth, 39)
            assert 0 < matrix.truth < 99
            assert f"name-{matrix.guess}" in lines(matrix)[1]
            assert "of 100" in lines(matrix)[0]
            matrix.last()
            assert matrix.truth == 99

    asyncio.run(go())


def test_only_lines_that_changed_are_sent_again() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(60, 20)) as pilot:
            matrix = app.query_one(ConfusionMatrix)
            matrix.show(list("0123456789"), random_matrix(10))
            await pilot.pause()
            before = lines(matrix)
            matrix.move(0, 1)
            changed = [y for y, (old, new) in enumerate(zip(before, lines(matrix), strict=True)) if old != new]
            assert len(changed) == 2

    asyncio.run(go())


def test_a_click_takes_the_cell_under_it() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(40, 12)) as pilot:
            matrix = app.query_one(ConfusionMatrix)
            matrix.show(list("abcd"), random_matrix(4))
            await pilot.pause()
            grid = matrix._grid()
            await pilot.click(ConfusionMatrix, offset=(2 + grid.label + 1 + 2 * grid.cell + 1, 2 + 3 * grid.tall))
            await pilot.click(ConfusionMatrix, offset=(0, 0))
            assert (matrix.truth, matrix.guess) == (3, 2)
            await pilot.double_click(ConfusionMatrix, offset=(2 + grid.label + 2, 2))
            assert (matrix.truth, matrix.guess) == (0, 0)
            assert app.opened == 1

    asyncio.run(go())


@pytest.mark.parametrize("size", [(1, 1), (7, 2), (20, 4), (200, 60)])
def test_any_size_and_any_names_are_borne(size: tuple[int, int]) -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=size):
            matrix = app.query_one(ConfusionMatrix)
            matrix.show([], None)
            assert all(len(line) <= size[0] for line in lines(matrix))
            matrix.move(1, 1)
            matrix.page(1)
            matrix.show(["[red]x[/]", "🦊" * 50, "y\x1b[2J" * 500], np.array([[1, 0, 0], [0, 0, 0], [2, 1, 7]]))
            assert not any("\x1b" in line for line in lines(matrix))

    asyncio.run(go())


def test_a_thousand_classes_are_drawn_in_milliseconds() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(200, 60)):
            matrix = app.query_one(ConfusionMatrix)
            matrix.show([f"class {place}" for place in range(1000)], random_matrix(1000))
            began = time.process_time()
            for _ in range(10):
                matrix.move(1, 1)
            assert (time.process_time() - began) / 10 < 0.05

    asyncio.run(go())
