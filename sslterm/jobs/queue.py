"""A queue for devices, without a daemon: first in, first out.

runs/.sslterm/devices/cpu-0.lock       a place on a device; held by a trainer and all its children, freed by the kernel
                                       when the last of them is gone
runs/.sslterm/queue/0000000012-TOKEN.json   a ticket: who waits for what. The supervisor that waits holds the ticket's
                                       own lock, so that a dead one's ticket is nobody's
The order is that of the names; whoever moves a ticket renames it. Nothing here is the only copy of anything.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm.jobs.devices import Device, candidates, used_by_others
from sslterm.runs import files, locks
from sslterm.runs.locks import Lock, Locked, holding

LOOK = 0.3
"""Seconds between two looks at the queue."""
HOME = ".sslterm"
SEATS = 100
"""Runs that may use one device at once."""


@dataclass(frozen=True)
class Place:
    """A device that may be used now."""

    device: Device
    lock: Lock
    note: str | None = None
    """What people should know, such as that the device is shared."""

    @property
    def environment(self) -> dict[str, str]:
        """What makes the worker use this device."""
        return self.device.environment


@dataclass(frozen=True)
class Ticket:
    """Who waits for what."""

    path: Path
    run: str
    token: str
    device: str
    slots: int
    since: float

    @property
    def order(self) -> int:
        """Smaller comes first."""
        return int(self.path.name.partition("-")[0])


def take_or_share(runs_dir: Path, wanted: str, slots: int = 1) -> Place:
    """A place at once: a free one, or else one beside whoever is there. Raises OSError."""
    place = _free(runs_dir, wanted, slots)
    if place:
        return place
    device = candidates(wanted)[0]
    lock = _seat(runs_dir, device)
    if lock is None:
        raise OSError(f"{device.name}: {SEATS:,} runs use it")
    return Place(device, lock, f"{device.name} is in use; both will be slower (--queue would have waited)")


def wait(runs_dir: Path, run: str, token: str, wanted: str, slots: int, waiting: Callable[[int], bool]) -> Place | None:
    """Stand in line until a device is free. `waiting(position)` is told the place, counted from 1, and says whether to
    give up; then the result is None."""
    folder = runs_dir / HOME / "queue"
    ahead = 0
    with holding(folder / ".lock", 60):
        _sweep(folder)
        last = max((ticket.order for ticket in tickets(runs_dir)), default=0)
        path = folder / f"{last + 1:010d}-{token}.json"
        files.write_json(path, {"run": run, "device": wanted, "slots": slots, "since": time.time()})
        mine = Lock(path)
    try:
        while True:
            with contextlib.suppress(Locked), holding(folder / ".lock", LOOK):  # who is slow there loses us no place
                ahead = _ahead(runs_dir, token, wanted)
                place = _free(runs_dir, wanted, slots) if ahead == 0 else None
                if place:
                    _remove(folder, token)
                    return place
            if waiting(ahead + 1):
                return None
            time.sleep(LOOK)
    finally:
        _remove(folder, token)
        mine.release()


def _sweep(folder: Path) -> None:
    """Delete the tickets of the dead; whoever makes a ticket holds the queue until it is locked."""
    for path in folder.glob("[0-9]*.json"):
        if not locks.held(path):
            path.unlink(missing_ok=True)


def _remove(folder: Path, token: str) -> None:
    for path in folder.glob(f"*-{token}.json"):  # it may have been moved meanwhile
        path.unlink(missing_ok=True)


def _ahead(runs_dir: Path, token: str, wanted: str) -> int:
    """How many come before us that want one of our devices."""
    keys = {device.key for device in candidates(wanted)}
    ahead = 0
    for ticket in tickets(runs_dir):
        if ticket.token == token:
            break
        ahead += bool(keys & {device.key for device in candidates(ticket.device)})
    return ahead


def _free(runs_dir: Path, wanted: str, slots: int) -> Place | None:
    for device in candidates(wanted):
        ours = _users(runs_dir, device)
        if ours >= slots or (not ours and used_by_others(device)):
            continue
        lock = _seat(runs_dir, device)
        if lock:
            return Place(device, lock)
    return None


def _users(runs_dir: Path, device: Device) -> int:
    """How many runs of ours use the device, those that did not queue among them."""
    return sum(locks.held(path) for path in (runs_dir / HOME / "devices").glob(f"{device.key}-*.lock"))


def _seat(runs_dir: Path, device: Device) -> Lock | None:
    """The first lock of a device that nobody holds."""
    for number in range(SEATS):
        path = _lock(runs_dir, device, number)
        if not locks.held(path):
            with contextlib.suppress(Locked):
                return Lock(path, inheritable=True)
    return None


def _lock(runs_dir: Path, device: Device, number: int) -> Path:
    return runs_dir / HOME / "devices" / f"{device.key}-{number}.lock"


# ---------------------------------------------------------------- looking and moving


def tickets(runs_dir: Path) -> list[Ticket]:
    """Who waits, the next one first. Tickets whose supervisor died are not shown."""
    found = []
    for path in (runs_dir / HOME / "queue").glob("[0-9]*.json"):
        if not locks.held(path):
            continue
        said = files.read_or_nothing(path)
        order, _, token = path.stem.partition("-")
        if order.isdigit():
            found.append(
                Ticket(path, str(said.get("run")), token, str(said.get("device", "auto")), _count(said), _since(said))
            )
    return sorted(found, key=lambda ticket: (ticket.order, ticket.token))


def _count(said: dict[str, Any]) -> int:
    slots = said.get("slots")
    return slots if isinstance(slots, int) else 1


def _since(said: dict[str, Any]) -> float:
    since = said.get("since")
    return float(since) if isinstance(since, int | float) else 0.0


def move(runs_dir: Path, run: str, before: int) -> bool:
    """Let a run wait at position `before`, counted from 1. False where it does not wait."""
    with holding(runs_dir / HOME / "queue" / ".lock"):
        waiting = tickets(runs_dir)
        mine = next((ticket for ticket in waiting if ticket.run == run), None)
        if mine is None:
            return False
        waiting.remove(mine)
        waiting.insert(max(before - 1, 0), mine)
        highest = max(ticket.order for ticket in waiting)
        for place, ticket in enumerate(waiting):  # new numbers above all old ones, so that no two are ever the same
            os.rename(ticket.path, ticket.path.with_name(f"{highest + 1 + place:010d}-{ticket.token}.json"))
        return True
