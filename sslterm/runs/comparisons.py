"""Comparisons of a filter, `key sign value`: which keys there are, what a run has under each, and when that fits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sslterm.runs.state import GLYPHS
from sslterm.runs.summary import Row

Test = Callable[[Row], bool]
Values = Callable[[Row], Iterable[Any]]
"""What a run has under a key; nothing where it has none."""

ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
AGE = r"(\d+(?:\.\d+)?)([smhdw])"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Unclear(ValueError):
    """Why a comparison means nothing; the text follows the comparison in a sentence."""


def comparison(key: str, sign: str, operand: str) -> Test:
    """What a run must be like. Raises Unclear."""
    values = _values(key)
    if sign in ORDER:
        compare, limit = ORDER[sign], _limit(key, operand)
        return lambda row: any(_is_number(value) and compare(value, limit) for value in values(row))
    if key == "age":
        raise Unclear("asks for an exact age; ask for age<12h or age>2d")
    if key == "state" and "*" not in operand and operand.lower() not in GLYPHS:
        raise Unclear(f"asks for a state that there is not{nearest(operand.lower(), GLYPHS)}")
    fits = generous(operand, part=key in PARTS) if sign == ":" else partial(_equal, operand.lower())
    if sign == "!=":
        return lambda row: bool(found := list(values(row))) and not any(map(fits, found))
    return lambda row: any(map(fits, values(row)))


def _limit(key: str, operand: str) -> float:
    """The number that a sign of order compares with."""
    if key in TEXTS:
        raise Unclear(f"compares texts by order; use {key}: or {key}=")
    if key == "age":
        if said := re.fullmatch(AGE, operand):
            return float(said[1]) * SECONDS[said[2]]
        raise Unclear("is no age; say it as in age<90m, age<12h or age>2d")
    try:
        return float(operand)
    except ValueError:
        raise Unclear(f"compares with {operand!r}, which is no number") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(operand: str, value: Any) -> bool:
    """`1e-3` is 0.001, and everything else is its text."""
    if str(value).lower() == operand:
        return True
    try:
        return _is_number(value) and float(operand) == value
    except ValueError:
        return False


def generous(operand: str, part: bool) -> Callable[[Any], bool]:
    """What `:` means: equal, or like it where there is a `*`, or a `part` of it."""
    operand = operand.lower()
    if "*" in operand:
        pattern = re.compile(".*".join(map(re.escape, operand.split("*"))), re.DOTALL)
        return lambda value: pattern.fullmatch(str(value).lower()) is not None
    if part:
        return lambda value: operand in str(value).lower()
    return partial(_equal, operand)


# ---------------------------------------------------------------- what a run has under a key


def _column(*names: str) -> Values:
    return lambda row: [row[name] for name in names if row[name] not in (None, "")]


KEYS: dict[str, Values] = {
    **{
        name: _column(name) for name in ("state", "name", "data", "encoder", "preset", "stage", "note", "title", "host")
    },
    **{name: _column(name) for name in ("seed", "epoch")},
    "method": lambda row: [stage["method"] for stage in row["stages"] if stage["method"]],
    "tag": lambda row: row["tags"],
    "device": _column("device", "device_name"),
    "age": lambda row: [] if row["created"] is None else [time.time() - row["created"]],
}
PARTS = frozenset({"name", "title", "note", "device"})
"""Keys of which `:` also finds a part."""
TEXTS = frozenset(KEYS) - {"seed", "epoch", "age"}
SHORT = {"knn": "knn/top1", "loss": "train/loss", "valid": "valid/top1", "acc": "train/top1", "top1": "train/top1"}
"""Short names of metrics."""


def _values(key: str) -> Values:
    family, _, name = key.partition(".")
    if key in KEYS:
        return KEYS[key]
    if name and family == "cfg":
        return partial(_settings, name)
    if name and family == "metric":
        return partial(_metric, SHORT.get(name, name))
    if name and family == "eval":
        return lambda row: [row["eval"][name]] if name in row["eval"] else []
    known = [*KEYS, "cfg.KEY", "metric.NAME", "eval.NAME"]
    likely = f"metric.{key}" if key in SHORT else f"cfg.{key}" if name else None
    meant = f"; did you mean {likely}?" if likely else nearest(key, known)
    raise Unclear(f"asks for {key}, which no run has{meant}")


def _settings(name: str, row: Row) -> list[Any]:
    """The run's own value, and that of every stage; a table has the values of all that is in it."""
    cfg: Row = row["cfg"]
    named = (name, *(f"stage.{stage['name']}.{name}" for stage in row["stages"]))
    inside = tuple(f"{place}." for place in named)
    places = [place for place in named if place in cfg] or [place for place in cfg if place.startswith(inside)]
    return [item for place in places for item in (cfg[place] if isinstance(cfg[place], list) else [cfg[place]])]


def _metric(name: str, row: Row) -> list[float]:
    """The best of it, where checkpoints were judged by it; else the last."""
    best = [one["value"] for one in row["best"].values() if one["metric"] == name]
    if best:
        return [min(best) if name.endswith(("loss", "nll")) else max(best)]
    known: Row = row["metrics"]
    if name in known or "/" in name:
        return [known[name]] if name in known else []
    return [value for full, value in known.items() if full.endswith(f"/{name}")]


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a slip of the finger, else what there is."""
    import difflib  # not above: only mistakes need it

    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
