"""The presets that can be chosen: those that come with sslterm, then what was made of them and is kept as a draft.

Read in a thread, whole: they are small, and the screen then never waits for the disk.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.message import Message

from sslterm.runs import files
from sslterm.tui.screens.launch.weights import Origin, with_weights

DRAFTS = 30
"""How many are shown, the newest first."""
LONGEST = 1 << 20
"""Bytes above which a file is no preset."""


@dataclass(frozen=True)
class Choice:
    """A preset that can be chosen."""

    name: str
    file: Path
    text: str
    """What it says; for fine-tuning already with the weights to begin from."""
    title: str = ""
    encoder: str = ""
    draft: bool = False
    shipped: str | None = None
    """What the shipped preset says that it is, or was made of."""
    fine_tunes: bool = False
    """Whether `text` says other weights than `file`."""
    fits: bool = True
    """Whether its encoder can begin from the weights."""

    @property
    def key(self) -> str:
        """A name that no other choice has."""
        return f"{'draft' if self.draft else 'shipped'}:{self.name}"


class ShelfRead(Message):
    """What can be chosen."""

    def __init__(self, choices: Sequence[Choice], origin: Origin | None) -> None:
        super().__init__()
        self.choices, self.origin = choices, origin


def read_shelf(drafts: Path, origin: Origin | None) -> list[Choice]:
    """The presets, those that fit `origin` first; then the drafts."""
    from sslterm import presets  # not above: it is slow to load, and this is a thread

    shipped = [_choice(name, path) for name, path in presets.shipped().items()]
    found = [_begun(one, origin) for one in shipped if one is not None]
    found = [replace(one, shipped=one.text) for one in found]
    texts = {one.name: one.shipped for one in found}
    made = [replace(_begun(one, origin), draft=True, shipped=texts.get(stem(one.name))) for one in _drafts(drafts)]
    return sorted(found, key=lambda one: not one.fits) + made


def _begun(choice: Choice, origin: Origin | None) -> Choice:
    """The same, from weights on."""
    if origin is None:
        return choice
    text = with_weights(choice.text, origin.weights)
    return replace(choice, text=text, fine_tunes=True, fits=origin.encoder in (choice.encoder, ""))


def stem(draft: str) -> str:
    """The preset that a draft was made of."""
    return re.sub(r"-\d+$", "", draft)


def _drafts(folder: Path) -> list[Choice]:
    try:
        paths = sorted(folder.glob("*.toml"), key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []
    return [one for path in paths[:DRAFTS] if (one := _choice(path.stem, path)) is not None]


def _choice(name: str, path: Path) -> Choice | None:
    """None where it cannot be read; what is wrong with its text is said where it is shown."""
    try:
        if path.stat().st_size > LONGEST:
            return None
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    said = _said(text)
    title, encoder = said.get("title"), said.get("encoder")
    name_of_encoder = encoder.get("name", "resnet18") if isinstance(encoder, dict) else "resnet18"
    return Choice(name, path, text, title if isinstance(title, str) else "", str(name_of_encoder))


def _said(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def write_draft(path: Path, text: str) -> None:
    """Keep a draft, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
