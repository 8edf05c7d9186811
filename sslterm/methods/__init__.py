"""Methods: one file each, found by its name and registered nowhere."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from pydantic import ValidationError

from sslterm.methods.base import Batch, Facts, Look, Method, Report
from sslterm.presets import Problem, nearest, sentences

__all__ = ["Batch", "Facts", "Look", "Method", "Report", "find", "names", "settings"]


def names() -> list[str]:
    """The methods there are, without importing any."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base")


def find(name: str) -> type[Method]:
    """The class in `sslterm/methods/NAME.py`. Raises ValueError with a sentence."""
    if name not in names():
        raise ValueError(f"{name!r} is no method{nearest(name, names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    return next(
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Method) and kind.__module__ == module.__name__
    )


def settings(said: dict[str, Any], key: str = "method") -> tuple[Any, list[Problem]]:
    """The checked settings of a `[method]` table, or None and what is wrong; `key` is where the table stands."""
    name = said.get("name")
    if not isinstance(name, str):
        what = "is missing" if name is None else f"{name!r} is no name"
        return None, [Problem(f"{key}.name", f"{what}; there are {', '.join(names())}")]
    try:
        kind = find(name)
    except ValueError as error:
        return None, [Problem(f"{key}.name", str(error))]
    try:
        return kind.Settings.model_validate({k: v for k, v in said.items() if k != "name"}), []
    except ValidationError as error:
        return None, sentences(error, kind.Settings, key)
