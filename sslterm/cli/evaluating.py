"""`sslterm eval`: a job of its own, so that it outlives the terminal too."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslterm.cli.answers import DONE, FAILED, INTERRUPTED, answering, code, end, leave, log, refuse, say, sentence
from sslterm.cli.app import DATA, RUNS, AsJson, DataDir, Device, RunArgument, RunsDir, app

if TYPE_CHECKING:
    from sslterm.runs.job import Job


@app.command(
    name="eval",
    rich_help_panel="Evaluate",
    epilog="Examples: sslterm eval last --tta · sslterm eval moco --checkpoint all --protocol knn",
)
def evaluate(
    run: RunArgument,
    checkpoint: Annotated[
        str,
        typer.Option(
            metavar="best|last|all|EPOCH|PATH",
            help="Which checkpoints: 40 is epoch 40 of the newest stage; several of a run with commas between.",
        ),
    ] = "best",
    protocol: Annotated[
        str | None,
        typer.Option(metavar="head|knn|linear", help="Who classifies; left out: the run's head, else a linear probe."),
    ] = None,
    tta: Annotated[bool, typer.Option("--tta", help="Also average over each image and its mirror image.")] = False,
    tta_scales: Annotated[
        str,
        typer.Option(
            metavar="36,40", help="Also average over these sizes (beside the ordinary one), each with its mirror image."
        ),
    ] = "",
    split: Annotated[str, typer.Option(metavar="test|valid", help="On which images.")] = "test",
    device: Device = "auto",
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Say how good a run's checkpoints are on images they never saw.

    Answers are kept in the run: the same question is not worked out twice. The work goes on in the background if this
    terminal closes. --json prints a list of answers.
    """
    with answering():
        refuse(protocol not in (None, "head", "knn", "linear"), f"--protocol {protocol}: use head, knn or linear")
        refuse(split not in ("test", "valid"), f"--split {split}: use test or valid")
        question = {
            "protocol": protocol, "tta": tta, "scales": _scales(tta_scales), "split": split, "checkpoint": checkpoint,
            "device": device,
        }  # fmt: skip
        from sslterm.runs import find
        from sslterm.runs.job import Job

        found = find(run, runs_dir)
        found.info()
        digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        job = Job(found, f"eval-{digest[:8]}")
        examined = _worked_out(job, question, data_dir, as_json)
        if as_json:
            print(json.dumps([answer for answers in examined for answer in answers], indent=1))
            return
        from sslterm import tables

        several = checkpoint == "all" or len(examined) > 1
        print(tables.over_checkpoints(examined) if several else tables.evaluation(examined[0]))


def _worked_out(job: Job, question: dict[str, Any], data_dir: Path, quiet: bool) -> list[list[dict[str, Any]]]:
    """Start the job, or follow the one that is at this very question already; then its answers."""
    from sslterm.cli.training import follow, follow_start
    from sslterm.follow import Follower
    from sslterm.jobs import launch
    from sslterm.runs import files

    command = ["eval-here", str(job.run.path), job.name, json.dumps(question)]
    command += ["--data-dir", str(data_dir.absolute())]
    try:
        follow_start(launch.start(job, command), quiet)
    except launch.NotStarted:
        if not job.record():
            raise
        say(f"this is being worked out already ({job.worker() or 'starting'}); following it")
        follow(job, Follower(job, quiet=quiet))
    result = files.read_or_nothing(job.folder / "result.json")
    record = job.record()
    if result.get("job") != record.get("job"):
        end(f"{job.run.path}: the evaluation {record.get('reason') or 'was stopped'}", _code(record))
    if result.get("error"):
        end(result["error"], int(result["exit"]))
    return list(result["answers"])


def _code(record: dict[str, Any]) -> int:
    return INTERRUPTED if record.get("stopped") else FAILED


@app.command(name="eval-here", hidden=True)
def evaluate_here(run: Path, name: str, asked: str, data_dir: DataDir = DATA) -> None:
    """What a supervisor starts: evaluates in this very process; answers and errors go into the job's result.json."""
    from sslterm.engine.progress import Heartbeat
    from sslterm.runs import Run, files
    from sslterm.runs.job import TOKEN, Job

    job, question = Job(Run(run), name), json.loads(asked)
    heart = Heartbeat(job.folder)
    heart.beat(always=True)
    result: dict[str, Any] = {"job": os.environ.get(TOKEN), "question": question, "answers": [], "error": None}
    try:
        result["answers"] = _examine(job, question, data_dir, heart.work)
        result["exit"] = DONE
    except Exception as error:
        result["exit"] = code(error)
        if result["exit"] is None:
            raise
        result["error"] = sentence(error)
    files.write_json(job.folder / "result.json", result)
    leave(result["exit"])


def _examine(job: Job, question: dict[str, Any], data_dir: Path, bars: Any) -> list[list[dict[str, Any]]]:
    from sslterm.engine.evaluate import Question
    from sslterm.engine.evaluate import evaluate as examine

    asked = Question(question["protocol"], question["tta"], tuple(question["scales"]), question["split"])
    where = {"device": question["device"], "data_dir": data_dir}
    return list(examine(job.run, question["checkpoint"], asked, **where, say=log, progress=bars))


def _scales(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    refuse(
        any(not part.isdigit() or int(part) < 1 for part in parts),
        f"--tta-scales {text}: sizes in pixels, as in 36,40",
    )
    return [int(part) for part in parts]
