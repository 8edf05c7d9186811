"""What can be said of a preset's text at once, without torch: what is wrong, what it is, what differs. For a thread.

A method's own settings are judged by `sslterm check`, which takes seconds; its answer is read here too.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from sslterm.tui.screens.launch.weights import Origin

if TYPE_CHECKING:
    from sslterm.presets import Preset


AT = re.compile(r" \(at line [^)]*\)$")
"""Where a slip of TOML is; it is shown there."""


@dataclass(frozen=True)
class Found:
    """One thing that was found, at a line from 1 on."""

    line: int
    key: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"line {self.line}  {self.key}: {self.text}" if self.key else f"line {self.line}  {self.text}"


@dataclass(frozen=True)
class About:
    """What a preset is, for people."""

    title: str = ""
    paper: str = ""
    method: str = ""
    """The methods of its stages, with what they learn from and on which network."""
    expected: str = ""
    time: str = ""


class Judged(Message):
    """A text was looked at."""

    def __init__(
        self, text: str, found: Sequence[Found], about: About | None, changed: frozenset[int], difference: Sequence[str]
    ) -> None:
        super().__init__()
        self.text, self.found, self.about = text, found, about
        self.changed, self.difference = changed, difference


def judge(text: str, shipped: str | None, origin: Origin | None) -> Judged:
    """All that can be said without building anything. `about` is None where the text is no TOML."""
    from sslterm import presets  # not above: it is slow to load
    from sslterm.presets.lines import line_of

    changed, difference = differences(shipped, text)
    try:
        preset, problems = presets.salvage(presets.read(text, "preset"))
    except presets.PresetError as error:
        found = [Found(line_of(text, p.key, p.text), p.key, AT.sub("", p.text)) for p in error.problems]
        return Judged(text, found, None, changed, difference)
    found = [Found(line_of(text, p.key, p.text), p.key, p.text, p.warning) for p in problems]
    misfit = _misfit(preset, origin)
    if misfit:
        found.append(Found(line_of(text, "encoder.name"), "encoder", misfit))
    return Judged(text, found, describe(preset), changed, difference)


def _misfit(preset: Preset, origin: Origin | None) -> str:
    """Weights are of one network, and begin no other."""
    if origin is None or not origin.encoder or preset.encoder.weights != str(origin.weights):
        return ""
    said = {"name": origin.encoder, "stem": origin.stem, "patch": origin.patch, "features": origin.features}
    ours, theirs = preset.encoder.network, type(preset.encoder).model_construct(None, **said).network
    return "" if ours == theirs else f"is {ours}, the weights are of {theirs}; make them the same"


def describe(preset: Preset) -> About:
    """In a few words."""
    methods = " → ".join(str(stage.method.get("name", "?")) for stage in preset.stage)
    what = f"{methods} · {preset.data.name} · {preset.encoder.name}"
    return About(preset.title, preset.paper, what, preset.expected, preset.time)


def differences(before: str | None, now: str) -> tuple[frozenset[int], list[str]]:
    """The lines, from 1 on, that are not as in the text before, and both as `-` and `+`."""
    if before is None or before == now:
        return frozenset(), []
    old, new = before.splitlines(), now.splitlines()
    changed: set[int] = set()
    said: list[str] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            changed |= set(range(c + 1, d + 1))
            said += [*(f"-{line}" for line in old[a:b]), *(f"+{line}" for line in new[c:d])]
    return frozenset(changed), said


def checked(out: str) -> tuple[bool, list[Found]] | None:
    """What `sslterm check --json` found; None where it did not come to an answer."""
    try:
        said: dict[str, Any] = json.loads(out)
        found = [Found(int(p["line"]), str(p["key"]), str(p["text"]), bool(p["warning"])) for p in said["problems"]]
        return bool(said["ok"]), found
    except (ValueError, KeyError, TypeError):
        return None
