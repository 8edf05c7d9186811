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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from sslterm.errors import UsageError
from sslterm.runs.comparisons import Test, Unclear, comparison, generous
from sslterm.runs.directory import Run
from sslterm.runs.summary import Row, settings

VALUE = r'(?:"[^"]*"|\([^\s()|"]*\)|[^\s()|"])+'
TOKEN = (
    rf"\s*(?:(?P<mark>[|()-])|(?P<key>[A-Za-z][\w./+-]*?)(?P<sign>!=|>=|<=|[:=<>])(?P<value>{VALUE})?"
    rf"|(?P<word>{VALUE}))"
)
Token = re.Match[str]
LONGEST = 200


class FilterError(UsageError):
    """A filter that cannot be understood; the text says where, and what would be right."""


class Filter:
    """What a run must be like; `Filter("")` fits every run. Raises FilterError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.settings: set[str] = set()
        """The settings that are asked for. Where a row has no `cfg`, they are read from the run's file."""
        self._test = _Reader(self).whole()

    def fits(self, row: Row) -> bool:
        """Whether a run is one of those that are meant, by its summary."""
        if self.settings and "cfg" not in row:
            row = row | {"cfg": settings(Run(Path(row["path"])))}
        return self._test(row)

    def look_for_slips(self, known: Iterable[str]) -> None:
        """Where no run fits: was a setting misspelt? `known` are all that any run has. Raises FilterError if so."""
        import difflib  # not above: only mistakes need it

        there = set()
        for key in known:
            there |= {key, key.split(".", 2)[-1] if key.startswith("stage.") else key}
        for name in sorted(self.settings - there):
            if close := difflib.get_close_matches(name, there, n=1, cutoff=0.8):
                raise FilterError(f"the filter asks for cfg.{name}, which no run has; did you mean cfg.{close[0]}?")


class _Reader:
    """Reads a filter from left to right; every method takes the tokens that are its own."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.tokens = list(_tokens(wanted.text))
        self.at = 0
        if len(self.tokens) > LONGEST:
            raise FilterError(f"the filter has more than {LONGEST} words; one with a * may stand for several")

    def whole(self) -> Test:
        if not self.tokens:
            return lambda row: True
        test = self.alternatives()
        if self.at < len(self.tokens):
            _refuse(self.tokens[self.at], "closes a bracket that was never opened")
        return test

    @property
    def mark(self) -> str | None:
        """The sign that stands here; None for a word."""
        return self.tokens[self.at]["mark"] if self.at < len(self.tokens) else "end"

    def alternatives(self) -> Test:
        tests = [self.part()]
        while self.mark == "|":
            self.at += 1
            tests.append(self.part())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def part(self) -> Test:
        tests = []
        while self.mark not in ("|", ")", "end"):
            tests.append(self.term())
        if not tests:
            _refuse(self.tokens[min(self.at, len(self.tokens) - 1)], "has no words before it, or none after it")
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def term(self) -> Test:
        token = self.tokens[self.at]
        self.at += 1
        if token["mark"] == "-":
            if self.mark in ("|", ")", "end"):
                _refuse(token, "says that something is not wanted, but not what")
            test = self.term()
            return lambda row: not test(row)
        if token["mark"] == "(":
            test = self.alternatives()
            if self.mark != ")":
                _refuse(token, "opens a bracket that is never closed")
            self.at += 1
            return test
        return self.compared(token) if token["key"] else _mentions(token["word"].replace('"', ""))

    def compared(self, token: Token) -> Test:
        key, sign, value = token["key"], token["sign"], token["value"]
        if key.startswith("cfg."):
            self.wanted.settings.add(key.removeprefix("cfg."))
        if value is None:
            _refuse(token, f"says nothing after {sign}")
        try:
            return comparison(key, sign, value.replace('"', ""))
        except Unclear as error:
            _refuse(token, str(error))


def _tokens(text: str) -> Iterator[Token]:
    pattern, at, end = re.compile(TOKEN), 0, len(text.rstrip())
    while at < end:
        token = pattern.match(text, at)
        if token is None:  # nothing else can go wrong here
            rest = text[at:].lstrip()
            at = len(text) - len(rest) + 1
            raise FilterError(f"the filter, at character {at}: {rest[:40]!r} has a quotation mark that is never closed")
        yield token
        at = token.end()


def _refuse(token: Token, wrong: str) -> NoReturn:
    word = token[0].lstrip()
    raise FilterError(f"the filter, at character {token.end() - len(word) + 1}: {word!r} {wrong}")


def _mentions(word: str) -> Test:
    """A bare word: some text that people gave the run has it in it."""
    fits = generous(word, part=True)
    return lambda row: any(fits(text) for text in (row["name"], row["title"], row["note"], *row["tags"]))
