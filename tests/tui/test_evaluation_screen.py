"""The evaluation screen over the recorded run, made-up answers, and damage: keys are pressed, text is read."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seeing import seen, text
from textual.app import App

from sslterm.runs import Run
from sslterm.tui import actions, themes
from sslterm.tui.commands import Place
from sslterm.tui.screens.evaluation import EvaluationScreen
from sslterm.tui.screens.evaluation.layout import layout
from sslterm.tui.screens.pictures import PicturesScreen
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.answer_list import AnswerList
from sslterm.tui.widgets.class_bars import ClassBars
from sslterm.tui.widgets.confusion import ConfusionMatrix

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
FLIP = {"flip": True, "scales": []}


class Alone(App[None]):
    """The screen, and nothing else."""

    CSS = "Screen { background: $background; } Toast { max-width: 76; }"

    def __init__(self, run: Path, file: str | None = None) -> None:
        super().__init__()
        self.run_path, self.file = run, file
        self.copied = ""

    def on_mount(self) -> None:
        self.register_theme(themes.HIGH_CONTRAST)
        house = House(Place(self.run_path.parent, self.run_path.parent), actions.ACTIONS, lambda theme: None)
        self.push_screen(EvaluationScreen(house, Run(self.run_path), self.file))

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text


def made_up(classes: list[str], images: int = 40) -> dict[str, Any]:
    """An answer of these classes, wrong in ways that are always the same."""
    rng = np.random.default_rng(len(classes))
    right = images * 2 // 3 * np.eye(len(classes), dtype=np.int64)
    matrix = right + rng.integers(0, images // 8 + 1, (len(classes), len(classes)))
    return {
        "checkpoint": {"file": "probe-0007.pt", "sha256": "a", "stage": "probe", "epoch": 7},
        "protocol": "head", "tta": None, "split": "test", "n": int(matrix.sum()), "classes": classes,
        "metrics": {"top1": float(matrix.trace() / matrix.sum()), "nll": 0.5, "ece": 0.1},
        "confusion": matrix.tolist(), "time": 1000.0, "seconds": 1.5,
        "reliability": [{"confidence": (n + 0.5) / 15, "accuracy": n / 15, "count": n} for n in range(15)],
    }  # fmt: skip


def write(run: Path, name: str, said: dict[str, Any]) -> None:
    (run / "evaluations").mkdir(parents=True, exist_ok=True)
    aside = run / "evaluations" / f".{name}.tmp"
    aside.write_text(json.dumps(said))
    aside.replace(run / "evaluations" / f"{name}.json")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path / "runs" / "first"))


def test_every_size_has_a_layout_in_which_each_part_is_on_one_page() -> None:
    for width in (1, 60, 75, 76, 80, 119, 120, 179, 180, 200, 500):
        for height in (1, 20, 24, 33, 34, 60):
            parts = [part for page in layout(width, height).pages for part in page]
            assert sorted(parts) == sorted(set(parts))
            assert len(parts) == 5


@pytest.mark.parametrize(("size", "tabs"), [((60, 20), 5), ((80, 24), 5), ((120, 40), 0), ((200, 60), 0)])
def test_all_parts_are_seen_or_reached_by_tab(recorded: Path, size: tuple[int, int], tabs: int) -> None:
    async def go() -> None:
        async with Alone(recorded).run_test(size=size) as pilot:
            shown = [await seen(pilot, lambda text: "confusion · flip" in text)]
            assert "evaluations first   2 answers to 1 question" in shown[0]
            assert "3 of 36 images of 5 were taken for 9 (8 %)" in shown[0]
            assert "supervised-0002" in shown[0]
            for _ in range(tabs):
                await pilot.press("tab")
                shown.append(await seen(pilot, lambda text: bool(text)))
            whole = "\n".join(shown)
            for words in ("top-1", ".9499", "worst F1 first", "ECE .4915", "top-1 · supervised · head", "confusion"):
                assert words in whole, words
            await pilot.press("shift+tab", "tab")
            await seen(pilot, lambda text: bool(text))

    asyncio.run(go())


def test_arrows_move_the_cell_and_the_words_and_the_classes_follow(recorded: Path) -> None:
    async def go() -> None:
        app = Alone(recorded)
        async with app.run_test(size=(120, 40)) as pilot:
            await seen(pilot, lambda text: "taken for 9 (8 %)" in text)
            await pilot.press("g", "home")
            await seen(pilot, lambda text: "none of 36 images of 0 was taken for 9" in text)
            await pilot.press("left", "h", "left", "h", "h")
            await seen(pilot, lambda text: "1 of 36 images of 0 was taken for 4 (3 %)" in text)
            await pilot.press("j", "down", "k", "up", "l", "right", "G")
            await seen(pilot, lambda text: "none of 36 images of 9 was taken for 6" in text)
            await pilot.press("ctrl+u", "ctrl+d", "percent_sign")
            await seen(pilot, lambda text: "confusion · flip · images" in text)
            assert app.screen.query_one(ClassBars)._place == app.screen.query_one(ConfusionMatrix).truth
            await pilot.press("tab", "j")  # to the classes, the one but the worst of them
            await seen(pilot, lambda text: "3 of 36 images of 5 were taken for 9" in text)
            await pilot.press("tab", "left", "left")
            await seen(pilot, lambda text: "predictions with confidence" in text)
            await pilot.press("tab", "left", "j", "pagedown", "end", "shift+tab")
            await seen(pilot, lambda text: "predictions with confidence" in text)

    asyncio.run(go())


def test_a_cell_opens_its_pictures_or_says_why_not(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    whole = PicturesScreen.__init__

    def noted(self: PicturesScreen, house: House, of: Path, kind: str = "views", options: tuple[str, ...] = ()) -> None:
        opened.append((of, kind, options))
        whole(self, house, of, kind, options)

    monkeypatch.setattr(PicturesScreen, "__init__", noted)

    async def go() -> None:
        app = Alone(recorded)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, lambda text: "taken for 9 (8 %)" in text)
            await pilot.press("h", "enter")
            await seen(pilot, lambda text: "Open: none of 36 images of 5 was taken for 8" in text)
            await pilot.press("h", "h", "h", "enter")
            await seen(pilot, lambda text: "Open: these were recognised" in text)
            assert not opened
            app.screen.query_one(ConfusionMatrix).move(4, 0)
            await pilot.pause()
            monkeypatch.setattr(app, "push_screen", lambda screen: None)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.press("shift+tab", "left", "tab", "enter")  # of the plain answer
            await pilot.pause()
            assert opened[0] == (recorded, "mistakes", (
                "--truth", "5", "--guess", "9", "--checkpoint", "supervised-0002", "--protocol", "head",
                "--split", "test", "--tta",
            ))  # fmt: skip
            assert opened[1][2] == opened[0][2][:-1]

    asyncio.run(go())


def test_answers_are_stepped_through_and_begin_with_the_file_asked_for(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for epoch, when in ((5, 1.0), (6, 2.0), (7, 3.0)):
        said = made_up(["cat", "dog"])
        said["checkpoint"] = {**said["checkpoint"], "file": f"probe-000{epoch}.pt", "epoch": epoch}
        write(run, f"{epoch}", {**said, "time": when})
        write(run, f"{epoch}-flip", {**said, "time": when, "tta": FLIP})

    async def go() -> None:
        app = Alone(run, file="probe-0006.pt")
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, lambda text: "2/3  probe-0006 · head · test" in text)
            await pilot.press("n")
            await seen(pilot, lambda text: "3/3  probe-0005" in text)
            await pilot.press("n")
            await seen(pilot, lambda text: "1/3  probe-0007" in text)
            await pilot.press("N")
            await seen(pilot, lambda text: "3/3  probe-0005" in text)
            await pilot.press("y")
            await seen(pilot, lambda text: "copied the figures of probe-0005" in text)
            assert app.copied.startswith("run · probe-0005 · head · test")
            await pilot.resize_terminal(120, 40)
            await seen(pilot, lambda text: "questions" in text and "1/3" not in text)
            app.screen.query_one(AnswerList).focus()
            await pilot.press("g", "j")
            await seen(pilot, lambda text: "▸ probe-0006" in text)

    asyncio.run(go())


def test_the_cursor_stays_on_the_worst_confusion_until_somebody_moves_it(tmp_path: Path) -> None:
    plain = {**made_up(["cat", "dog"]), "confusion": [[9, 1], [3, 7]]}
    write(tmp_path, "a", plain)

    async def go() -> None:
        async with Alone(tmp_path).run_test(size=(80, 24)) as pilot:
            await seen(pilot, lambda text: "3 of 10 images of dog were taken for cat" in text)
            write(tmp_path, "b", {**plain, "tta": FLIP, "confusion": [[5, 5], [3, 7]], "time": 2000.0})
            await seen(pilot, lambda text: "5 of 10 images of cat were taken for dog" in text)
            await pilot.press("j")
            await seen(pilot, lambda text: "7 of 10 images of dog were recognised" in text)
            write(tmp_path, "c", {**plain, "protocol": "knn", "confusion": [[5, 5], [1, 9]]})
            await seen(pilot, lambda text: "1/2" in text)
            await pilot.press("n")
            await seen(pilot, lambda text: "9 of 10 images of dog were recognised" in text)

    asyncio.run(go())


def test_a_file_that_was_not_evaluated_is_said(recorded: Path) -> None:
    async def go() -> None:
        async with Alone(recorded, file="supervised-0001.pt").run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, lambda text: "supervised-0001.pt was not evaluated yet" in text)

    asyncio.run(go())


def test_new_answers_appear_damaged_ones_are_counted_and_a_run_may_go(tmp_path: Path) -> None:
    run = tmp_path / "[red]run"
    run.mkdir()

    async def go() -> None:
        async with Alone(run).run_test(size=(80, 24), notifications=True) as pilot:
            shown = await seen(pilot, lambda text: "no evaluation of [red]run yet" in text)
            assert "press e on the run" in shown
            assert isinstance(pilot.app.screen, EvaluationScreen)
            soon = pilot.app.screen.watch_answers.soon
            assert "sslterm eval '[red]run' --tta" in shown
            await pilot.press("enter", "n", "y", "tab", "j", "percent_sign", "g")
            await seen(pilot, lambda text: "Next: there is no evaluation yet" in text)
            (run / "evaluations").mkdir()
            (run / "evaluations" / "b.json").write_bytes(b"\x00\xff[")
            soon()
            await seen(pilot, lambda text: "no evaluation can be read" in text and "not JSON" in text)
            write(run, "a", made_up(["cat", "dog"]))
            soon()
            await seen(pilot, lambda text: "1 answer to 1 question   ✗ 1 file cannot be read" in text)
            await seen(pilot, lambda text: "images of cat" in text or "images of dog" in text)
            write(run, "c", {**made_up(["cat", "dog"]), "time": 2000.0, "protocol": "knn"})
            soon()
            await seen(pilot, lambda text: "new: probe-0007 · knn · test" in text and "2/2  probe-0007 · head" in text)
            write(run, "a", {"checkpoint": {"file": "probe-0007.pt"}})
            soon()
            await seen(pilot, lambda text: "2 answers" in text)
            shutil.rmtree(run)
            soon()
            await seen(pilot, lambda text: "is not there any more" in text)

    asyncio.run(go())


NAMES = [
    "[red]cat[/]",
    "🦊" * 40,
    "x" * 2000,
    "\x1b[2Jdog\x07",
    "",
    " ",
    "e\u0301" * 30,
    "日本語のクラス",
    "a\nb",
    "--tta",
]


@pytest.mark.parametrize(
    "classes", [["yes", "no"], NAMES, [f"class {n} " + "x" * (n % 40) for n in range(100)], ["one"]]
)
def test_any_classes_fit_any_size(tmp_path: Path, classes: list[str]) -> None:
    write(tmp_path / "run", "a", made_up(classes))
    write(tmp_path / "run", "b", {**made_up(classes), "tta": FLIP, "metrics": {"top1": "nan", "ece": math.inf}})

    async def go() -> None:
        async with Alone(tmp_path / "run").run_test(size=(80, 24)) as pilot:
            await seen(pilot, lambda text: "confusion · flip" in text)
            screen = pilot.app.screen
            assert isinstance(screen, EvaluationScreen)
            for size in ((200, 60), (1, 1), (60, 20)):
                await pilot.resize_terminal(*size)
                for _ in range(5):
                    for do in (screen.do_next, screen.do_down, screen.do_right, screen.do_last, screen.do_page_up):
                        do()
                    await pilot.pause()
                    shown = text(pilot.app)
                    assert "\x1b" not in shown
                    assert "\x07" not in shown
            await pilot.press("percent_sign", "n", "y", "enter", "escape")

    asyncio.run(go())


@pytest.mark.parametrize("said", [
    {"checkpoint": {"file": "a.pt"}},
    {"checkpoint": {"file": "a.pt"}, "classes": ["x"], "confusion": [[1, 2]], "per_class": [None], "reliability": [3]},
    {"checkpoint": {"file": "a.pt"}, "classes": ["x", "y"], "metrics": {"top1": "nan"}, "n": -1, "time": "inf"},
])  # fmt: skip
def test_what_lacks_is_said_and_nothing_ends(tmp_path: Path, said: dict[str, Any]) -> None:
    write(tmp_path / "run", "a", said)

    async def go() -> None:
        async with Alone(tmp_path / "run").run_test(size=(120, 40), notifications=True) as pilot:
            await seen(pilot, lambda text: "this answer holds no confusion matrix" in text)
            await pilot.press("tab", "j", "tab", "left", "tab", "G", "percent_sign", "y", "enter")
            await seen(pilot, lambda text: "Open: this answer holds no confusion matrix" in text)

    asyncio.run(go())


@pytest.mark.parametrize("colour", [True, False])
def test_every_theme_shows_the_same_words(recorded: Path, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if colour:
        monkeypatch.delenv("NO_COLOR")

    async def go() -> None:
        async with Alone(recorded).run_test(size=(120, 40)) as pilot:
            shown = await seen(pilot, lambda text: "taken for 9 (8 %)" in text)
            assert "██" in shown
            assert "▸░░" in shown
            for theme in themes.PLAIN.values():
                pilot.app.theme = theme
                assert await seen(pilot, lambda text: bool(text)) == shown

    asyncio.run(go())
