"""What systemd's logind does to a user's processes at logout, and how to start one that outlives it.

Read from logind's own files, in its own order (logind.conf(5)); nothing here raises. `root` is where the file system
begins, so that a test may bring its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
PLACES = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
"""Where logind looks, the first one first: of files with the same name only the first counts."""

TRUE, FALSE = ("1", "yes", "y", "true", "t", "on"), ("0", "no", "n", "false", "f", "off")


def kills_user_processes(root: Path = ROOT, user: str | None = None) -> bool:
    """Whether logind ends what a user left running in a session that is logged out of."""
    if not (root / "run/systemd/system").is_dir():
        return False  # systemd does not run this machine, as in a container
    said = settings(root)
    user = user or user_name()
    if user in said.get("KillExcludeUsers", "root").split():
        return False
    only = said.get("KillOnlyUsers", "").split()
    return user in only if only else said.get("KillUserProcesses", "no") in TRUE


def lingers(root: Path = ROOT, user: str | None = None) -> bool:
    """Whether the user's own systemd, and with it every scope in it, goes on after the last logout."""
    with contextlib.suppress(OSError):
        return (root / "var/lib/systemd/linger" / (user or user_name())).exists()
    return False


def in_user_manager(root: Path = ROOT) -> bool:
    """Whether this process lives in the user's own systemd (as in some desktops' terminals), which ends without linger
    at the last logout, whatever KillUserProcesses says."""
    return any(f"/user@{os.getuid()}.service/" in f"{line}/" for line in _lines(root / "proc/self/cgroup"))


def scope_prefix(root: Path = ROOT, user: str | None = None) -> list[str]:
    """What to put before a command so that logind leaves it alone; empty where that is not needed or cannot be done."""
    if kills_user_processes(root, user) and scopes_work():
        return ["systemd-run", "--user", "--scope", "--quiet", "--collect"]
    return []


def scopes_work() -> bool:
    """Whether a command can be started in a scope of the user's own systemd: tried, for much can be in the way."""
    if shutil.which("systemd-run") is None:
        return False
    try:
        tried = subprocess.run(
            ["systemd-run", "--user", "--scope", "--quiet", "--collect", "true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=5,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0


def user_name() -> str:
    """The name that logind knows this user by; the number where there is none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


# ---------------------------------------------------------------- logind.conf


def settings(root: Path = ROOT) -> dict[str, str]:
    """What logind was told in [Login]; where nobody says whether it kills, what its own file shows as built in."""
    said = _built_in(root)
    for file in _files(root):
        for key, value in _assignments(file):
            if key != "KillUserProcesses":
                # Lists add up until an empty one begins anew.
                said[key] = f"{said.get(key, '')} {value}" if value else ""
            elif value.lower() in TRUE + FALSE:  # logind passes over what it cannot read
                said[key] = value.lower()
    return said


def _files(root: Path) -> list[Path]:
    """The main file, then the drop-ins in the order of their names, whichever folder they lie in."""
    mains = [root / place / "systemd/logind.conf" for place in PLACES]
    dropins: dict[str, Path] = {}
    for place in PLACES:
        with contextlib.suppress(OSError):
            for file in (root / place / "systemd/logind.conf.d").glob("*.conf"):
                dropins.setdefault(file.name, file)
    return [*[main for main in mains if main.exists()][:1], *(dropins[name] for name in sorted(dropins))]


def _built_in(root: Path) -> dict[str, str]:
    """Distributions choose the default when they build systemd, and show it as a comment in the file they ship."""
    for place in PLACES:
        for line in _lines(root / place / "systemd/logind.conf"):
            key, _, value = line.removeprefix("#").partition("=")
            if line.startswith("#") and key.strip() == "KillUserProcesses" and value.strip() in ("yes", "no"):
                return {"KillUserProcesses": value.strip()}
    return {}


def _assignments(file: Path) -> Iterator[tuple[str, str]]:
    """The keys and values of [Login]."""
    section, before = "", ""
    for line in _lines(file):
        if line.startswith(("#", ";")):
            continue
        line, before = before + line, ""
        if line.endswith("\\"):
            before = line[:-1] + " "
        elif line.startswith("["):
            section = line
        elif section == "[Login]" and "=" in line:
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text(errors="replace").splitlines()]
    except OSError:
        return []
