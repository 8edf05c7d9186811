"""One answer as it is shown. Files may be of another version, or damaged: what does not make sense is left out.

An answer without a checkpoint is none; everything else may lack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslterm.runs.files import DamagedFile
from sslterm.tables import METRICS, safe

MOST_CLASSES, MOST_IMAGES = 20_000, 2**40
"""Above, it is damage."""
MOST_BINS = 100


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of one checkpoint, by one protocol, on one split, with one way to look at images."""

    file: str
    """Of the checkpoint."""
    stage: str
    epoch: int | None
    protocol: str
    split: str
    how: str
    """`plain`, `flip`, or `flip@36,40`: with these sizes too."""
    same: tuple[str, ...]
    """Beside those above, what has to be the same for two answers to be compared: weights, data, device, precision."""
    device: str
    images: int | None
    classes: tuple[str, ...]
    metrics: dict[str, float]
    per_class: NDArray[np.float64]
    """(K, 3): precision, recall, F1; NaN where nobody knows."""
    support: NDArray[np.int64]
    confusion: NDArray[np.integer[Any]] | None
    """(K, K), a row for each truth."""
    bins: tuple[tuple[float, float, int], ...]
    """Mean confidence, accuracy and count of predictions, from confidence 0 to 1."""
    probe: dict[str, float]
    seconds: float | None
    time: float

    @property
    def checkpoint(self) -> str:
        """Its name, as commands take it."""
        return Path(self.file).stem


def answer(said: dict[str, Any], path: Path) -> Answer:
    """What a file says. Raises DamagedFile with a sentence where that is no answer."""
    checkpoint, asked = _dict(said.get("checkpoint")), _dict(said.get("question"))
    file = Path(_word(checkpoint.get("file"))).name
    if not file:
        raise DamagedFile(f"{path}: is no evaluation: it names no checkpoint")
    matrix = _matrix(said.get("confusion"))
    names = _names(said.get("classes"), matrix)
    if matrix is not None and len(names) != len(matrix):
        matrix = None
    table, support = _per_class(said.get("per_class"), matrix, len(names))
    return Answer(
        file=file,
        stage=_word(checkpoint.get("stage")),
        epoch=whole(checkpoint.get("epoch")),
        protocol=_word(said.get("protocol")) or "?",
        split=_word(said.get("split")) or "?",
        how=_how(said.get("tta")),
        same=tuple(_word(said_of) for said_of in _sameness(checkpoint, asked)),
        device=_word(asked.get("device")),
        images=whole(said.get("n")),
        classes=names,
        metrics={
            name: value for name in METRICS if (value := number(_dict(said.get("metrics")).get(name))) is not None
        },
        per_class=table,
        support=support,
        confusion=matrix,
        bins=_bins(said.get("reliability")),
        probe={name: value for name, one in _dict(said.get("probe")).items() if (value := number(one)) is not None},
        seconds=number(said.get("seconds")),
        time=_time(said.get("time")),
    )


def number(value: object) -> float | None:
    """A number, also one that was written as text because JSON has none for it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def whole(value: object) -> int | None:
    """A count."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_IMAGES
    return value if good else None  # type: ignore[return-value]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str:
    return safe(value).replace("\n", " ") if isinstance(value, str | int | float) else ""


def _time(value: object) -> float:
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds < 2**33 else 0.0


def _sameness(checkpoint: dict[str, Any], asked: dict[str, Any]) -> list[Any]:
    return [checkpoint.get("sha256"), *(asked.get(name) for name in ("data", "seed", "device", "precision"))]


def _how(tta: object) -> str:
    """In a word: how images were looked at."""
    if not tta:
        return "plain"
    scales = [str(scale) for one in _list(_dict(tta).get("scales")) if (scale := whole(one)) is not None]
    return "flip" + ("@" + ",".join(scales) if scales else "")


def _matrix(value: object) -> NDArray[np.integer[Any]] | None:
    """A square of counts, in the smallest type that holds them; else None."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_CLASSES:
        return None
    try:
        matrix = np.array(value)
    except (ValueError, OverflowError):
        return None
    if matrix.dtype.kind not in "iu" or matrix.shape != (len(value), len(value)) or matrix.min() < 0:
        return None
    if matrix.max() >= MOST_IMAGES:
        return None
    return matrix.astype(np.min_scalar_type(int(matrix.max())))


def _names(value: object, matrix: NDArray[np.integer[Any]] | None) -> tuple[str, ...]:
    """Names of the classes; their numbers where there are none."""
    names = tuple(_word(name) or "–" for name in _list(value)[:MOST_CLASSES])
    if not names and matrix is not None:
        return tuple(str(place) for place in range(len(matrix)))
    return names


def _per_class(
    value: object, matrix: NDArray[np.integer[Any]] | None, count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Precision, recall and F1 of each class, and its images: as the file says, else out of the matrix."""
    rows = _list(value)
    if len(rows) != count or not all(isinstance(row, dict) for row in rows):
        rows = [{}] * count if matrix is None else _out_of(matrix)
    columns = ("precision", "recall", "f1")
    table = [[_known(number(row.get(name))) for name in columns] for row in rows]
    support = [whole(row.get("support")) or 0 for row in rows]
    return np.array(table, dtype=np.float64).reshape(count, 3), np.array(support, dtype=np.int64)


def _out_of(matrix: NDArray[np.integer[Any]]) -> list[dict[str, Any]]:
    right = matrix.diagonal().astype(np.float64)
    support, guessed = matrix.sum(axis=1, dtype=np.int64), matrix.sum(axis=0, dtype=np.int64)
    columns = {
        "precision": right / np.maximum(guessed, 1),
        "recall": right / np.maximum(support, 1),
        "f1": 2 * right / np.maximum(support + guessed, 1),
        "support": support,
    }
    return [{name: column[place].item() for name, column in columns.items()} for place in range(len(matrix))]


def _known(value: float | None) -> float:
    return math.nan if value is None or not -1e9 < value < 1e9 else value


def _bins(value: object) -> tuple[tuple[float, float, int], ...]:
    """The bins, if all of them make sense."""
    found = []
    for one in _list(value)[:MOST_BINS]:
        said = _dict(one)
        shares, count = [number(said.get(name)) for name in ("confidence", "accuracy")], whole(said.get("count"))
        if count is None or any(share is None or not 0 <= share <= 1.0001 for share in shares):
            return ()
        found.append((shares[0] or 0.0, shares[1] or 0.0, count))
    return tuple(found)
