"""A run directory: how one is made, found and read.

runs/2026-11-22_1403_moco/
  run.json         schema, id, when, argv, host, user, the code's git state, preset and its sha256
  preset.toml      byte copy of what was asked for      resolved.toml  every value that applies
  env.json         one entry an attempt: python, torch, device, precision and why
  status.json      state, attempt, process, reason
  splits.npz       which images are train, valid, test, labeled, unlabeled
  metrics/         append-only JSON lines, one segment an attempt
  logs/train.log   what the trainer had to say, tracebacks included
  checkpoints/     pretrain-0100.pt and pretrain-0100.json beside it; latest.json and best.json point
  evaluations/     one JSON an answer
  tensorboard/     the same metrics for TensorBoard
"""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm import __version__, presets
from sslterm.errors import UserError
from sslterm.runs import files
from sslterm.runs.files import DamagedFile

SCHEMA = 1
FOLDERS = ("metrics", "logs", "checkpoints", "evaluations", "tensorboard")
LONGEST_NAME = 100


class RunError(UserError):
    """A run that cannot be made or used; the text says which and why."""


class BadName(RunError):
    """A name that no run can have."""

    exit_code = 2


class RunNotFound(RunError):
    """No run, or no single run, by that name."""

    exit_code = 3


@dataclass(frozen=True)
class Run:
    """A run directory, seen by a reader. Reads the disk when asked; never writes."""

    path: Path

    @property
    def name(self) -> str:
        """What people call it: the name of its directory."""
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def evaluations(self) -> Path:
        """The folder of answers to `sslterm eval`."""
        return self.path / "evaluations"

    @property
    def metrics(self) -> Path:
        """The folder of metric segments."""
        return self.path / "metrics"

    @property
    def log(self) -> Path:
        """What the trainer had to say."""
        return self.path / "logs" / "train.log"

    @property
    def splits(self) -> Path:
        """Which images belong to which part."""
        return self.path / "splits.npz"

    def info(self) -> dict[str, Any]:
        """`run.json`. Raises RunError where the run cannot be understood."""
        try:
            info = files.read_json(self.path / "run.json")
        except FileNotFoundError:
            raise RunError(f"{self.path}: has no run.json, so this is no run directory") from None
        except DamagedFile as error:
            raise RunError(f"{error}; the run cannot be continued from it") from None
        if not isinstance(info.get("schema"), int) or info["schema"] > SCHEMA:
            raise RunError(
                f"{self.path}: written by a newer sslterm (schema {info.get('schema')}; this one reads {SCHEMA});"
                " upgrade sslterm to use it"
            )
        return info

    def preset(self) -> presets.Preset:
        """The resolved preset. Raises RunError, PresetError."""
        path = self.path / "resolved.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path}: cannot be read ({error}); the run cannot be used without it") from None
        return presets.resolve(presets.read(text, str(path)), str(path))

    def status(self) -> dict[str, Any]:
        """`status.json` as last written; what is not known is missing."""
        try:
            return files.read_json(self.path / "status.json")
        except (FileNotFoundError, DamagedFile):
            return {}


def create(
    runs_dir: Path, preset: presets.Preset, *, source: Path, name: str | None = None, argv: Sequence[str] = ()
) -> Run:
    """Make a run directory: whole, or not at all. Raises RunError with a sentence."""
    if name is not None:
        check_name(name)
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        aside = runs_dir / f".new-{os.getpid()}-{secrets.token_hex(4)}"
        aside.mkdir()
    except OSError as error:
        raise RunError(f"{runs_dir}: a run cannot be made here ({error.strerror})") from None
    try:
        _fill(aside, preset, source, argv)
        return Run(_settle(aside, runs_dir, name, source.stem))
    except OSError as error:
        raise RunError(f"{runs_dir}: the run could not be written ({error.strerror})") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(folder: Path, preset: presets.Preset, source: Path, argv: Sequence[str]) -> None:
    for name in FOLDERS:
        (folder / name).mkdir()
    written = source.read_bytes()
    (folder / "preset.toml").write_bytes(written)
    files.write_text(folder / "resolved.toml", presets.dump(preset))
    files.write_json(
        folder / "run.json",
        {
            "schema": SCHEMA,
            "id": secrets.token_hex(8),
            "created": time.time(),
            "sslterm": __version__,
            "argv": list(argv),
            "host": socket.gethostname(),
            "user": _user(),
            "folder": str(Path.cwd()),
            "git": _git_state(),
            "preset": {"file": str(source), "sha256": hashlib.sha256(written).hexdigest(), "title": preset.title},
        },
    )


