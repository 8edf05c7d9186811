"""What the kernel allows this process at most, whatever the machine has: affinity and control groups, old and new.

`root` is where the file system begins, so that a test may bring its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")


@dataclass(frozen=True)
class Memory:
    """What a control group may hold, and what of that is taken, in bytes."""

    limit: int
    used: int


def affinity() -> int:
    """The cores that this process may be put on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def core_share(root: Path = ROOT) -> float | None:
    """How many cores' worth of time the control groups grant; None without a limit. The tightest one counts."""
    shares = []
    for folder in _groups(root, "cpu"):
        quota, period = (
            _numbers(folder / "cpu.max", 2)
            or (
                *_numbers(folder / "cpu.cfs_quota_us", 1),
                *_numbers(folder / "cpu.cfs_period_us", 1),
            )
            or (0, 0)
        )
        if quota > 0 and period > 0:
            shares.append(quota / period)
    return min(shares, default=None)


def memory(root: Path = ROOT) -> Memory | None:
    """The control group's limit that leaves least; None without one."""
    found = []
    for folder in _groups(root, "memory"):
        limit = _numbers(folder / "memory.max", 1) or _numbers(folder / "memory.limit_in_bytes", 1)
        used = _numbers(folder / "memory.current", 1) or _numbers(folder / "memory.usage_in_bytes", 1)
        if limit and used and limit[0] < 2**60:  # the old kind says "no limit" by a number that no machine has
            found.append(Memory(limit[0], max(used[0] - _reclaimable(folder), 0)))
    return min(found, key=lambda memory: memory.limit - memory.used, default=None)


def _reclaimable(folder: Path) -> int:
    """Copies of files that the kernel drops when memory is wanted."""
    words = dict(line.split()[:2] for line in _text(folder / "memory.stat").splitlines() if " " in line)
    return int(words.get("total_inactive_file", words.get("inactive_file", "0")))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control groups, from its own up to the outermost that can be seen."""
    base = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = base / controller if names else base
        folder = top / path.lstrip("/")
        yield from (one for one in (folder, *folder.parents) if one == top or top in one.parents)


def _numbers(file: Path, count: int) -> tuple[int, ...]:
    """The first words of a file as numbers; nothing where it is missing or says `max`."""
    words = _text(file).split()[:count]
    try:
        return tuple(int(word) for word in words) if len(words) == count else ()
    except ValueError:
        return ()


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
