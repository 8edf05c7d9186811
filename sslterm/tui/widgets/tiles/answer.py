"""What `sslterm pictures --json` said: rows of tiles that lie on one sheet. Nothing of it is believed unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm.errors import UserError
from sslterm.tables import safe


class PictureError(UserError):
    """Pictures that cannot be shown, and why."""


@dataclass(frozen=True)
class Tile:
    """One image: where it lies on the sheet, and what is said of it."""

    x: int
    y: int
    width: int
    height: int
    caption: str = ""
    right: bool | None = None
    """Whether it was taken for what it is; None where that is no question."""


@dataclass(frozen=True)
class Row:
    """Tiles that belong together."""

    caption: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Answer:
    """All of it."""

    kind: str
    title: str
    sheet: Path
    rows: tuple[Row, ...]


def answer_of(out: str, within: Path) -> Answer:
    """What a command printed. Raises PictureError where it is no answer, or its sheet lies outside of `within`."""
    try:
        said = json.loads(out)
        answer = Answer(str(said["kind"]), _words(said["title"]), Path(said["sheet"]), rows_of(said["rows"]))
    except (ValueError, KeyError, TypeError) as error:
        raise PictureError(f"what `sslterm pictures` said is no answer ({error}); r asks it again") from None
    try:
        inside = answer.sheet.resolve().is_relative_to(within.resolve())
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside:
        raise PictureError(f"{answer.sheet}: lies outside of {within}, so it is not read")
    return answer


def rows_of(said: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """The rows of an answer. Raises ValueError, KeyError or TypeError where they are none."""
    return tuple(Row(_words(row["caption"]), tuple(_tile(tile) for tile in row["tiles"])) for row in said)


def _tile(said: Mapping[str, Any]) -> Tile:
    x, y, width, height = box = [said[key] for key in ("x", "y", "width", "height")]
    right = said.get("right")
    if not all(type(value) is int for value in box) or min(x, y) < 0 or min(width, height) < 1:
        raise ValueError(f"a tile at {box}")
    return Tile(x, y, width, height, _words(said.get("caption", "")), right if isinstance(right, bool) else None)


def _words(said: object) -> str:
    """Names of classes and files, on one line, and without what could move a cursor."""
    return " ".join(safe(said).split())
