"""Fine-tuning: a preset's text with the checkpoint that its encoder begins from, and what that checkpoint holds."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """Where an encoder begins: a checkpoint, or a run (its best one)."""

    weights: Path
    name: str
    """For people: the run, and the checkpoint."""
    encoder: str = ""
    """What network it is; empty where that is not known."""
    stem: str = ""
    patch: int | None = None
    features: int | None = None
    """Width of its last layer, where it has one."""


def look_at(weights: Path) -> Origin:
    """What is known of a checkpoint without opening it: its run's settings say what network it is."""
    weights = weights.absolute()  # a run may be resumed from another folder
    run = weights.parent.parent if weights.suffix == ".pt" else weights
    name = f"{run.name}, {weights.stem}" if weights.suffix == ".pt" else run.name
    try:
        said = tomllib.loads((run / "resolved.toml").read_text(encoding="utf-8"))
        encoder = said["encoder"]
        patch, features = (
            value if isinstance(value := encoder.get(key), int) else None for key in ("patch", "features")
        )
        return Origin(weights, name, str(encoder["name"]), str(encoder["stem"]), patch, features)
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return Origin(weights, name)


def with_weights(text: str, weights: Path) -> str:
    """The same preset with `encoder.weights` set. Everything else stays, comments too."""
    from sslterm.presets.lines import Reader  # not above: presets are slow to load, and this is a thread

    reader = Reader(text)
    reader.read()
    setting = f"weights = {json.dumps(str(weights), ensure_ascii=False)}"
    lines = text.split("\n")
    before, table = reader.lines.get(("encoder", "weights")), reader.lines.get(("encoder",))
    first = lines[table - 1].lstrip() if table is not None else ""
    if first.startswith("["):
        assert table is not None
        if before is not None and before != table:
            lines[before - 1] = _replaced(lines[before - 1], setting)
        else:
            lines.insert(reader.lines.get(("encoder", "name"), table), setting)
    elif "{" in first.partition("#")[0]:
        assert table is not None
        lines[table - 1] = _inline(lines[table - 1], setting)
    elif before is not None:
        lines[before - 1] = _replaced(lines[before - 1], f"encoder.{setting}")
    elif table is not None:
        lines.insert(table, f"encoder.{setting}")
    else:
        _new_table(lines, setting)
    return "\n".join(lines)


def _replaced(line: str, setting: str) -> str:
    """Another value; what was said behind it stays."""
    indent = line[: len(line) - len(line.lstrip())]
    comment = line.rpartition("#")[2] if "#" in line.rpartition('"')[2] else ""
    return f"{indent}{setting}{f'  #{comment}' if comment else ''}"


def _inline(line: str, setting: str) -> str:
    """In an inline table, before the others: `encoder = { weights = "…", name = "conv4" }`."""
    line = re.sub(r"""\bweights\s*=\s*("[^"]*"|'[^']*')\s*,?|,\s*weights\s*=\s*("[^"]*"|'[^']*')""", "", line)
    head, brace, rest = line.partition("{")
    rest = rest.lstrip()
    return f"{head}{brace} {setting}{' ' if rest.startswith('}') else ', '}{rest}"


def _new_table(lines: list[str], setting: str) -> None:
    """Before the first table, for what stands at the top belongs to none."""
    at = next((place for place, line in enumerate(lines) if line.startswith("[")), len(lines))
    while at > 0 and lines[at - 1].startswith("#"):  # what is said of that table stays with it
        at -= 1
    lines[at:at] = ["[encoder]", setting, ""]
