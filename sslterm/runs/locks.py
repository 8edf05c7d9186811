"""Locks that the kernel frees when their holder dies, whatever kills it (flock)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sslterm.errors import UserError

try:
    import fcntl
except ImportError:
    raise UserError("sslterm keeps its runs safe by flock, which Linux and macOS have; use one of these") from None


class Locked(Exception):
    """Somebody else holds it."""


class Lock:
    """A held lock. It ends with `release`, or with this process.

    A forked child gets no share in it: a worker that outlives its trainer must not keep the run. `inheritable` is for
    the lock of a device, which is meant to be held until the last process of the tree is gone.
    """

    def __init__(self, path: Path, inheritable: bool = False) -> None:
        """Take it at once. Raises Locked, OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _taken(self.handle):
            os.close(self.handle)
            raise Locked(str(path))
        os.set_inheritable(self.handle, inheritable)
        if not inheritable:
            _HELD.add(self)

    def release(self) -> None:
        """Give it back."""
        _HELD.discard(self)
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _taken(handle: int) -> bool:
    """Try a few times: somebody may be looking at this very moment (`held`), and looking takes it for microseconds."""
    for pause in (0.001, 0.005, 0.02, 0.05, 0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


_HELD: set[Lock] = set()


def _let_go_after_fork() -> None:
    for lock in list(_HELD):
        lock.release()  # closes the child's copy only; the parent goes on holding it


os.register_at_fork(after_in_child=_let_go_after_fork)


def held(path: Path) -> bool:
    """Whether somebody holds the lock at `path` now. Makes nothing and holds nothing that could be in the way."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared, so that two who look at once do not take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(handle)


@contextlib.contextmanager
def holding(path: Path, seconds: float = 10.0) -> Iterator[Lock]:
    """Hold a lock for a moment's work, after at most `seconds` of waiting. Raises Locked."""
    until = time.monotonic() + seconds
    while True:
        try:
            lock = Lock(path)
            break
        except Locked:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
    with lock:
        yield lock
