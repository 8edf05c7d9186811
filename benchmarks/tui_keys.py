"""Keys for `benchmarks/tui.py`: which are pressed, what each does that can be seen, and how long that takes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from itertools import cycle

from tui_terminal import Screen, Terminal

Key = tuple[str, Callable[[Screen], object]]
"""What is typed, and whether a screen shows what it does."""
CURSOR_AT = 3
"""A column of a row of the list that has the cursor's background."""
AXES = ("step ╯", "relative ╯", "wall ╯", "epoch ╯")


def cursor(screen: Screen) -> tuple[int, str] | None:
    """The line that the list's cursor is on, and what it says: its background differs from that of most lines."""
    grounds = [row[CURSOR_AT] for row in screen.grounds[2:-1]]
    usual = statistics.mode(grounds)
    place = next((place for place, ground in enumerate(grounds, 2) if ground != usual), None)
    return None if place is None else (place, screen.lines[place][:40])


def marked(screen: Screen) -> int:
    """How many of the runs in sight are marked."""
    return sum(row[:2].strip() != "" for row in screen.lines[2:-1])


def of_list(screen: Screen) -> Iterator[Key]:
    """The cursor goes down, and up now and then; marks come and go."""
    for key in cycle("jjjkjj jk j"):
        before = cursor(screen)
        assert before is not None, screen.text
        if key == " ":
            marks = marked(screen)
            yield key, lambda now, marks=marks: marked(now) != marks
        else:
            yield key, lambda now, before=before: cursor(now) not in (before, None)


def of_charts(screen: Screen) -> Iterator[Key]:
    """Logarithms come and go, the x axis is another one, pages are turned."""
    for axis in cycle(AXES):
        logs = "log y" in screen.text
        yield "L", lambda now, logs=logs: ("log y" in now.text) != logs
        yield "x", lambda now, axis=axis: axis in now.text
        yield "2", lambda now: "╯" not in now.text
        yield "1", lambda now: "╯" in now.text


def press(terminal: Terminal, keys: Callable[[Screen], Iterator[Key]], count: int) -> list[float]:
    """Milliseconds from each key to its effect, a little apart from one another."""
    taken = []
    source = keys(terminal.screen)
    for number in range(count):
        terminal.rest(0.05 + 0.017 * (number % 7))  # at any moment of whatever goes on there
        key, true = next(source)
        pressed = terminal.press(key)
        at = terminal.until(true, 10)
        assert at is not None, f"{key!r} did nothing:\n{terminal.screen.text}"
        taken.append((at - pressed) * 1000)
    return taken
