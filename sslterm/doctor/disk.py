"""The folders of runs and data: room, how long a save takes, and whether the file system keeps what it promises.

What is tried is what runs do: a file written whole and flushed, and a lock that a second holder must not get.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sslterm.doctor.finding import GIB, Finding, bad, gib, good, note
from sslterm.runs import files
from sslterm.runs.locks import Lock, Locked

NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "glusterfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse",
}  # fmt: skip
PASSING = {
    "tmpfs": "lies in memory: gone when the machine restarts",
    "ramfs": "lies in memory: gone when the machine restarts",
    "overlay": "lies in a container's own layer: gone when the container is removed",
}
SLOW = 0.1
"""Seconds: a trainer saves its status this way every now and then."""


def runs(folder: Path) -> Iterator[Finding]:
    """Where runs are kept: must be written to, and must lock."""
    place = _nearest(folder)
    try:
        seconds = _save(place)
    except OSError as error:
        yield bad("disk", _cannot(folder, place, error), "choose another --runs-dir, or mend that folder's permissions")
        return
    yield good("disk", f"{_facts(folder, place)}, a save takes {seconds * 1000:.1f} ms")
    if seconds > SLOW:
        text = f"a save in {place} takes {seconds:.2f} s, and training waits for each"
        yield note("disk", text, "use a --runs-dir on a faster, local disk")
    yield from _room(folder, place, GIB / 2, 5 * GIB, "--runs-dir")
    yield from _locks(place)
    yield from _kind(folder, file_system(place))


def data(folder: Path) -> Iterator[Finding]:
    """Where data sets lie: may be read-only, for then decoded images are kept in the user's own cache."""
    place = _nearest(folder)
    try:
        _save(place)
    except OSError as error:
        yield from _only_read(folder, place, error)
        return
    yield good("disk", _facts(folder, place))
    yield from _room(folder, place, GIB / 4, 2 * GIB, "--data-dir")


def _only_read(folder: Path, place: Path, error: OSError) -> Iterator[Finding]:
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        text = f"{folder} can be read but not written: decoded images go to the user's own cache instead"
        yield note("disk", text, "where that is too small, set XDG_CACHE_HOME")
    else:
        yield bad("disk", _cannot(folder, place, error), "choose another --data-dir, or mend that folder's permissions")


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one that is there and in which it would be made."""
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return place


def _save(place: Path) -> float:
    """Seconds that a save takes, in the middle of a few. Raises OSError."""
    times = []
    with tempfile.TemporaryDirectory(prefix=".sslterm-doctor-", dir=place) as folder:
        for _ in range(5):
            began = time.perf_counter()
            files.write_text(Path(folder) / "status.json", "{}" * 500)
            times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def _cannot(folder: Path, place: Path, error: OSError) -> str:
    if not place.is_dir():
        return f"{folder} cannot be used: {place} is not a folder"
    why = (error.strerror or type(error).__name__).lower()
    where = f"{folder}" if place == folder.absolute() else f"{folder} does not exist and {place}"
    return f"{where} cannot be written ({why})"


def _facts(folder: Path, place: Path) -> str:
    there = "" if place == folder.absolute() else f" (will be made in {place})"
    kind = file_system(place)
    return f"{folder}{there}: {gib(shutil.disk_usage(place).free)} free" + (f" on {kind}" if kind else "")


def _room(folder: Path, place: Path, least: float, plenty: float, option: str) -> Iterator[Finding]:
    free = shutil.disk_usage(place).free
    fix = f"delete what is not needed (checkpoints: sslterm checkpoints RUN --prune), or choose another {option}"
    if free < least:
        yield bad("disk", f"{folder} has only {gib(free)} free", fix)
    elif free < plenty:
        yield note("disk", f"{folder} has {gib(free)} free, which large runs or data fill soon", fix)
    inodes = os.statvfs(place)
    if inodes.f_files and inodes.f_favail < 10_000:
        yield bad("disk", f"{folder} has room for only {inodes.f_favail:,} more files", fix)


def _locks(place: Path) -> Iterator[Finding]:
    """Take a lock, see that a second holder is refused, let go, see that it is free."""
    fix = "use a --runs-dir on a local disk: two trainers of one run, and dead ones, cannot be told here"
    try:
        with tempfile.TemporaryDirectory(prefix=".sslterm-doctor-", dir=place) as folder:
            if not _excludes(Path(folder) / "lock"):
                yield bad("disk", f"locks in {place} do not hold: two processes got the same one", fix)
            Lock(Path(folder) / "lock").release()
    except (OSError, Locked) as error:
        yield bad("disk", f"locks do not work in {place} ({error})", fix)


def _excludes(path: Path) -> bool:
    with Lock(path):
        try:
            Lock(path).release()
        except Locked:
            return True
    return False


def _kind(folder: Path, kind: str) -> Iterator[Finding]:
    if kind in NETWORK:
        yield note(
            "disk",
            f"{folder} lies on a network file system ({kind}): runs of other machines show as remote, and locks between"
            " machines are only as good as the server's",
            "train each run on one machine only, or use a local --runs-dir",
        )
    elif kind in PASSING:
        yield note("disk", f"{folder} {PASSING[kind]}", "use a --runs-dir on a disk that stays")


def file_system(place: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system that a folder lies on; empty where the system does not say."""
    try:
        lines = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return ""
    real = place.resolve()
    found = ("", "")
    for words in (words for words in lines if len(words) > 2):
        point = Path(words[1].replace("\\040", " "))
        # Later lines cover earlier ones at the same place.
        if (point == real or point in real.parents) and len(str(point)) >= len(found[0]):
            found = (str(point), words[2])
    return found[1]
