"""The terminal, and what happens when it is closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sslterm.doctor.finding import Finding, bad, good, note
from sslterm.jobs import logind

SMALLEST = (80, 24)


def terminal(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """What it is, how many colours, how large, which letters."""
    kind = environ.get("TERM", "")
    facts = [f"TERM={kind}" if kind else "TERM is not set", _colours(environ)]
    size = _size()
    facts.append(f"{size[0]} columns, {size[1]} lines" if size else "without a size")
    facts += [word for name, word in _around(environ) if environ.get(name)]
    yield good("terminal", ", ".join(facts))
    if kind in ("", "dumb", "unknown") and size:
        fix = "export TERM=xterm-256color"
        yield note("terminal", "TERM does not say what it can do: sslterm's screens may not be drawn", fix)
    elif _colours(environ) == "16 colours" and size:
        fix = "export COLORTERM=truecolor, where the terminal can do that"
        yield note("terminal", "charts and images look better in more than 16 colours", fix)
    if size and (size[0] < SMALLEST[0] or size[1] < SMALLEST[1]):
        fix = f"{SMALLEST[0]}x{SMALLEST[1]} or more shows everything"
        yield note("terminal", f"{size[0]} columns and {size[1]} lines are few", fix)
    yield from _letters(environ)


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours, as NO_COLOR wishes"
    kind = environ.get("TERM", "")
    if environ.get("COLORTERM") in ("truecolor", "24bit") or kind.endswith("-direct"):
        return "16 million colours"
    if kind in ("", "dumb", "unknown"):
        return "colours unknown"
    return "256 colours" if "256color" in kind or "kitty" in kind else "16 colours"


def _around(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that tell where a terminal runs, in words."""
    return [("TMUX", "inside tmux"), ("STY", "inside screen"), ("SSH_CONNECTION", "over SSH")]


def _size() -> tuple[int, int] | None:
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            if stream is not None and (size := os.get_terminal_size(stream.fileno())).columns:
                return size.columns, size.lines
        except (OSError, ValueError):
            continue
    return None


def _letters(environ: Mapping[str, str]) -> Iterator[Finding]:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    name = next((environ[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(key)), "")
    fix = "export LANG=C.UTF-8"
    if encoding != "utf8":
        yield note("terminal", f"letters are {encoding}, not UTF-8: curves and names lose some of theirs", fix)
    elif "utf8" not in name.lower().replace("-", "") and sys.platform != "darwin":
        said = f"the locale is {name}" if name else "no locale is set"
        yield note("terminal", f"{said}, not UTF-8: tmux and other programs may replace letters", fix)


def logout(root: Path = logind.ROOT, user: str | None = None) -> Iterator[Finding]:
    """Whether a training goes on after this user has logged out."""
    user = user or logind.user_name()
    linger = f"loginctl enable-linger {user}"
    if not (root / "run/systemd/system").is_dir():
        yield good("logout", "training goes on after a logout: no logind here that would end it")
    elif logind.kills_user_processes(root, user):
        yield from _killed(root, user, linger)
    elif logind.in_user_manager(root) and not logind.lingers(root, user):
        yield bad(
            "logout",
            f"this terminal belongs to {user}'s own systemd, which ends at the last logout, and training with it:"
            " linger is off",
            linger,
        )
    else:
        yield good("logout", f"training goes on after a logout: logind leaves {user}'s processes alone")


def _killed(root: Path, user: str, linger: str) -> Iterator[Finding]:
    """Where logind kills (KillUserProcesses), a scope of the user's own systemd saves, as long as that one stays."""
    kills = f"logind ends {user}'s processes at logout (KillUserProcesses)"
    if not logind.scopes_work():
        yield bad(
            "logout",
            f"{kills}, and systemd-run --user does not work here: training ends at logout",
            f"an administrator adds KillExcludeUsers=root {user} to [Login] in /etc/systemd/logind.conf",
        )
    elif logind.lingers(root, user):
        yield good("logout", f"{kills}; sslterm starts training in a scope of its own, which lingers: it goes on")
    else:
        text = f"{kills}; training starts in a scope of {user}'s own systemd, which ends at the last logout"
        yield bad("logout", f"{text}: linger is off", linger)
