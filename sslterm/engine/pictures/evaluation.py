"""Which evaluation pictures are asked of; where there is none, the command that makes it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm.runs import Run, RunNotFound, checkpoints, evaluations
from sslterm.runs.summary import table

PREFERRED = ("head", "linear", "knn")
"""Whose answer is taken where nobody said: that of `sslterm eval`, as far as there is one."""


@dataclass(frozen=True)
class Asked:
    """Which evaluation, and which of its images."""

    checkpoint: str = "best"
    protocol: str | None = None
    split: str = "test"
    tta: bool = False
    truth: str | None = None
    guess: str | None = None
    """The same as `truth`: those that were told right."""
    count: int = 24


def chosen_evaluation(run: Run, asked: Asked) -> tuple[dict[str, Any], Path]:
    """The evaluation that was asked for, and the file of its predictions.

    Of several: one with predictions, then as preferred, then the newest. Raises RunNotFound with the command that makes
    it.
    """
    answers = [answer for answer in evaluations.listed(run) if answer.get("protocol") in PREFERRED]
    file, sha256 = _checkpoint(run, asked.checkpoint, answers)
    fitting = [answer for answer in answers if _fits(answer, asked, file, sha256)]
    told = [(answer, path) for answer in fitting if (path := evaluations.predictions(run, answer))]
    if told:
        return max(told, key=lambda one: _rank(one[0]))
    what = "has not been evaluated like that"
    if fitting:
        what = "its evaluation tells of no single image (an older version made it, or a file is damaged)"
    raise RunNotFound(f"{run.path}: {file}: {what}; evaluate it with: {_command(run, asked, file)}")


def _checkpoint(run: Run, wanted: str, answers: list[dict[str, Any]]) -> tuple[str, str | None]:
    """The file of a checkpoint and its sha256; of one that is gone but was evaluated, its name. Raises RunNotFound."""
    try:
        chosen = checkpoints.chosen(run, wanted)[-1]
    except RunNotFound:
        known = {str(table(answer, "checkpoint").get("file")) for answer in answers}
        gone = [file for file in known if wanted in (file, Path(file).stem)]
        if not gone:
            raise
        return gone[0], None
    return chosen.file, chosen.sha256


def _fits(answer: dict[str, Any], asked: Asked, file: str, sha256: str | None) -> bool:
    checkpoint = table(answer, "checkpoint")
    return (
        checkpoint.get("file") == file
        and sha256 in (None, checkpoint.get("sha256"))
        and answer.get("split") == asked.split
        and bool(answer.get("tta")) == asked.tta
        and asked.protocol in (None, answer["protocol"])
    )


def _rank(answer: dict[str, Any]) -> tuple[int, bool, float]:
    """The greatest is taken: of several scales, flip alone is what `--tta` says."""
    when = answer.get("time")
    return (
        -PREFERRED.index(answer["protocol"]),
        not table(answer, "tta").get("scales"),
        when if isinstance(when, float) else 0.0,
    )


def _command(run: Run, asked: Asked, file: str) -> str:
    words = ["sslterm", "eval", str(run.path), "--checkpoint", file]
    words += ["--protocol", asked.protocol] if asked.protocol else []
    words += ["--split", asked.split] if asked.split != "test" else []
    words += ["--tta"] if asked.tta else []
    return shlex.join(words)