def _settle(aside: Path, runs_dir: Path, name: str | None, stem: str) -> Path:
    """Rename the finished directory to a name that is free."""
    stamp = name or time.strftime("%Y-%m-%d_%H%M_") + stem
    for attempt in range(1, 1000):
        place = runs_dir / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        if place.exists() or place.is_symlink():
            if name is not None:
                raise BadName(f"{place}: there is a run of this name; choose another --name, or resume that one")
            continue
        try:
            aside.rename(place)  # fails where another run took the name just now
        except OSError:
            if not place.exists():
                raise
            continue
        files.sync_folder(runs_dir)
        return place
    raise RunError(f"{runs_dir}: no free name like {stamp}")


def check_name(name: str) -> None:
    """Refuse what could leave the runs directory or harm a terminal. Raises BadName."""
    wrong = None
    if not name.strip() or name in (".", "..") or name.startswith((".", "-")):
        wrong = "must not be empty or begin with a dot or a dash"
    elif len(name) > LONGEST_NAME:
        wrong = f"is longer than {LONGEST_NAME} characters"
    elif "/" in name or "\\" in name or any(unicodedata.category(c)[0] == "C" for c in name):
        wrong = "must not hold slashes or control characters"
    elif name == "last":
        wrong = "is taken: `last` means the newest run"
    if wrong:
        raise BadName(f"--name {name[:40]!r}: a run's name {wrong}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _git_state() -> dict[str, Any] | None:
    """Commit and uncommitted changes of the code that runs, where it is a checkout."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return None
    try:
        commit, changes = (
            subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, timeout=5).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"commit": commit or None, "changed": bool(changes)}


# ---------------------------------------------------------------- finding


def list_runs(runs_dir: Path) -> list[Run]:
    """Every run directory, oldest first by name; hidden ones are not runs."""
    if not runs_dir.is_dir():
        return []
    return [Run(p) for p in sorted(runs_dir.iterdir()) if not p.name.startswith(".") and p.is_dir()]


def find(reference: str, runs_dir: Path) -> Run:
    """A run by path, name, unambiguous prefix, or `last`. Raises RunNotFound with a sentence."""
    path = Path(reference)
    if (path / "run.json").is_file():
        return Run(path)
    runs = list_runs(runs_dir)
    if reference == "last":
        if not runs:
            raise RunNotFound(f"{runs_dir}: there is no run yet; start one with `sslterm run quickstart`")
        return max(runs, key=_created)
    name = path.name if path.parent == runs_dir else reference
    exact = [run for run in runs if run.name == name]
    fitting = exact or [run for run in runs if run.name.startswith(name)] or [r for r in runs if _plain(r) == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RunNotFound(f"{reference}: could be {_listed(run.name for run in fitting)}; say more of it")
    known = presets.nearest(reference, [run.name for run in runs][-8:])
    raise RunNotFound(f"{reference}: no such run in {runs_dir}{known}")


def _plain(run: Run) -> str:
    """The name without the date in front: `2026-11-22_1403_moco` is also found as `moco`."""
    return run.name[16:] if run.name[4:5] == "-" and run.name[15:16] == "_" else run.name


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _created(run: Run) -> float:
    try:
        return float(run.info()["created"])
    except (RunError, KeyError, TypeError, ValueError):
        return 0.0
