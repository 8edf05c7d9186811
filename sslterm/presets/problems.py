"""What is wrong with a preset, in sentences: the dotted key, the value, what would be right, the nearest valid name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sslterm.errors import UsageError


@dataclass(frozen=True)
class Problem:
    """One thing to say of a preset: `key` is dotted, `text` a sentence; a warning does not keep it from running."""

    key: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


class PresetError(UsageError):
    """A preset that cannot run: every problem at once."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a slip of the finger, else what there is."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(known)}" if known else ""


SAID_APART = {
    # Mistakes people really make, answered by name instead of "no such setting" or "is missing".
    "method.missing": 'is missing; say which method trains, as in method = { name = "simclr" }',
    "views.test": "augmentation never touches valid or test images, so there is nothing to set",
    "views.valid": "augmentation never touches valid or test images, so there is nothing to set",
    "method.softmax": "losses take logits; there is no softmax to switch on",
    "schedule.step": "the schedule steps per step, per epoch or on a metric by its name; see schedule.per",
    "precision.fp16": "fp16 needs loss scaling and is slow on a CPU; use bf16, fp32 or auto",
}


def sentences(error: ValidationError, section: type[BaseModel], prefix: str = "") -> list[Problem]:
    """What pydantic found, in our words. `prefix` is the dotted place of `section` in the preset."""
    found: dict[str, list[Any]] = {}
    for item in error.errors(include_url=False):
        found.setdefault(".".join(key_of(item)), []).append(item)
    # Of a union (a rate, or a table of them), what is wrong inside one branch says more than that no other one fits.
    inner = [path for path in found if not any(other.startswith(f"{path}.") for other in found)]
    return [Problem(".".join(filter(None, [prefix, path])), _sentence(path, found[path], section)) for path in inner]


def key_of(item: Any) -> list[str]:
    """The keys that lead to a value; of a list it is the whole list that is named."""
    first, *others = item["loc"]
    return [first, *(part for part in others if isinstance(part, str) and not _is_union_branch(part))]


def _is_union_branch(part: str) -> bool:
    """pydantic names the branch of a union (`int`, `constrained-float`) as if it were a key."""
    return bool(re.match(r"^(constrained-|dict\[|tuple\[|literal\[|function-|int$|float$|str$|bool$)", part))


def _sentence(path: str, items: list[Any], section: type[BaseModel]) -> str:
    item = items[0]
    kind, value, context = item["type"], item.get("input"), item.get("ctx", {})
    name = path.rsplit(".", 1)[-1]
    if kind == "extra_forbidden":
        tail = ".".join(path.split(".")[-2:])
        return SAID_APART.get(tail) or f"no such setting{nearest(name, _keys_beside(path, section))}"
    if kind == "missing" and item["loc"][-1] == name:
        return SAID_APART.get(f"{path}.missing", "is missing")
    if kind == "literal_error":
        choices = re.split(", | or ", context["expected"].replace("'", ""))
        if str(value) == "fp16":
            return SAID_APART["precision.fp16"]
        return f"{_shown(value)} is not one of {', '.join(choices)}{_only_close(str(value), choices)}"
    wants = " or ".join(dict.fromkeys(map(_wanted, items)))  # several of a union no branch of which fits
    return f"{_shown(value)} does not fit; it takes {wants}"


def _only_close(word: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _shown(value: Any) -> str:
    """A value as TOML would write it, or nearly."""
    if isinstance(value, bool):
        return str(value).lower()
    shown = list(value) if isinstance(value, tuple) else value
    text = repr(value) if isinstance(value, str) else str(shown)
    return text if len(text) <= 60 else text[:57] + "..."


def _wanted(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    limits = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    if kind in limits:
        limit = context[limits[kind]]
        return f"a number of {words[limits[kind]]} {int(limit) if limit == int(limit) else limit}"
    named = {
        "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
        "finite_number": "a finite number", "string_type": "text in quotes", "bool_type": "true or false",
        "tuple_type": "a list", "missing": "two numbers", "too_long": "two numbers",
        "dict_type": "a table", "model_type": "a table", "model_attributes_type": "a table",
        "string_pattern_mismatch": "small letters, digits, - and _ (at most 32)",
    }  # fmt: skip
    if kind in named:
        return named[kind]
    return str(item.get("msg", kind)).removeprefix("Value error, ").lower()


def _keys_beside(path: str, section: type[BaseModel]) -> list[str]:
    """The settings that could have stood where an unknown one stands."""
    at: type[BaseModel] | None = section
    for part in path.split(".")[:-1]:
        if at is None or part not in at.model_fields:
            return []
        kinds = [at.model_fields[part].annotation, *get_args(at.model_fields[part].annotation)]
        at = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
    return list(at.model_fields) if at else []
