"""What a list shows of one run, and what filters ask about it. Never raises, whatever the files hold.

A summary is a plain table, so that it can be kept in the index and printed as JSON. What is not known is None or empty.
The settings of `resolved.toml` are apart (`settings`), for TOML is slow to read and few lists ask about it.
"""

from __future__ import annotations

import math
import os
import stat
import time
from pathlib import Path
from typing import Any

from sslterm.runs import files, metrics, state
from sslterm.runs.directory import Run
from sslterm.runs.state import Facts, State

Row = dict[str, Any]

END = 16_384
"""Bytes that are read of a metrics segment, from its end."""

BLANK: Row = {
    "name": "", "path": "", "state": "corrupt", "reason": "", "advice": "", "title": "", "note": "", "tags": [],
    "preset": None, "data": None, "encoder": None, "seed": None, "host": None, "created": None, "updated": None,
    "attempt": None, "methods": "", "method": None, "stages": [], "stage": None, "epoch": None, "epochs": None,
    "best": {}, "best_metric": None, "best_value": None, "metrics": {}, "eval": {}, "images_per_second": None,
    "left": None, "left_of": None, "device": None, "device_name": None,
}  # fmt: skip
"""The summary of a run of which nothing can be read: every key there is."""


def summary(run: Run) -> Row:
    """What a list shows of a run, under the keys of BLANK.

    `stages` are the preset's `{name, method, epochs}`, `methods` their chain; `stage`, its `method`, and `epoch` (how
    many are done) of `epochs` say where the run is. `best` has `{metric, value, file}` for each stage; `best_metric`
    and `best_value` are those of the newest one. `metrics` are this stage's last ones by their full names, `eval` those
    of the newest evaluation. `left` are seconds, of the whole `run` or of the `stage`, as `left_of` says. `updated` is
    the last sign of life.
    """
    row = {**BLANK, "name": run.name, "path": str(run.path)}
    try:
        facts = state.observe(run)
        row |= _state(state.derive(facts)) | run.notes()
        if facts.problem is None:
            row |= _preset(run.info())
            row |= _life(run, facts, row)
            row |= _progress(run, facts, row)
    except Exception as error:  # whatever ails this run, the list goes on
        row |= _state(State("corrupt", f"{run.path}: cannot be understood ({type(error).__name__}: {error})"))
    return row


def _state(found: State) -> Row:
    return {"state": found.word, "reason": found.reason, "advice": found.advice}


def _preset(info: Row) -> Row:
    """What was decided when the run was made."""
    preset = table(info, "preset")
    said = [stage for stage in listed(info, "stages") if isinstance(stage, dict)]
    stages: list[Row] = [
        {"name": text(stage, "name"), "method": text(stage, "method"), "epochs": count(stage, "epochs")}
        for stage in said
    ]
    return {
        "title": text(preset, "title") or "",
        "preset": Path(text(preset, "file") or "").stem or None,
        "data": text(info, "data"),
        "encoder": text(info, "encoder"),
        "seed": count(info, "seed"),
        "host": text(info, "host"),
        "created": number(info, "created"),
        "stages": stages,
        "methods": " → ".join(stage["method"] or "?" for stage in stages),
    }


def _life(run: Run, facts: Facts, row: Row) -> Row:
    """Where it runs or ran, how often it was started, and its last sign of life."""
    attempts = listed(files.read_or_nothing(run.path / "env.json"), "attempts")
    ran = attempts[-1] if attempts and isinstance(attempts[-1], dict) else {}
    reserved = text(facts.job, "device")
    said = [(facts.beat, "time"), (facts.status, "started"), (facts.status, "ended"), (facts.job, "launched")]
    signs = [number(*one) for one in [*said, (facts.job, "ended")]]
    return {
        "attempt": count(facts.status, "attempt"),
        "host": text(table(facts.status, "process"), "host") or row["host"],
        # The machine's word first: a trainer that is shown one GPU of several calls it the first.
        "device": reserved if reserved not in (None, "auto") else text(ran, "device"),
        "device_name": text(ran, "device_name"),
        "updated": max((sign for sign in signs if sign is not None), default=None),
    }


# ---------------------------------------------------------------- how far, and how well


def _progress(run: Run, facts: Facts, row: Row) -> Row:
    """Where it is and what was measured there: the heartbeat knows best, then the last rows, then the checkpoint."""
    beat = facts.beat if text(facts.beat, "stage") else {}
    rows = last_rows(run.metrics)
    kept = {} if any("train/loss" in one for one in rows) else _latest_checkpoint(run)
    place = _place(beat, rows[-1] if rows else kept, row["stages"])
    said: Row = {**table(kept, "metrics")} if kept.get("stage") == place["stage"] else {}
    for one in rows:
        if one.get("stage") == place["stage"]:
            said |= one
    shown = {_full_name(name): value for name, value in table(beat, "shown").items()}
    measured = _measured(said | shown)
    speed = measured.pop("images_per_second", None)
    signs = [row["updated"], number(rows[-1], "time") if rows else None]
    return {
        **place,
        **_left(facts, beat, row["stages"]),
        **_best(run, row["stages"]),
        "metrics": measured,
        "eval": _newest_evaluation(run),
        "images_per_second": number(beat, "images_per_second") or speed,
        "updated": max((sign for sign in signs if sign is not None), default=None),
    }


