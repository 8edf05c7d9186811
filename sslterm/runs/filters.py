"""Filters: which runs are meant, in words that fit on a command line.

    state:running method:moco cfg.optimizer.lr>=0.01 | tag:paper -note:debug

All words must hold, `|` stands between alternatives, `-` in front means not, brackets group, "quotes" keep spaces.
A bare word is looked for in name, title, note and tags. `:` is generous (a part of a name, title, note or device; any
stage's method; `*` stands for anything), `=` is exact; case never matters. Settings are asked for as
`cfg.optimizer.lr` (in any stage) or `cfg.stage.probe.optimizer.lr`; metrics as `metric.knn`, the best one known, else
the last; `eval.top1` is of the newest evaluation. What a run does not have fits no comparison, and so fits the `-` of
every one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from sslterm.errors import UsageError
from sslterm.runs.directory import Run
from sslterm.runs.state import GLYPHS
from sslterm.runs.summary import Row, settings

Test = Callable[[Row], bool]
Values = Callable[[Row], Iterable[Any]]
"""What a run has under a key; nothing where it has none."""


class FilterError(UsageError):
    """A filter that cannot be understood; the text says where, and what would be right."""


class Filter:
    """What a run must be like; `Filter("")` fits every run. Raises FilterError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asks_settings = False
        """Whether it needs `cfg` in a row. Where a row has none, the settings are read from the run's file."""
        try:
            self._test = _Reader(self).whole()
        except RecursionError:
            raise FilterError("the filter has too many brackets inside each other") from None

    def fits(self, row: Row) -> bool:
        """Whether a run is one of those that are meant, by its summary."""
        if self.asks_settings and "cfg" not in row:
            row = row | {"cfg": settings(Run(Path(row["path"])))}
        return self._test(row)


# ---------------------------------------------------------------- from text to a test

VALUE = r'(?:"[^"]*"|\([^\s()|"]*\)|[^\s()|"])+'
TOKEN = re.compile(
    rf"\s*(?:(?P<mark>[|()]|-)|(?P<key>[A-Za-z][\w./+-]*?)(?P<sign>!=|>=|<=|[:=<>])(?P<value>{VALUE})?"
    rf"|(?P<word>{VALUE}))"
)


