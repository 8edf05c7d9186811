"""Where a setting stands in a preset's text, so that what is said of it can be shown beside it.

    line_of(text, "stage.probe.optimizer.lr")    # 41, counted from 1

A setting that is not written belongs to the head of its table, or else to the first line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

Keys = tuple[str, ...]

KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
STRING = re.compile(r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SPACES = re.compile(r"[ \t]*")
BARE = re.compile(r"[^,\]}\n#]*")
OF_ALL = ("data", "encoder", "checkpoints", "monitor")
"""Sections that no stage has of its own."""
SLIP = re.compile(r"\(at line (\d+)")
"""How tomli names the place of a slip."""


def line_of(text: str, key: str, sentence: str = "") -> int:
    """The line, from 1 on, of a dotted key as problems name it; what has no key may name its line in the sentence."""
    if not key:
        slip = SLIP.search(sentence)
        return min(int(slip.group(1)), text.count("\n") + 1) if slip else 1
    reader = Reader(text)
    with contextlib.suppress(RecursionError):  # of lists a thousand deep
        reader.read()
    return _nearest(reader, tuple(key.split(".")))


def _nearest(written: Reader, wanted: Keys) -> int:
    """Of the tables where it may have been written, the one of which the most is there."""
    most, line = -1, 1
    for table, setting in _tables(written, wanted):
        for known in range(len(setting), -1, -1):
            found = written.lines.get((*table, *setting[:known]))
            if found is not None:
                if known > most:
                    most, line = known, found
                break
    return line


def _tables(written: Reader, wanted: Keys) -> list[tuple[Keys, Keys]]:
    """A stage's setting stands in the stage or in what all share; that of a single stage also the other way round."""
    if wanted[0] == "stage" and len(wanted) > 1:
        stage = ("stage", written.names.get(wanted[1], wanted[1]))
        return [(stage, wanted[2:]), ((), wanted[2:]), (("stage",), ())]
    return [((), wanted)] if wanted[0] in OF_ALL else [((), wanted), (("stage", "0"), wanted)]


class Reader:
    """Reads no more of TOML than where its keys are. What is no TOML ends with its line."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Keys, int] = {}
        """Of every table and key; stages are known by their places, from 0 on."""
        self.names: dict[str, str] = {}
        """The place of each stage that has a name."""
        self._table: Keys = ()
        self._stages = 0

    def read(self) -> None:
        """The whole text."""
        self._skip(BLANK)
        while self.at < len(self.text):
            if self._next("["):
                self._head()
            else:
                self._setting(self._table)
            self._to_next_line()
            self._skip(BLANK)

    # -------------------------------------------------------- [tables] and [[stages]]

    def _head(self) -> None:
        began, several = self.at, self._next("[[")
        self.at += 2 if several else 1
        table = self._key()
        if table[:1] == ("stage",):
            self._stages += several and len(table) == 1
            table = ("stage", str(max(self._stages - 1, 0)), *table[1:])
        self._table = table
        self._remember(table, began)

    # -------------------------------------------------------- key = value

    def _setting(self, table: Keys) -> None:
        began, key = self.at, self._key()
        if not key or not self._next("="):
            return
        self.at += 1
        path = (*table, *key)
        self._remember(path, began)
        self._skip(SPACES)
        value = self.at
        self._value(path)
        if len(path) == 3 and path[0] == "stage" and path[2] == "name":
            self.names.setdefault(self.text[value : self.at].strip().strip("\"'"), path[1])

    def _key(self) -> Keys:
        """The parts of a dotted key."""
        parts: list[str] = []
        while True:
            self._skip(SPACES)
            began = self.at
            self._skip(KEY)
            if self.at == began:
                return tuple(parts)
            parts.append(self.text[began : self.at].strip("\"'"))
            self._skip(SPACES)
            if not self._next("."):
                return tuple(parts)
            self.at += 1

    def _value(self, path: Keys) -> None:
        if self._next("{"):
            self._each("}", lambda: self._setting(path))
        elif self._next("["):
            self._each("]", lambda: self._value(path))
        else:
            self._skip(STRING)
            self._skip(BARE)

    def _each(self, closing: str, read: Callable[[], None]) -> None:
        """What stands between brackets, over many lines where it does."""
        self.at += 1
        while True:
            self._skip(BLANK)
            began = self.at
            if not self._next(closing):
                read()
                self._skip(BLANK)
            if self._next(closing):
                self.at += 1
                return
            if self._next(","):
                self.at += 1
            elif self.at == began or self.at >= len(self.text):
                return

    # -------------------------------------------------------- the text

    def _next(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _to_next_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def _remember(self, path: Keys, at: int) -> None:
        """`views.second.flip = 1` also begins the tables on its way."""
        line = self.text.count("\n", 0, at) + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)
