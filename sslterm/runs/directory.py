"""A run directory: how one is made, found and read.

runs/2026-11-22_1403_moco/
  run.json         schema, id, when, argv, host, user, the code's git state, preset and its sha256
  preset.toml      byte copy of what was asked for      resolved.toml  every value that applies
  env.json         one entry an attempt: python, torch, device, precision and why
  status.json      the trainer's word: state, attempt, process, reason
  notes.json       what people said of it: a note, tags
  jobs/train/      its supervisor: job.json, lock, heartbeat.json, control/; beside it one folder an evaluation at work
  splits.npz       which images are train, valid, test, labeled, unlabeled
  metrics/         append-only JSON lines, one segment an attempt
  logs/train.log   what trainer and supervisor had to say, tracebacks included
  checkpoints/     pretrain-0100.pt and pretrain-0100.json beside it; latest.json and best.json point
  evaluations/     one JSON an answer, beside it .predictions.npz: what was said of each image
  pictures/        sheets of tiles, the 50 last asked for
  painted/         what a method painted between epochs: one PNG each, and a JSON that says what lies where in it
  tensorboard/     the same metrics for TensorBoard
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslterm.errors import UserError
from sslterm.runs import files
from sslterm.runs.files import DamagedFile

if TYPE_CHECKING:
    from sslterm import presets

SCHEMA = 1
FOLDERS = ("metrics", "logs", "checkpoints", "evaluations", "tensorboard", "jobs")
LONGEST_NAME, LONGEST_IN_BYTES = 100, 200


class RunError(UserError):
    """A run that cannot be made or used; the text says which and why."""


class NewerSchema(RunError):
    """A run that a newer sslterm wrote; what it holds is not guessed at."""


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
    def painted(self) -> Path:
        """The folder of what a method painted."""
        return self.path / "painted"

    @property
    def metrics(self) -> Path:
        """The folder of metric segments."""
        return self.path / "metrics"

    @property
    def lock(self) -> Path:
        """What its one writer holds."""
        return self.path / ".lock"

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
            raise NewerSchema(
                f"{self.path}: written by a newer sslterm (schema {info.get('schema')}; this one reads {SCHEMA});"
                " upgrade sslterm to use it"
            )
        return info

    def preset(self) -> presets.Preset:
        """The resolved preset. Raises RunError, PresetError."""
        from sslterm import presets  # not above: it is slow to load, and a list of runs needs none of it

        path = self.path / "resolved.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path}: cannot be read ({error}); the run cannot be used without it") from None
        return presets.resolve(presets.read(text, str(path)), str(path))

    def status(self) -> dict[str, Any]:
        """`status.json` as last written; what is not known is missing."""
        return files.read_or_nothing(self.path / "status.json")

    def notes(self) -> dict[str, Any]:
        """What people said of it: `note`, a text, and `tags`, a list of words."""
        said = files.read_or_nothing(self.path / "notes.json")
        note, tags = said.get("note"), said.get("tags")
        return {
            "note": note if isinstance(note, str) else "",
            "tags": [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        }


def check_name(name: str) -> None:
    """Refuse what could leave the runs directory or harm a terminal. Raises BadName."""
    wrong = None
    if not name.strip() or name in (".", "..") or name.startswith((".", "-")):
        wrong = "must not be empty or begin with a dot or a dash"
    elif len(name) > LONGEST_NAME:
        wrong = f"is longer than {LONGEST_NAME} characters"
    elif "/" in name or "\\" in name or any(unicodedata.category(c)[0] == "C" for c in name):
        wrong = "must not hold slashes or control characters"
    elif len(name.encode()) > LONGEST_IN_BYTES:
        wrong = f"is longer than {LONGEST_IN_BYTES} bytes, which file systems do not take"
    elif name == "last":
        wrong = "is taken: `last` means the newest run"
    if wrong:
        raise BadName(f"--name {name[:40]!r}: a run's name {wrong}")


# ---------------------------------------------------------------- finding


def list_runs(runs_dir: Path) -> list[Run]:
    """Every run directory, oldest first by name; hidden ones are not runs."""
    if not runs_dir.is_dir():
        return []
    with os.scandir(runs_dir) as entries:
        names = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False))
    return [Run(runs_dir / name) for name in names]


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
    from sslterm.presets import nearest

    known = nearest(reference, [run.name for run in runs][-8:])
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