class _Reader:
    """Reads a filter from left to right; every method takes the tokens that are its own."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.tokens = list(_tokens(wanted.text))
        self.at = 0

    def whole(self) -> Test:
        if not self.tokens:
            return lambda row: True
        test = self.alternatives()
        if self.at < len(self.tokens):
            _refuse(self.tokens[self.at], "closes a bracket that was never opened")
        return test

    def mark(self) -> str | None:
        """The sign that stands here; None for a word, or the end."""
        return self.tokens[self.at]["mark"] if self.at < len(self.tokens) else None

    def alternatives(self) -> Test:
        tests = [self.part()]
        while self.mark() == "|":
            self.at += 1
            tests.append(self.part())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def part(self) -> Test:
        tests = []
        while self.at < len(self.tokens) and self.mark() not in ("|", ")"):
            tests.append(self.term())
        if not tests:
            _refuse(self.tokens[min(self.at, len(self.tokens) - 1)], "needs words on both sides, or inside it")
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def term(self) -> Test:
        token = self.tokens[self.at]
        self.at += 1
        if token["mark"] == "-":
            if self.mark() in ("|", ")") or self.at == len(self.tokens):
                _refuse(token, "says that something is not wanted, but not what")
            test = self.term()
            return lambda row: not test(row)
        if token["mark"] == "(":
            test = self.alternatives()
            if self.mark() != ")":
                _refuse(token, "opens a bracket that is never closed")
            self.at += 1
            return test
        if token["key"]:
            self.wanted.asks_settings |= token["key"].startswith("cfg.")
            return _comparison(token)
        return _mentions(token["word"].replace('"', ""))


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        token = TOKEN.match(text, at)
        if token is None:
            rest = text[at:].lstrip()
            at = len(text) - len(rest) + 1  # nothing else can go wrong here
            raise FilterError(f"the filter, at character {at}: {rest[:40]!r} has a quotation mark that is never closed")
        yield token
        at = token.end()


def _refuse(token: re.Match[str], wrong: str) -> NoReturn:
    word = token[0].lstrip()
    raise FilterError(f"the filter, at character {token.end() - len(word) + 1}: {word!r} {wrong}")


def _mentions(word: str) -> Test:
    """A bare word: some text that people gave the run has it in it."""
    fits = _generous(word, part=True)
    return lambda row: any(fits(text) for text in (row["name"], row["title"], row["note"], *row["tags"]))


# ---------------------------------------------------------------- comparisons

AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def _comparison(token: re.Match[str]) -> Test:
    """`key sign value`."""
    key, sign = token["key"], token["sign"]
    values = _values(key, token)
    if token["value"] is None:
        _refuse(token, f"says nothing after {sign}")
    operand = token["value"].replace('"', "")
    if key == "state" and "*" not in operand and operand.lower() not in GLYPHS:
        _refuse(token, f"asks for a state that there is not{nearest(operand.lower(), GLYPHS)}")
    if sign in ORDER:
        compare, limit = ORDER[sign], _limit(key, operand, token)
        return lambda row: any(_is_number(value) and compare(value, limit) for value in values(row))
    if key == "age":
        _refuse(token, "asks for an exact age; ask for age<2d or age>12h")
    fits = _generous(operand, part=key in PARTS) if sign == ":" else partial(_equal, operand.lower())
    if sign == "!=":
        return lambda row: bool(found := list(values(row))) and not any(map(fits, found))
    return lambda row: any(map(fits, values(row)))


def _limit(key: str, operand: str, token: re.Match[str]) -> float:
    """The number that a sign of order compares with."""
    if key in TEXTS:
        _refuse(token, f"compares a text by order; use {key}: or {key}=")
    if key == "age":
        if said := AGE.fullmatch(operand):
            return float(said[1]) * SECONDS[said[2]]
        _refuse(token, "is no age; say it as in age<90m, age<12h or age>2d")
    try:
        return float(operand)
    except ValueError:
        _refuse(token, f"compares with {operand!r}, which is no number")


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


def _generous(operand: str, part: bool) -> Callable[[Any], bool]:
    """What `:` means: equal, or like it where there is a `*`, or `part` of it."""
    operand = operand.lower()
    if "*" in operand:
        pattern = re.compile(".*".join(map(re.escape, operand.split("*"))), re.DOTALL)
        return lambda value: pattern.fullmatch(str(value).lower()) is not None
    if part:
        return lambda value: operand in str(value).lower()
    return partial(_equal, operand)


# ---------------------------------------------------------------- what a run has under a key

SHORT = {"knn": "knn/top1", "loss": "train/loss", "valid": "valid/top1", "acc": "train/top1", "top1": "train/top1"}
"""Short names of metrics."""


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
FAMILIES = ("cfg.", "metric.", "eval.")
PARTS = frozenset({"name", "title", "note", "device"})
"""Keys of which `:` also finds a part."""
TEXTS = frozenset(KEYS) - {"seed", "epoch", "age"}


def _values(key: str, token: re.Match[str]) -> Values:
    family, _, name = key.partition(".")
    if key in KEYS:
        return KEYS[key]
    if name and family == "cfg":
        return partial(_settings, name)
    if name and family == "metric":
        return partial(_metric, SHORT.get(name, name))
    if name and family == "eval":
        return lambda row: [row["eval"][name]] if name in row["eval"] else []
    likely = f"metric.{key}" if key in SHORT else f"cfg.{key}" if name else key
    _refuse(token, f"asks for {key}, which no run has{nearest(likely, [*KEYS, 'cfg.KEY', 'metric.NAME', 'eval.NAME'])}")


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
    if word.startswith(("cfg.", "metric.")):
        return f"; did you mean {word}?"
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
