"""A new run directory: filled aside under a hidden name, then renamed, so that nobody sees half a run."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sslterm import __version__, presets
from sslterm.runs import aside, crash, files
from sslterm.runs.directory import FOLDERS, SCHEMA, BadName, Run, RunError, check_name
from sslterm.runs.identity import host


def create(
    runs_dir: Path, preset: presets.Preset, *, source: Path, name: str | None = None, argv: Sequence[str] = ()
) -> Run:
    """Make a run directory: whole, or not at all. Raises RunError with a sentence."""
    if name is not None:
        check_name(name)
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        aside.sweep(runs_dir)
        filled = runs_dir / aside.name(aside.NEW)
        filled.mkdir()
    except OSError as error:
        raise RunError(f"{runs_dir}: a run cannot be made here ({error.strerror})") from None
    try:
        _fill(filled, preset, source, argv)
        return Run(_settle(filled, runs_dir, name, source.stem))
    except OSError as error:
        raise RunError(f"{runs_dir}: the run could not be written ({error.strerror})") from None
    finally:
        shutil.rmtree(filled, ignore_errors=True)


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
            "host": host(),
            "user": _user(),
            "folder": str(Path.cwd()),
            "git": _git_state(),
            "preset": {"file": str(source), "sha256": hashlib.sha256(written).hexdigest(), "title": preset.title},
            # What a list of runs shows of the preset, so that it need not read TOML.
            "data": preset.data.name,
            "encoder": preset.encoder.name,
            "seed": preset.seed,
            "stages": [
                {"name": stage.name, "method": stage.method.get("name"), "epochs": stage.epochs}
                for stage in preset.stage
            ],
        },
    )


def _settle(filled: Path, runs_dir: Path, name: str | None, stem: str) -> Path:
    """Rename the finished directory to a name that is free."""
    stamp = name or time.strftime("%Y-%m-%d_%H%M_") + stem
    for attempt in range(1, 1000):
        place = runs_dir / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        if _renamed(filled, place):
            files.sync_folder(runs_dir)
            return place
        if name is not None:
            raise BadName(f"{place}: there is a run of this name; choose another --name, or resume that one")
    raise RunError(f"{runs_dir}: no free name like {stamp}")


def _renamed(filled: Path, place: Path) -> bool:
    """Take a name; False where there is something of that name, be it only since just now. Raises OSError."""
    if place.exists() or place.is_symlink():
        return False
    crash.point("create.filled")
    try:
        filled.rename(place)
    except OSError:
        if not place.exists():
            raise
        return False
    return True


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
