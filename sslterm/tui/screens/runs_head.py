"""What stands above the list of runs: where they are, how many do what, what the machine does. Words only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.content import Content

from sslterm.runs.state import ALIVE
from sslterm.tables import safe
from sslterm.tui.looking.machine import Held, Machine
from sslterm.tui.widgets.run_table.cells import fit

Row = dict[str, Any]
COUNTED = ("running", "queued", "paused", "failed", "stalled", "orphaned", "corrupt")
"""States that are worth a number."""
FEW = 2
"""GPUs that are told of one by one."""


@dataclass(frozen=True)
class Listed:
    """What is known of the list."""

    runs_dir: Path
    rows: Sequence[Row]
    whole: bool = True
    """Whether these are all; the first look may take a while."""
    filter: str = ""
    shown: int = 0
    """How many fit the filter."""
    marked: int = 0
    readonly: bool = False


def left(listed: Listed) -> list[Content]:
    """`sslterm  runs  12 runs · 2 running`, in ever fewer words."""
    name, runs_dir = ("sslterm", "bold"), listed.runs_dir
    told = _counts(listed.rows, listed.whole)
    signs: list[Any] = []
    if listed.filter:
        signs += [("   / ", "dim"), (fit(listed.filter, 24).rstrip(), "italic"), f" {listed.shown:,} fit"]
    if listed.marked:
        signs += [("   ● ", "$text-primary"), f"{listed.marked:,} marked"]
    if listed.readonly:
        signs += [("   read-only", "bold $text-warning")]
    words = [safe(runs_dir), f"…/{safe(runs_dir.name)}"]
    heads = [(name, "  ", (where, "dim"), "  ") for where in words if len(where) < 40]
    counts = " · ".join(told)
    return [Content.assemble(*head, counts, *signs) for head in [*heads, (name, "  "), ()]] + [
        Content.assemble(" · ".join(told[:2]), *signs),
        Content.assemble(told[0], *signs),
    ]


def _counts(rows: Sequence[Row], whole: bool) -> list[str]:
    count = Counter(row["state"] for row in rows)
    words = [f"{count[word]:,} {word}" for word in COUNTED if count[word]]
    return [f"{len(rows):,} run{'s' * (len(rows) != 1)}{'' if whole else ' so far …'}", *words]


def right(machine: Machine | None, rows: Sequence[Row]) -> list[str]:
    """What the machine does, and the time, in ever fewer words."""
    clock = time.strftime("%H:%M")
    if machine is None:
        return [clock]
    names = _holders(rows)
    parts = [[_device(held, names, machine, much) for held in machine.devices] for much in (2, 1, 0)]
    if len(machine.devices) > FEW:
        parts = [[_together(machine.devices)]] * 3
    cpu = [] if any(held.device.key == "cpu" for held in machine.devices) else [f"cpu {machine.cpu} %"]
    memory = f"{machine.used}/{machine.total} GB"
    wordings = [[*parts[0], *cpu, memory], [*parts[1], *cpu, memory], [*parts[1], *cpu], [*parts[2], *cpu], cpu, []]
    return list(dict.fromkeys("   ".join([*words, clock]) for words in wordings))


def _holders(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Who works where, by the names of devices."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] in ALIVE - {"queued"} and row["device"]:
            found.setdefault(row["device"], []).append(row["name"])
    return found


def _device(held: Held, names: Mapping[str, list[str]], machine: Machine, much: int) -> str:
    """`cuda:0 H200 moco-a1 87 % 41/139 GB`, or less of it."""
    gpu, names_there = held.gpu, names.get(held.device.name, [])
    processor = held.device.key == "cpu"
    words = [held.device.name]
    if much > 1 and gpu:
        words.append(gpu.model)
    if (much or (gpu is None and not processor)) and (not processor or held.runs or names_there):
        words.append(_who(held, names_there))
    if processor:
        words.append(f"{machine.cpu} %")
    elif gpu and gpu.busy is not None:
        words.append(f"{gpu.busy:.0f} %")
    if much > 1 and gpu and gpu.used is not None and gpu.total is not None:
        words.append(f"{gpu.used:.0f}/{gpu.total:.0f} GB")
    return safe(" ".join(words))


def _who(held: Held, names: Sequence[str]) -> str:
    """A run by its name, several by their number; what holds a place and is no run in the list is counted too."""
    if len(names) == 1 and held.runs <= 1:
        return fit(names[0], 20, both_ends=True).rstrip()
    count = max(held.runs, len(names))
    return f"{count} run{'s' * (count != 1)}" if count else "free"


def _together(devices: Sequence[Held]) -> str:
    """`8 GPUs, 3 free, 45 %`."""
    said = [held.gpu.busy for held in devices if held.gpu and held.gpu.busy is not None]
    free = sum(not held.runs for held in devices)
    mean = f", {sum(said) / len(said):.0f} %" if said else ""
    return f"{len(devices)} devices, {free} free{mean}"
