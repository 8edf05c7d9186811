"""Figures side by side: what is better, what is worse, and which columns have room."""

from __future__ import annotations

import asyncio
import math

import pytest
from textual.app import App, ComposeResult

from sslterm.tui.widgets.scores import Scored, Scores, difference, wrapped, written


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.85123, ".8512"), (1.0, "1.0000"), (-0.5, "-.5000"), (0.0, ".0000"), (None, "–"), (math.nan, "nan"),
        (math.inf, "inf"), (1234.5, "1.2e+03"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits(value: float | None, said: str) -> None:
    assert written(value) == said


@pytest.mark.parametrize(
    ("key", "plain", "other", "said", "tone"),
    [
        ("top1", 0.8512, 0.8583, "+.0071 ✓", "good"), ("top1", 0.9, 0.8, "-.1000 ✗", "bad"),
        ("nll", 0.4410, 0.4192, "-.0218 ✓", "good"), ("ece", 0.01, 0.02, "+.0100 ✗", "bad"),
        ("top1", 0.5, 0.50001, "=", "muted"), ("top1", None, 0.5, "–", "muted"), ("top1", math.nan, 0.5, "–", "muted"),
        ("nll", math.inf, math.inf, "–", "muted"),
    ],
)  # fmt: skip
def test_a_difference_has_a_sign_and_says_whether_it_is_better(
    key: str, plain: float | None, other: float | None, said: str, tone: str
) -> None:
    piece = difference(key, plain, other)
    assert (piece.text.strip(), piece.tone) == (said, tone)


def test_words_are_wrapped_and_never_too_long() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("x" * 2000, 5) == ["xxxx…"]
    assert wrapped("", 5) == []


class Alone(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def compose(self) -> ComposeResult:
        yield Scores()

    def on_scores_answer_chosen(self, message: Scores.AnswerChosen) -> None:
        self.told.append(message.place)


def lines(widget: Scores) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


def test_plain_and_flip_stand_side_by_side_and_one_is_chosen() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(37, 16)) as pilot:
            widget = app.query_one(Scores)
            columns = [
                Scored("plain", {"top1": 0.8512, "nll": 0.4410}),
                Scored("flip", {"top1": 0.8583, "nll": 0.4192}),
            ]
            widget.show("probe-0050 · head", columns, 1, ["10,000 images of test"])
            shown = lines(widget)
            assert "probe-0050 · head" in shown[0]
            assert shown[1].split()[1:4] == ["plain", "flip", "diff"]
            assert shown[2].split()[1:6] == ["top-1", ".8512", ".8583", "+.0071", "✓"]
            assert shown[3].split()[1:6] == ["NLL", ".4410", ".4192", "-.0218", "✓"]
            assert any("10,000 images of test" in line for line in shown)
            widget.move(-1, 0)
            widget.move(-1, 0)
            widget.last()
            await pilot.pause()
            assert app.told == [0, 1]

    asyncio.run(go())


def test_of_many_answers_the_chosen_one_and_plain_are_seen() -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=(37, 16)):
            widget = app.query_one(Scores)
            columns = [Scored("plain", {"top1": 0.1})] + [Scored(f"flip@{n}", {"top1": n / 10}) for n in range(2, 9)]
            for chosen, seen in [(7, ".8000"), (3, ".4000"), (0, ".8000")]:
                widget.show("x", columns, chosen)
                line = lines(widget)[2].split()
                assert line[1:4] == ["top-1", ".1000", seen]

    asyncio.run(go())


@pytest.mark.parametrize("size", [(1, 1), (9, 3), (20, 5), (37, 9), (200, 60)])
def test_any_size_is_borne(size: tuple[int, int]) -> None:
    async def go() -> None:
        app = Alone()
        async with app.run_test(size=size):
            widget = app.query_one(Scores)
            widget.show("[red]🦊" * 500, [Scored("plain", {}), Scored("x" * 2000, {"top1": math.nan})], 1, ["y" * 2000])
            widget.move(1, 0)
            assert all(len(line) <= size[0] for line in lines(widget))

    asyncio.run(go())
