"""The screen of checkpoints over real run directories: keys are pressed, commands are started, the screen is read."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seeing import seen
from textual.pilot import Pilot
from textual.widgets import Input

from sslterm.runs import Run, checkpoints, files, list_runs
from sslterm.tui.app import SSLTerm
from sslterm.tui.commands import CommandEnded
from sslterm.tui.config import Config
from sslterm.tui.looking.shelf import AllCheckpoints, CheckpointsSeen, Verified, Verifying
from sslterm.tui.screens.checkpoints import CheckpointsScreen
from sslterm.tui.screens.evaluate_dialog import EvaluateDialog, How, sizes
from sslterm.tui.turns import Order, Turns

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


def made(run: Run, epoch: int, value: float) -> None:
    """One more checkpoint of a recorded run, of other content than the first."""
    original = checkpoints.listed(run)[0]
    name, content = f"supervised-{epoch:04d}.pt", b"%d" % epoch + (run.checkpoints / original.file).read_bytes()
    (run.checkpoints / name).write_bytes(content)
    more = {"epoch": epoch, "size": len(content), "metrics": {"valid/top1": value, "train/loss": 0.5}, "time": 1.7e9}
    described = replace(original, file=name, sha256=files.sha256(run.checkpoints / name), **more)
    checkpoints.describe(run.checkpoints, described)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two finished runs with two and one checkpoints; of `first` the older one is the best."""
    runs_dir = tmp_path / "runs"
    for name in ("first", "second"):
        shutil.copytree(RECORDED, runs_dir / name)
    run = Run(runs_dir / "first")
    made(run, 3, 0.5)
    checkpoints.point(run, "latest", {"file": "supervised-0003.pt"})
    return runs_dir


def holds(*words: str) -> Callable[[str], bool]:
    return lambda shown: all(word in shown for word in words)


Play = Callable[[CheckpointsScreen, Pilot[None]], Awaitable[None]]


def on_screen(
    runs: Path, play: Play, *names: str, size: tuple[int, int] = (100, 30), theme: str = "dark", **more: Any
) -> None:
    """Open the screen of the runs of these names, or of all."""

    async def go() -> None:
        app = SSLTerm(runs, runs.parent / "data", Config(theme=theme), **more)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            wanted = [Run(runs / name) for name in names] or list_runs(runs)
            screen = CheckpointsScreen(app.house, wanted)
            await app.push_screen(screen)
            await play(screen, pilot)

    asyncio.run(go())


class TestLooking:
    @pytest.mark.parametrize("size", SIZES)
    def test_every_size_shows_which_is_good_and_whether_it_is_whole(self, runs: Path, size: tuple[int, int]) -> None:
        (runs / "first" / "checkpoints" / "supervised-0003.pt").write_bytes(b"cut")

        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            shown = await seen(pilot, holds("first", "2 checkpoints", "✗ 1 damaged", "✓ verified", "damaged: 3"))
            assert "★ supervised-0002" in shown
            assert "sha256" in shown  # beneath the list, or beside it
            assert ("measured in training" in shown) == (size[0] >= 120)
            assert ".950 -.019" in shown or size[0] < 80

        on_screen(runs, play, "first", size=size)

    @pytest.mark.parametrize("theme", ["light", "ansi", "high-contrast"])
    def test_themes(self, runs: Path, theme: str) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("2 runs", "3 checkpoints", "second", "✓ verified"))

        on_screen(runs, play, theme=theme)

    def test_what_training_saves_and_deletes_meanwhile_comes_and_goes(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("2 checkpoints"))
            made(Run(runs / "first"), 4, 0.9)
            await seen(pilot, holds("3 checkpoints", "supervised-0004"))
            for name in ("supervised-0004.json", "supervised-0004.pt"):
                (runs / "first" / "checkpoints" / name).unlink()
            await seen(pilot, lambda shown: "2 checkpoints" in shown and "supervised-0004" not in shown)
            shutil.rmtree(runs / "first")
            await seen(pilot, holds("the run is gone"))
            await pilot.press("e", "t", "f", "x", "D", "P", "y", "v", "enter", "space", "asterisk", "o", "O", "G", "k")
            await seen(pilot, holds("there is no checkpoint under the cursor"))

        on_screen(runs, play, "first")

    def test_a_file_that_is_spoilt_while_it_is_shown_is_called_damaged(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda shown: shown.count("✓ verified") >= 2)
            path = runs / "first" / "checkpoints" / "supervised-0003.pt"
            content = bytearray(path.read_bytes())
            content[7] ^= 1
            path.write_bytes(content)
            await seen(pilot, holds("✗ damaged: sha256 differs"))
            await pilot.press("f")
            await seen(pilot, holds("supervised-0003 is damaged: sha256 differs"))

        on_screen(runs, play, "first")

    def test_v_reads_again_and_says_what_came_of_it(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, lambda shown: shown.count("✓ verified") >= 3)
            await pilot.press("asterisk", "v")
            await seen(pilot, holds("3 files read again: whole"))
            await seen(pilot, lambda shown: shown.count("✓ verified") >= 3)

        on_screen(runs, play)

    def test_nothing_to_show_says_what_to_do(self, runs: Path) -> None:
        shutil.rmtree(runs / "second" / "checkpoints")

        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("second holds no checkpoint yet", "saved after each epoch"))

        on_screen(runs, play, "second")

    def test_esc_drops_the_marks_first_and_leaves_then(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("3 checkpoints"))
            await pilot.press("space", "j", "space")
            await seen(pilot, holds("2 marked"))
            await pilot.press("escape")
            await seen(pilot, lambda shown: "marked" not in shown.split("\n")[0] and "3 checkpoints" in shown)
            await pilot.press("escape")
            await seen(pilot, lambda shown: "3 checkpoints" not in shown)

        on_screen(runs, play)


