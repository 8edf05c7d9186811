"""Checkpoints as a reader sees them: the JSON beside each tells all without opening a tensor."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sslterm.runs import files, metrics
from sslterm.runs.directory import Run, RunNotFound
from sslterm.runs.files import DamagedFile


@dataclass(frozen=True)
class Checkpoint:
    """What the JSON beside a checkpoint says."""

    file: str
    stage: str
    stage_index: int
    epoch: int
    """Epochs of the stage that are done."""
    step: int
    """Steps of the next epoch that are done; 0 but for a stop in the middle."""
    total_steps: int
    """Steps of the whole run that are done."""
    ended: bool
    """Whether the stage was done with this one."""
    time: float
    size: int
    sha256: str
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, int, int]:
        """Where in the run it was made: stage, epoch, step."""
        return self.stage_index, self.epoch, self.step


KINDS: dict[str, Any] = {
    "file": str, "stage": str, "stage_index": int, "epoch": int, "step": int, "total_steps": int, "ended": bool,
    "time": int | float, "size": int, "sha256": str, "metrics": dict,
}  # fmt: skip


LARGEST = 2**63


def describe(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the JSON beside a checkpoint."""
    files.write_json((folder / checkpoint.file).with_suffix(".json"), asdict(checkpoint))


def read(path: Path) -> Checkpoint:
    """The description at `path` (a .json). Raises DamagedFile, FileNotFoundError."""
    said = files.read_json(path)
    for name, kind in KINDS.items():
        if not isinstance(said.get(name), kind) or not _within_reason(said[name]):
            raise DamagedFile(f"{path}: does not say {name} as it should")
    if said["file"] != f"{path.stem}.pt":
        raise DamagedFile(f"{path}: names no file of this run")
    values = {name: value for name, value in said["metrics"].items() if isinstance(value, int | float | str)}
    metrics = {name: value for name, value in values.items() if _within_reason(value)}
    return Checkpoint(**{name: said[name] for name in KINDS} | {"metrics": metrics})


def _within_reason(value: Any) -> bool:
    """Whether a number, if it is one, can be reckoned with."""
    return not isinstance(value, int | float) or -LARGEST < value < LARGEST


def listed(run: Run) -> list[Checkpoint]:
    """Every checkpoint that is described, in the order of training. Damaged descriptions are passed over."""
    found = []
    for path in run.checkpoints.glob("[!.]*.json"):
        if path.name in ("latest.json", "best.json"):
            continue
        try:
            checkpoint = read(path)
        except (DamagedFile, FileNotFoundError):
            continue
        if (run.checkpoints / checkpoint.file).is_file():
            found.append(checkpoint)
    return sorted(found, key=lambda c: c.place)


def damage(run: Run, checkpoint: Checkpoint) -> str | None:
    """Why a checkpoint cannot be trusted, or None: it is there, whole, and byte for byte what was written."""
    path = run.checkpoints / checkpoint.file
    try:
        size = path.stat().st_size
        if size != checkpoint.size:
            return f"{path}: is damaged: {size:,} of {checkpoint.size:,} bytes"
        return None if files.sha256(path) == checkpoint.sha256 else f"{path}: is damaged: its sha256 differs"
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror})"


def newest_good(run: Run) -> tuple[Checkpoint | None, list[str]]:
    """The checkpoint to continue from, and what is wrong with those that are newer."""
    wrong: list[str] = []
    for checkpoint in reversed(listed(run)):
        problem = damage(run, checkpoint)
        if problem is None:
            return checkpoint, wrong
        wrong.append(problem)
    return None, wrong


def point(run: Run, name: str, value: dict[str, Any]) -> None:
    """Set a pointer: `latest` or `best`."""
    files.write_json(run.checkpoints / f"{name}.json", value)


def pointer(run: Run, name: str) -> dict[str, Any]:
    """What a pointer says; empty where there is none."""
    try:
        return files.read_json(run.checkpoints / f"{name}.json")
    except (DamagedFile, FileNotFoundError):
        return {}


def best(run: Run, there: list[Checkpoint]) -> Checkpoint:
    """The best checkpoint of the newest stage that has one; where nobody measured, its last."""
    newest = there[-1]
    marked = pointer(run, "best").get(newest.stage)
    file = marked.get("file") if isinstance(marked, dict) else None
    return next((c for c in there if c.file == file), newest)


def chosen(run: Run, wanted: str) -> list[Checkpoint]:
    """The checkpoints that `best`, `last`, `all`, an epoch (`40`, or `pretrain-40`), or a file name mean; of several
    with commas between them each once, in that order.

    Epochs count within the newest stage that has one. Raises RunNotFound with a sentence.
    """
    there = listed(run)
    if not there:
        raise RunNotFound(f"{run.path}: holds no checkpoint yet; train at least one epoch first")
    words = [word.strip() for word in wanted.split(",") if word.strip()] or [wanted]
    found = {checkpoint.file: checkpoint for word in words for checkpoint in _meant(run, word, there)}
    return list(found.values())


def _meant(run: Run, wanted: str, there: list[Checkpoint]) -> list[Checkpoint]:
    """Those of one word."""
    if wanted == "all":
        return there
    if wanted == "last":
        return there[-1:]
    if wanted == "best":
        return [best(run, there)]
    by_name = [c for c in there if wanted in (c.file, Path(c.file).stem)]
    stage, _, number = wanted.rpartition("-")
    if not by_name and number.isdigit():
        by_name = [c for c in there if c.epoch == int(number) and c.step == 0 and (not stage or c.stage == stage)]
    if not by_name:
        raise RunNotFound(
            f"{run.path}: no checkpoint {wanted!r}; there are {', '.join(Path(c.file).stem for c in there)}"
        )
    return by_name[-1:]


# ---------------------------------------------------------------- pointers that name what is there


def downward(metric: str) -> bool:
    """Whether a metric is better when smaller."""
    return metric.endswith(("loss", "nll", "ece", "alignment", "uniformity"))


def best_left(run: Run, there: list[Checkpoint]) -> dict[str, Any]:
    """What `best` is to say where some that it named are gone: for each stage the best of those that are there, by the
    same metric; nothing of a stage in which none was measured."""
    names, kept = {c.file for c in there}, {}
    for stage, entry in pointer(run, "best").items():
        if not isinstance(entry, dict):
            continue
        if str(entry.get("file")) not in names:
            entry = _best_by(str(entry.get("metric")), [c for c in there if c.stage == stage])
        if entry is not None:
            kept[stage] = entry
    return kept


def _best_by(metric: str, there: list[Checkpoint]) -> dict[str, Any] | None:
    """An entry for the best of these by a metric, of equals the earlier; None where it was never measured."""
    measured = [(metrics.number(c.metrics.get(metric)), c.file) for c in there]
    known = [(value, file) for value, file in measured if value is not None and math.isfinite(value)]
    if not known:
        return None
    value, file = (min if downward(metric) else max)(known, key=lambda pair: pair[0])
    return {"file": file, "metric": metric, "value": value}
