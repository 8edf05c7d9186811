"""Evaluations: one JSON an answer, found again by its question; beside it what was said of each single image.

evaluations/probe-0008-head-test-1f2e3d4c5b.json               the totals
evaluations/probe-0008-head-test-1f2e3d4c5b.predictions.npz    index, truth, guess and confidence of every image
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sslterm.runs import files
from sslterm.runs.directory import Run
from sslterm.runs.files import DamagedFile

Answer = dict[str, Any]


def place(run: Run, question: dict[str, Any]) -> Path:
    """The file that answers a question: which checkpoint (sha), protocol, TTA, split, data, seed."""
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    stem = Path(question["file"]).stem
    return run.evaluations / f"{stem}-{question['protocol']}-{question['split']}-{digest[:10]}.json"


def answered(run: Run, question: dict[str, Any]) -> Answer | None:
    """The answer, where this very question was asked before and all that belongs to it holds.

    An answer without predictions, as older versions gave, is none: whoever asks again gets one that has them. The
    totals cannot be had without them, and `sslterm pictures mistakes` says to ask again.
    """
    try:
        answer = files.read_json(place(run, question))
    except (FileNotFoundError, DamagedFile):
        return None
    return answer if answer.get("question") == question and predictions(run, answer) else None


def keep(run: Run, question: dict[str, Any], answer: Answer, write_predictions: Callable[[BinaryIO], object]) -> Answer:
    """Store an answer, whole or not at all; gives back what a reader will read. Raises OSError.

    Its predictions come first, so that no answer ever points at nothing.
    """
    path = place(run, question)
    beside = path.with_suffix(".predictions.npz")
    files.write_whole(beside, write_predictions)
    named = {"file": beside.name, "sha256": files.sha256(beside)}
    answer = {**answer, "predictions": named, "question": question}
    files.write_json(path, answer)
    return answer


def predictions(run: Run, answer: Answer) -> Path | None:
    """The file that says what was predicted of each image; None where it is missing, damaged, or never was."""
    named = answer.get("predictions")
    if not isinstance(named, dict):
        return None
    path = run.evaluations / Path(str(named.get("file"))).name
    try:
        return path if files.sha256(path) == named.get("sha256") else None
    except (OSError, ValueError):
        return None


def listed(run: Run) -> list[Answer]:
    """Every answer that can be read."""
    answers = []
    for path in sorted(run.evaluations.glob("[!.]*.json")):
        try:
            answers.append(files.read_json(path))
        except (FileNotFoundError, DamagedFile):
            continue
    return answers
