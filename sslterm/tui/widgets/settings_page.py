"""What a run was asked for, and what it ran on: its resolved preset in colours, and its environment in rows."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Mapping
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content, Span
from textual.widgets import Static

from sslterm.tables import safe
from sslterm.tui.reckoning.toml_look import Kind, parts

COLOURS: Mapping[Kind, str] = {
    "comment": "dim", "table": "bold $text-primary", "key": "", "text": "$text-success",
    "number": "$text-warning", "word": "$text-warning",
}  # fmt: skip
LIST = re.compile(r"\[\n((?:[ \t]+[^\[\]\n]{1,60},\n){1,6})\]")
WIDE = 120
"""From here on both stand beside each other."""


class SettingsPage(VerticalScroll):
    """`show` it both; it changes only where they do."""

    DEFAULT_CSS = """
    SettingsPage {
        height: 1fr; padding: 0 1; scrollbar-size-vertical: 1;
        & Static { height: auto; margin-bottom: 1; }
        &.-beside #settings-environment { dock: right; width: 50%; padding-right: 2; }
        &.-beside #settings-toml { width: 50%; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.settings = ""
        """The resolved preset, as TOML."""
        self._environment: Mapping[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="settings-toml", markup=False)
        yield Static(id="settings-environment", markup=False)

    def show(self, settings: str, environment: Mapping[str, str]) -> None:
        """What the run's files say now."""
        if settings != self.settings:
            self.settings = settings
            self.query_one("#settings-toml", Static).update(coloured(compact(settings)))
        if environment != self._environment:
            self._environment = environment
            self._show_environment()

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other, or one beneath the other."""
        self.set_class(event.size.width >= WIDE, "-beside")
        self._show_environment()

    def _show_environment(self) -> None:
        width = self.size.width // (2 if self.has_class("-beside") else 1) - 4
        self.query_one("#settings-environment", Static).update(_rows(self._environment, width))


def compact(toml: str) -> str:
    """Short lists in one line each; tomli-w writes every item in a line of its own."""
    return LIST.sub(lambda found: f"[{', '.join(item.strip() for item in found[1].split(',') if item.strip())}]", toml)


def coloured(toml: str) -> Content:
    """TOML in colours of the theme."""
    text, spans, at = safe(toml), [], 0
    for line in text.split("\n"):
        spans += [Span(at + p.start, at + p.end, COLOURS[p.kind]) for p in parts(line) if COLOURS[p.kind]]
        at += len(line) + 1
    return Content(text, spans=spans)


def _rows(environment: Mapping[str, str], width: int) -> Content:
    """A word and what it is in each row; what is long goes on beneath itself."""
    indent = max(map(len, environment), default=0) + 2
    rows = []
    for word, value in environment.items():
        said = textwrap.wrap(safe(value).replace("\n", " "), max(width - indent, 20)) or [""]
        rows.append(Content.assemble((word.ljust(indent), "dim"), f"\n{' ' * indent}".join(said)))
    return Content("\n").join(rows)


# ---------------------------------------------------------------- in words


def described(info: Mapping[str, Any], attempt: Mapping[str, Any], attempts: int) -> dict[str, str]:
    """Of `run.json` and of the newest attempt in `env.json` what one asks about afterwards, row by row."""
    git, packages, preset = (_table(info.get("git")), _table(attempt.get("packages")), _table(info.get("preset")))
    precision = _table(attempt.get("precision"))
    rows = {
        "device": _words(attempt.get("device"), attempt.get("device_name"), once=True),
        "threads": _words(attempt.get("threads"), attempt.get("cpu_capability")),
        **{f"precision of {stage}": _precision(said) for stage, said in precision.items()},
        "code": _commit(git),
        "sslterm": _words(info.get("sslterm")),
        "python": _words(attempt.get("python")),
        **{str(name): str(version) for name, version in packages.items()},
        "system": _words(attempt.get("system")),
        "host": _words(attempt.get("host") or info.get("host")),
        "by": _words(info.get("user")),
        "made": _clock(info.get("created")),
        "started": _clock(attempt.get("time")),
        "attempts": str(attempts) if attempts > 1 else "",
        "preset": _words(preset.get("file")),
        "command": " ".join(map(str, info["argv"])) if isinstance(info.get("argv"), list) else "",
    }
    return {word: value for word, value in rows.items() if value}


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(*values: Any, once: bool = False) -> str:
    said = [str(value) for value in values if value not in (None, "", "auto")]
    return " · ".join(dict.fromkeys(said) if once else said)


def _precision(said: Any) -> str:
    name, why = _table(said).get("name"), _table(said).get("why")
    return f"{name} ({why})" if name and why else str(name or "")


def _commit(git: Mapping[str, Any]) -> str:
    if not git.get("commit"):
        return ""
    return f"{str(git['commit'])[:12]}{', with uncommitted changes' if git.get('changed') else ''}"


def _clock(said: Any) -> str:
    """A time as people write it; nothing for what no calendar knows."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(said)) if said is not None else ""
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
