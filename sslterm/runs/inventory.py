"""What a list shows of a run's checkpoints: a row each, with the evaluations that were made of it.

A row is a plain table, so that it can be printed as JSON. No checkpoint is opened.
"""

from __future__ import annotations

import sys

from sslterm.runs import checkpoints, evaluations
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.directory import Run
from sslterm.runs.summary import Row, count, listed, number, table, text

TOLD_BY = ("checkpoints", "evaluations")
"""The folders that change when a row does: files in them are never written in place."""


def rows(run: Run) -> list[Row]:
    """Every checkpoint of a run, in the order of training. Never raises; of a run that is gone there are none.

    `run` and `path` say where it is; then come the keys of its description; `best` of its stage and `latest` of the
    run; `evaluations`: {protocol, split, augmented, top1, n, time} each.
    """
    try:
        return _rows(run)
    except OSError:
        return []


def _rows(run: Run) -> list[Row]:
    there = checkpoints.listed(run)
    best = {str(entry.get("file")) for entry in checkpoints.pointer(run, "best").values() if isinstance(entry, dict)}
    answers = _by_checkpoint(run) if there else {}
    return [
        {
            "run": run.name,
            "path": str(run.checkpoints / checkpoint.file),
            **_described(checkpoint),
            "best": checkpoint.file in best,
            "latest": checkpoint is there[-1],
            "evaluations": answers.get(checkpoint.sha256, []),
        }
        for checkpoint in there
    ]


def _described(checkpoint: Checkpoint) -> Row:
    """The description as it is. Thousands of rows share the names of stages and metrics."""
    said = {sys.intern(name): value for name, value in checkpoint.metrics.items()}
    return vars(checkpoint) | {"metrics": said, "stage": sys.intern(checkpoint.stage)}


def _by_checkpoint(run: Run) -> dict[str, list[Row]]:
    """What was asked of each checkpoint, by its sha256; of one question asked twice (on another device) the newest."""
    found: dict[str, dict[tuple[str, str, str], Row]] = {}
    for answer in evaluations.listed(run):
        digest, top1 = text(table(answer, "checkpoint"), "sha256"), number(table(answer, "metrics"), "top1")
        if digest is None or top1 is None:
            continue
        asked = (text(answer, "protocol") or "?", text(answer, "split") or "?", augmented(answer))
        one: Row = {
            "protocol": sys.intern(asked[0]), "split": sys.intern(asked[1]), "augmented": sys.intern(asked[2]),
            "top1": top1, "n": count(answer, "n"), "time": number(answer, "time"),
        }  # fmt: skip
        before = found.setdefault(digest, {}).get(asked)
        if before is None or (before["time"] or 0.0) <= (one["time"] or 0.0):
            found[digest][asked] = one
    return {digest: [one for _, one in sorted(kept.items())] for digest, kept in found.items()}


def augmented(answer: Row) -> str:
    """`flip`, `flip@36,40`; empty where the images were seen as they are."""
    tta = answer.get("tta")
    if not isinstance(tta, dict):
        return ""
    scales = ",".join(str(scale) for scale in listed(tta, "scales"))
    return f"flip@{scales}" if scales else "flip"