class TestDoing:
    def test_deleting_asks_names_the_best_and_is_done_by_the_command(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("2 checkpoints", "supervised-0003"))
            await pilot.press("j", "D")
            await seen(pilot, holds("delete supervised-0002 of first for good, 406 KB?", "of first is the best"))
            await pilot.press("enter")
            await seen(pilot, lambda shown: "y yes" not in shown)
            assert len(checkpoints.listed(Run(runs / "first"))) == 2
            await pilot.press("D", "y")
            await seen(pilot, holds("1 checkpoint ", "best.json: named checkpoints that are gone"))
            assert checkpoints.pointer(Run(runs / "first"), "best")["supervised"]["file"] == "supervised-0003.pt"

        on_screen(runs, play, "first")

    def test_pruning_says_how_many_and_how_much(self, runs: Path) -> None:
        made(Run(runs / "first"), 1, 0.2)

        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("3 checkpoints"))
            await pilot.press("P")
            await seen(pilot, holds("prune first? Deletes 1 checkpoint, 406 KB, for good", "y yes"))
            await pilot.press("y")
            await seen(pilot, holds("2 checkpoints"))
            await pilot.press("P")
            await seen(pilot, holds("nothing to prune"))

        on_screen(runs, play, "first")

    def test_paths_are_copied(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("3 checkpoints"))
            await pilot.press("asterisk", "y")
            await seen(pilot, holds("copied 3 paths"))
            assert screen.app.clipboard.splitlines()[0] == str(runs / "first" / "checkpoints" / "supervised-0003.pt")

        on_screen(runs, play)

    def test_a_read_only_view_changes_nothing(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("3 checkpoints", "read-only"))
            for key in ("e", "t", "f", "x", "D", "P"):
                await pilot.press(key)
            await seen(pilot, holds("this is a read-only view"))
            assert screen.app.screen is screen
            assert screen.turns.at_work is None

        on_screen(runs, play, readonly=True)

    def test_the_command_of_an_evaluation_names_the_marked_ones_of_each_run(self, runs: Path) -> None:
        orders: list[Order] = []

        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            screen.turns.add = orders.extend  # type: ignore[method-assign,assignment]
            await seen(pilot, holds("3 checkpoints"))
            await pilot.press("asterisk", "e")
            await seen(pilot, holds("evaluate 3 checkpoints of 2 runs", "protocol", "else a linear probe"))
            await pilot.press("right", "right", "tab", "space", "tab", *"36,", "tab", "left", "enter")
            await seen(pilot, holds("one run after another"))
            how = ["--protocol", "knn", "--tta", "--tta-scales", "36", "--split", "valid"]
            assert [order.arguments[1:] for order in orders] == [
                [str(runs / "first"), "--checkpoint", "supervised-0003.pt,supervised-0002.pt", "--json", *how],
                [str(runs / "second"), "--checkpoint", "supervised-0002.pt", "--json", *how],
            ]
            assert all(order.data for order in orders)
            await pilot.press("escape", "t", "e")  # with flip, then as it was asked for last
            await seen(pilot, holds("● knn", "● yes", "● valid"))
            assert orders[2].arguments[3:] == ["supervised-0003.pt", "--json", "--tta"]

        on_screen(runs, play)

    def test_answers_are_told_and_appear_in_the_list(self, runs: Path) -> None:
        evaluations = runs / "second" / "evaluations"
        answers = sorted((files.read_json(path) for path in evaluations.iterdir()), key=lambda one: bool(one["tta"]))
        kept = evaluations.rename(runs / "kept")
        evaluations.mkdir()

        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("1 checkpoint ", "not evaluated yet: e"))
            shutil.copytree(kept, evaluations, dirs_exist_ok=True)
            screen.post_message(CommandEnded("evaluates it", [], 0, json.dumps(answers), "supervisor: ended"))
            await seen(pilot, holds("supervised-0002: test head .969 · flip .950 -.019"))
            await seen(pilot, holds("test head .969 · flip .950 -.019 · sha256"))
            screen.post_message(CommandEnded("evaluates it", [], 1, "", "a sentence that says why not"))
            shown = await seen(pilot, holds("a sentence that says why not"))
            assert shown.count("a sentence that says why not") == 1

        on_screen(runs, play, "second")

    def test_a_target_is_asked_for_before_weights_are_exported(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("1 checkpoint "))
            await pilot.press("x")
            await seen(pilot, holds("write the encoder of supervised-0002 of second to"))
            assert screen.app.screen.query_one(Input).value.endswith("second-supervised-0002-encoder.pt")
            await pilot.press("escape")
            await seen(pilot, holds("1 checkpoint "))

        on_screen(runs, play, "second")


