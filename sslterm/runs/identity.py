"""Who a process is: a number alone is never trusted, for numbers are used again.

A process is its number, the moment it started (in clock ticks since the machine did, so that setting the clock does not
change it), the boot of the machine that it belongs to, and that machine's name.
"""

from __future__ import annotations

import os
import signal
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """One process, and never another one that was given the same number later."""

    pid: int
    start: float
    """Clock ticks since the boot on Linux; seconds since 1970 where there is no /proc."""
    boot_id: str
    host: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """That of a living process; None where there is none of this number."""
        start = started(pid)
        return None if start is None else cls(pid, start, boot_id(), host())

    @classmethod
    def mine(cls) -> Identity:
        """That of this process."""
        me = cls.of(os.getpid())
        assert me is not None
        return me

    @classmethod
    def read(cls, said: Any) -> Identity | None:
        """What a file says; None where it says nothing that could be one."""
        if not isinstance(said, dict):
            return None
        pid, start, boot, where = (said.get(key) for key in ("pid", "start", "boot_id", "host"))
        if isinstance(pid, int) and isinstance(start, int | float) and isinstance(boot, str) and isinstance(where, str):
            return cls(pid, start, boot, where)
        return None

    def written(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    def here(self) -> bool:
        """Whether it belongs to this machine, as far as names tell."""
        return self.host == host()

    def this_boot(self) -> bool:
        """Whether the machine has not been started anew since."""
        return self.boot_id == boot_id()

    def alive(self) -> bool:
        """Whether this very process lives on this machine; a zombie does not."""
        return self.here() and self.this_boot() and started(self.pid) == self.start

    def send(self, number: signal.Signals, group: bool = False) -> bool:
        """Signal the process, or the group that it leads; False where it is gone."""
        if not self.alive():
            return False
        try:
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@cache
def host() -> str:
    """This machine's name."""
    return os.uname().nodename


@cache
def boot_id() -> str:
    """What tells this boot of the machine from every other."""
    path = PROC / "sys/kernel/random/boot_id"
    if path.exists():
        return path.read_text().strip()
    import psutil

    return str(round(psutil.boot_time()))


def started(pid: int) -> float | None:
    """When a process started; None where it is gone, or dead and not yet collected."""
    if not (PROC / "self/stat").exists():
        return _started_without_proc(pid)
    try:
        text = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold blanks and brackets itself.
    fields = text[text.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _started_without_proc(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
