"""Evaluations: one JSON an answer, found again by its question."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sslterm.runs import files
from sslterm.runs.directory import Run
from sslterm.runs.files import DamagedFile


def place(run: Run, question: dict[str, Any]) -> Path:
    """The file that answers a question: which checkpoint (sha), protocol, TTA, split, data, seed."""
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    stem = Path(question["file"]).stem
    return run.evaluations / f"{stem}-{question['protocol']}-{question['split']}-{digest[:10]}.json"


def answered(run: Run, question: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, where this very question was asked before and the file holds."""
    try:
        answer = files.read_json(place(run, question))
    except (FileNotFoundError, DamagedFile):
        return None
    return answer if answer.get("question") == question else None


def keep(run: Run, question: dict[str, Any], answer: dict[str, Any]) -> Path:
    """Store an answer, whole or not at all. Raises OSError."""
    path = place(run, question)
    files.write_json(path, {**answer, "question": question})
    return path


def listed(run: Run) -> list[dict[str, Any]]:
    """Every answer that can be read."""
    answers = []
    for path in sorted(run.evaluations.glob("[!.]*.json")):
        try:
            answers.append(files.read_json(path))
        except (FileNotFoundError, DamagedFile):
            continue
    return answers