class TestDialog:
    def test_sizes_that_are_none_are_refused_where_they_are_written(self, runs: Path) -> None:
        async def play(screen: CheckpointsScreen, pilot: Pilot[None]) -> None:
            await seen(pilot, holds("1 checkpoint "))
            await pilot.press("e", "tab", "tab", *"3x", "enter")
            await seen(pilot, holds("scales: '3x' is no size"))
            assert isinstance(screen.app.screen, EvaluateDialog)
            await pilot.press("escape")
            await seen(pilot, lambda shown: "no size" not in shown)
            assert screen.turns.at_work is None

        on_screen(runs, play, "second", size=(60, 20))

    @pytest.mark.parametrize(("said", "meant"), [("", ""), ("36", "36"), (" 36 ,40, ", "36,40"), ("36 40", "36,40")])
    def test_sizes_are_written_in_many_ways(self, said: str, meant: str) -> None:
        assert sizes(said) == meant

    @pytest.mark.parametrize("said", ["0", "-3", "3.5", "x", "99999", "²"])
    def test_sizes_that_are_none(self, said: str) -> None:
        with pytest.raises(ValueError, match="is no size"):
            sizes(said)

    def test_what_goes_without_saying_is_not_said(self) -> None:
        assert How().options() == []


class TestShelf:
    def test_thousands_of_runs_are_told_in_parts_and_then_only_what_changed(
        self, runs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sslterm.tui.looking.shelf.FIRST", 0.0)
        monkeypatch.setattr("sslterm.tui.looking.shelf.LONGEST", 0.0)
        look = AllCheckpoints([*list_runs(runs), Run(runs / "never"), Run(runs / "first")])
        told = [look() for _ in range(3)]
        assert all(isinstance(one, CheckpointsSeen) for one in told)
        assert [(one.looked, one.of, len(one.rows), one.gone) for one in told] == [  # type: ignore[union-attr]
            (1, 3, 2, 0), (2, 3, 3, 0), (3, 3, 3, 1),
        ]  # fmt: skip
        look.due = 0.0
        assert look() is None
        made(Run(runs / "first"), 9, 0.1)
        look.due = 0.0
        message = look()
        assert isinstance(message, CheckpointsSeen)
        assert [row["epoch"] for row in message.rows] == [9, 3, 2, 2]

    def test_files_are_read_when_seen_or_asked_for_and_no_others(self, runs: Path) -> None:
        look = AllCheckpoints(list_runs(runs))
        message = look()
        assert isinstance(message, CheckpointsSeen)
        rows, verifying = message.rows, Verifying()
        assert verifying() is None
        verifying.view(rows[:1])
        first = verifying()
        assert isinstance(first, Verified)
        assert list(first.findings) == [rows[0]["path"]]
        assert verifying() is None
        verifying.ask([rows[2]])
        second = verifying()
        assert isinstance(second, Verified)
        assert (list(second.findings), second.left) == ([rows[2]["path"]], 0)
        verifying.ask([rows[2]])
        verifying.ended = True
        third = verifying()
        assert isinstance(third, Verified)
        assert third.findings == {}


def test_commands_take_turns(runs: Path) -> None:
    """One at a time, and also where the one before came to nothing."""
    told: list[Any] = []
    turns = Turns(SSLTerm(runs, runs).house.place, told.append)
    turns.add([Order("a", ["tag", "nowhere"]), Order("b", ["tag", "first", "x"])])
    turns.add([Order("c", ["tag", "first", "y"])])
    assert (turns.at_work and turns.at_work.title, turns.waiting) == ("a", 2)
    until = time.monotonic() + 20
    while len(told) < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert [(one.title, one.code) for one in told] == [("a", 3), ("b", 0), ("c", 0)]
    assert Run(runs / "first").notes()["tags"] == ["schema-1", "x", "y"]
    assert turns.at_work is None
