"""Cores, memory and open files: what there is, and what of it this process may use."""

from __future__ import annotations

import math
import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from sslterm.doctor import limits
from sslterm.doctor.finding import GIB, Finding, bad, counted, gib, good, note


def cores(environ: Mapping[str, str] = os.environ, root: Path = limits.ROOT) -> Iterator[Finding]:
    """How many cores work for us, and whether torch would start a thread for each, or more than there are."""
    allowed, share = limits.affinity(), limits.core_share(root)
    usable = min(allowed, math.ceil(share)) if share else allowed
    yield good("cores", _cores(os.cpu_count() or 1, allowed, share))
    busy = os.getloadavg()[0]
    if busy > usable + 1:
        text = f"{busy:.1f} programs compute at once (load average) on {counted(usable, 'core')}: training shares them"
        yield note("cores", text, "wait, or see who in top")
    yield from _threads(environ, allowed, usable)


def _threads(environ: Mapping[str, str], allowed: int, usable: int) -> Iterator[Finding]:
    """torch starts as many threads as the process may use cores, which is not what a control group grants."""
    said = environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if said and not (said.isdigit() and int(said)):
        yield note("cores", f"OMP_NUM_THREADS is {said!r}, which is no number", "unset OMP_NUM_THREADS")
        return
    threads, why = (int(said), f"with OMP_NUM_THREADS={said}") if said else (allowed, "without OMP_NUM_THREADS")
    fix = f"export OMP_NUM_THREADS={usable}"
    if threads > usable:
        text = (
            f"{why} torch starts {counted(threads, 'thread')} for {counted(usable, 'core')}: slower than with {usable}"
        )
        yield note("cores", text, fix)
    elif threads < usable:
        yield note("cores", f"{why}: training on the CPU uses {threads} of {counted(usable, 'core')}", fix)


def _cores(there: int, allowed: int, share: float | None) -> str:
    text = counted(there, "core")
    if allowed < there:
        text += f", of which this process may use {allowed}"
    return text + (f"; the control group grants the time of {share:.2g}" if share else "; no limit by a control group")


def memory(root: Path = limits.ROOT) -> Iterator[Finding]:
    """Memory that is free, of the machine and within the control group."""
    total, free = _memory(root)
    group = limits.memory(root)
    text = f"{gib(free)} of {gib(total)} are free"
    if group and group.limit < total:
        free = min(free, group.limit - group.used)
        text += f"; the control group allows {gib(group.limit)}, of which {gib(group.limit - group.used)} are free"
    fix = "end other programs, or choose a smaller data.size or batch_size"
    if free < GIB / 2:
        yield bad("memory", f"{text}: too little to train", fix)
    elif free < 2 * GIB:
        yield note("memory", f"{text}: enough for small images", fix)
    else:
        yield good("memory", text)
    yield from _shared_memory(root / "dev/shm")


def _memory(root: Path) -> tuple[int, int]:
    """Bytes there are, and bytes that programs can still have."""
    file = root / "proc/meminfo"
    if not file.exists():
        import psutil

        answer = psutil.virtual_memory()
        return answer.total, answer.available
    words = {line.split(":")[0]: line.split()[1] for line in file.read_text().splitlines() if ":" in line}
    return int(words["MemTotal"]) * 1024, int(words["MemAvailable"]) * 1024


def _shared_memory(folder: Path) -> Iterator[Finding]:
    """Loader workers hand their images over through it; containers get 64 MB of it unless told otherwise."""
    if folder.is_dir() and (free := shutil.disk_usage(folder).free) < GIB / 4:
        yield note(
            "memory",
            f"{folder} has {gib(free)} free, through which loader workers hand images over: too little for large ones",
            "start the container with --shm-size=8g, or mount a larger one",
        )


def open_files() -> Iterator[Finding]:
    """How many files a process may have open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= 1024:
        yield good("files", f"a process may open {'any number of' if soft == unlimited else f'{soft:,}'} files at once")
        return
    most = 4096 if hard == unlimited else min(hard, 4096)
    yield note(
        "files",
        f"a process may open {soft} files at once: few for loader workers",
        f"ulimit -n {most}" if most > soft else "ask an administrator to raise the limit nofile",
    )
