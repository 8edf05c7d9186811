"""Which parts of a line of TOML are what, for colours. A line is looked at by itself: it costs microseconds.

Written by hand, for Textual's highlighting needs tree-sitter and thirty grammars, compiled, for this one language.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["comment", "table", "key", "text", "number", "word"]
KINDS: tuple[Kind, ...] = ("comment", "table", "key", "text", "number", "word")

TOKEN = re.compile(
    r"""
    (?P<comment> \#.* )
  | (?P<table>   ^\s*\[\[?[^\[\]"'=]+\]\]? (?=\s*(?:\#|$)) )
  | (?P<key>     (?: [A-Za-z0-9_-]+ | "[^"]*" | '[^']*' ) (?: \s*\.\s* [A-Za-z0-9_-]+ )* (?=\s*=) )
  | (?P<text>    \"{3}.*?(?:\"{3}|$) | '{3}.*?(?:'{3}|$) | "(?:[^"\\]|\\.)*"? | '[^']*'? )
  | (?P<word>    \b(?:true|false)\b )
  | (?P<number>  (?<![\w.]) [+-]? (?: \d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)? | inf | nan ) (?![\w.]) )
    """,
    re.VERBOSE,
)


class Part(NamedTuple):
    """From a character of the line on, before another one."""

    start: int
    end: int
    kind: Kind


@lru_cache(4096)
def parts(line: str) -> tuple[Part, ...]:
    """The parts that have a colour."""
    return tuple(
        Part(*found.span(), found.lastgroup)  # type: ignore[arg-type]
        for found in TOKEN.finditer(line)
    )
