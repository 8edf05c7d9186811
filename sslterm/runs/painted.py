"""What a method painted while it learned: a PNG an epoch, one row of squares for each kind, and a JSON beside it.

RUN/painted/pretrain-0010.png, .json
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from sslterm.runs import files
from sslterm.runs.directory import Run

GAP = 2
"""Pixels between two squares."""


@dataclass(frozen=True)
class Painting:
    """What was painted at the end of an epoch."""

    stage: str
    epoch: int
    total_steps: int
    side: int
    """Of a square, in pixels."""
    images: tuple[int, ...]
    """Which images of the data set were given, by number; kinds with as many squares are made of them."""
    rows: tuple[tuple[str, int], ...]
    """What each row shows, and how many squares it has."""

    @property
    def name(self) -> str:
        """Of its file, without ending."""
        return f"{self.stage}-{self.epoch:04d}"

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Left and top of a square, in pixels."""
        return column * (self.side + GAP), row * (self.side + GAP)


def keep(run: Run, painting: Painting, write: Callable[[BinaryIO], object]) -> None:
    """Store a painting whose PNG `write` fills, each file whole or not at all. Raises OSError."""
    run.painted.mkdir(exist_ok=True)
    files.write_whole(run.painted / f"{painting.name}.png", write)
    files.write_json(run.painted / f"{painting.name}.json", asdict(painting))


def listed(run: Run) -> list[Painting]:
    """All that there are, in the order of training; what cannot be read is passed over."""
    found = [_read(files.read_or_nothing(path)) for path in run.painted.glob("*.json")]
    return sorted((one for one in found if one), key=lambda one: (one.total_steps, one.epoch))


def _read(said: dict[str, Any]) -> Painting | None:
    try:
        return Painting(
            str(said["stage"]), int(said["epoch"]), int(said["total_steps"]), int(said["side"]),
            tuple(map(int, said["images"])), tuple((str(what), int(count)) for what, count in said["rows"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