def _place(beat: Row, otherwise: Row, stages: list[Row]) -> Row:
    """Stage, its method, and how many of its epochs are done."""
    said = beat or otherwise
    name = text(said, "stage")
    stage = next((stage for stage in stages if name in (None, stage["name"])), {})
    return {
        "stage": name or stage.get("name"),
        "method": stage.get("method"),
        "epoch": int(number(said, "epoch") or 0),
        "epochs": count(beat, "epochs") or stage.get("epochs"),
    }


def _left(facts: Facts, beat: Row, stages: list[Row]) -> Row:
    """Seconds left as things look now; of a run that works only."""
    left, at = number(beat, "left"), number(beat, "time")
    if left is None or at is None or not (facts.supervised or facts.written or facts.worker_alive):
        return {}
    last = stages and stages[-1]["name"] == beat.get("stage")
    return {"left": max(0.0, left - max(0.0, time.time() - at)), "left_of": "run" if last else "stage"}


def _best(run: Run, stages: list[Row]) -> Row:
    """What each stage was best at, and the newest stage that was."""
    pointers = files.read_or_nothing(run.checkpoints / "best.json")
    best = {}
    for stage, said in pointers.items():
        if isinstance(said, dict) and (value := number(said, "value")) is not None and text(said, "metric"):
            best[stage] = {"metric": said["metric"], "value": value, "file": text(said, "file")}
    newest = next((best[stage["name"]] for stage in reversed(stages) if stage["name"] in best), {})
    return {"best": best, "best_metric": newest.get("metric"), "best_value": newest.get("value")}


def _latest_checkpoint(run: Run) -> Row:
    """What is said of the newest checkpoint: the metrics of its epoch among other things."""
    file = text(files.read_or_nothing(run.checkpoints / "latest.json"), "file")
    return files.read_or_nothing((run.checkpoints / Path(file).name).with_suffix(".json")) if file else {}


def _newest_evaluation(run: Run) -> dict[str, float]:
    """The metrics of the newest answer."""
    try:
        with os.scandir(run.evaluations) as entries:
            answers = [entry for entry in entries if entry.name.endswith(".json") and entry.name[0] != "."]
        newest = max(answers, key=lambda entry: entry.stat().st_mtime_ns, default=None)
    except OSError:
        return {}
    return _measured(table(files.read_or_nothing(Path(newest.path)), "metrics")) if newest else {}


PLACES = ("step", "stage", "epoch", "time")
"""What a row of metrics says beside metrics."""


def _measured(said: Row) -> dict[str, float]:
    numbers = ((name, metrics.number(value)) for name, value in said.items() if name not in PLACES)
    return {name: value for name, value in numbers if value is not None}


def _full_name(name: str) -> str:
    return name if "/" in name else f"train/{name}"


def last_rows(folder: Path) -> list[Row]:
    """The last rows of metrics, from the end of the newest segment that has any: a few kB, however long it is."""
    for segment in reversed(metrics.segments(folder)):
        if rows := metrics.parse(_end(segment)):
            return rows
    return []


def _end(path: Path) -> bytes:
    """The last whole lines of a file."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return b""
        start = max(0, found.st_size - END)
        with path.open("rb") as file:
            file.seek(start)
            lines = file.read(2 * END)
    except OSError:
        return b""
    if start:
        lines = lines[lines.find(b"\n") + 1 :]
    return lines[: lines.rfind(b"\n") + 1]


# ---------------------------------------------------------------- settings


def settings(run: Run) -> dict[str, Any]:
    """Every value that applies, under dotted keys: `data.name`, `stage.probe.optimizer.lr`; empty where unreadable."""
    import tomllib  # not above: a list seldom needs it

    try:
        said = tomllib.loads((run.path / "resolved.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    stages = {str(stage.get("name")): stage for stage in listed(said, "stage") if isinstance(stage, dict)}
    return _flat(said | {"stage": stages})


def _flat(table: Row, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, bool | int | float | list) else str(value)
    return flat


# ---------------------------------------------------------------- what a file says, if it says it


def text(said: Row, key: str) -> str | None:
    """A text, or None."""
    value = said.get(key)
    return value if isinstance(value, str) else None


def number(said: Row, key: str) -> float | None:
    """A finite number, or None."""
    value = said.get(key)
    value = None if isinstance(value, bool) else metrics.number(value)
    return value if value is not None and math.isfinite(value) else None


def count(said: Row, key: str) -> int | None:
    """A whole number, or None."""
    value = said.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def table(said: Row, key: str) -> Row:
    """A table, or an empty one."""
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def listed(said: Row, key: str) -> list[Any]:
    """A list, or an empty one."""
    value = said.get(key)
    return value if isinstance(value, list) else []
