"""What a person likes: ~/.config/sslterm/config.toml, checked like a preset. A missing file is no likes.

theme = "light"      # dark, light, ansi, high-contrast, or one of Textual's
readonly = false
mouse = true
columns = ["state", "name", "best"]
pictures = "auto"    # kitty, sixel (pixels); quarters, halfcell (coloured cells); braille, ascii (one colour)
[keys]
stop = "S"
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sslterm.errors import UsageError
from sslterm.tui.terminal.pictures import LIKES


@dataclass(frozen=True)
class Config:
    """Likes, each with its default."""

    theme: str = "dark"
    readonly: bool = False
    mouse: bool = True
    columns: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    pictures: str = "auto"


KINDS: dict[str, tuple[type, str]] = {
    "theme": (str, "text in quotes"), "readonly": (bool, "true or false"), "mouse": (bool, "true or false"),
    "columns": (list, 'a list of names, as in ["state", "name"]'), "keys": (dict, "a table of action = key"),
    "pictures": (str, ", ".join(f'"{like}"' for like in LIKES)),
}  # fmt: skip
CHOICES = {"pictures": LIKES}
"""The settings that take only these."""


def path() -> Path:
    """Where it is."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "sslterm" / "config.toml"


def load(place: Path) -> Config:
    """The likes in a file. Raises UsageError with every problem at once."""
    try:
        said = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{place}: cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place}: is no TOML ({error})") from None
    problems = [problem for key, value in said.items() if (problem := _problem(place, key, value))]
    if problems:
        raise UsageError("\n".join(problems))
    return Config(**said)


def _problem(place: Path, key: str, value: Any) -> str | None:
    if key not in KINDS:
        from sslterm.presets import nearest

        return f"{place}: {key}: no such setting{nearest(key, [one.name for one in fields(Config)])}"
    kind, takes = KINDS[key]
    inside = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    fits = isinstance(value, kind) and all(isinstance(item, str) for item in inside)
    if not fits or value not in CHOICES.get(key, (value,)):
        return f"{place}: {key}: {value!r} does not fit; it takes {takes}"
    return None
