"""Commands that look: at all runs, at one, at its log and its checkpoints; and at this machine."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslterm.cli.answers import DONE, FAILED, answering, end, say
from sslterm.cli.app import DATA, RUNS, AsJson, DataDir, RunArgument, RunsDir, app

if TYPE_CHECKING:
    from sslterm.runs import Run
    from sslterm.runs.checkpoints import Checkpoint

LOOK = "Look"


@app.command(
    rich_help_panel=LOOK,
    epilog="Examples: sslterm ls · sslterm ls state:running · sslterm ls 'method:moco cfg.optimizer.lr>=0.01' · "
    "sslterm ls 'metric.knn>0.8 | tag:paper'",
)
def ls(
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILTER]", help="Words and comparisons; all must hold, | between alternatives."),
    ] = None,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """Every run, the newest first: its state, how far it is, best and last metric, images/s, time left, device.

    A FILTER takes state: method: data: encoder: name: note: tag: device: seed: age: cfg.KEY and metric.NAME with
    : = != < <= > >=, a minus in front for not.
    """
    with answering():
        from sslterm.cli.ls import print_runs

        print_runs(filters or [], runs_dir, as_json)


@app.command(rich_help_panel=LOOK, epilog="Example: sslterm show last")
def show(run: RunArgument, runs_dir: RunsDir = RUNS, as_json: AsJson = False) -> None:
    """One run: why it is in that state, what to do next, settings, environment, checkpoints, evaluations."""
    with answering():
        from sslterm import overview
        from sslterm.runs import checkpoints, evaluations, files, find, list_runs
        from sslterm.runs.summary import summary

        known = {one.name: one for one in list_runs(runs_dir)}
        found = known.get(run) or find(run, runs_dir)
        facts = {
            **summary(found),
            "info": files.read_or_nothing(found.path / "run.json"),
            "environment": files.read_or_nothing(found.path / "env.json").get("attempts"),
            "checkpoints": _described(found, checkpoints.listed(found)),
            "evaluations": evaluations.listed(found),
        }
        print(json.dumps(files.finite(facts), indent=1) if as_json else overview.run(facts))


@app.command(rich_help_panel=LOOK, epilog="Examples: sslterm logs last · sslterm logs last -f")
def logs(
    run: RunArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes.")] = False,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=1, help="Only the last so many.")] = None,
    job: Annotated[str, typer.Option(metavar="train|eval-…", help="Which job's log.")] = "train",
    runs_dir: RunsDir = RUNS,
) -> None:
    """What the trainer and its supervisor printed, tracebacks included."""
    with answering():
        from sslterm.jobs import stop
        from sslterm.runs import find, list_runs
        from sslterm.runs.job import Job, all_jobs
        from sslterm.tables import safe

        known = {one.name: one for one in list_runs(runs_dir)}
        found = known.get(run) or find(run, runs_dir)
        one = Job(found, job)
        if "/" in job or not one.log.is_file():
            there = ", ".join(j.name for j in all_jobs(found) if j.log.is_file())
            end(f"{found.path}: has no log of {job!r}; there is {there or 'none yet'}", 3)
        from sslterm.runs.tail import Tail

        tail = Tail(one.log)
        for line in list(tail.lines())[-(lines or 0) :]:
            print(safe(line))
        while follow:
            going = stop.working(one)
            for line in tail.lines():
                print(safe(line), flush=True)
            if not going:
                break
            time.sleep(0.2)


@app.command(rich_help_panel=LOOK, epilog="Examples: sslterm checkpoints last · sslterm checkpoints last --prune")
def checkpoints(
    run: RunArgument,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete all but each stage's best and last; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Let the run that trains save one now.")] = False,
    verify: Annotated[bool, typer.Option(help="Read every byte and compare it with its sha256.")] = True,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """The checkpoints of a run: stage, epoch, metrics, size, best or latest, verified or damaged."""
    with answering():
        from sslterm import overview
        from sslterm.runs import checkpoints, find

        found = find(run, runs_dir)
        if now:
            _save_now(found)
        if prune:
            _prune(found, yes)
        rows = _described(found, checkpoints.listed(found), verify)
        if as_json:
            print(json.dumps(rows, indent=1))
        elif rows:
            print(overview.checkpoints(rows))
        else:
            say(f"{found.path}: holds no checkpoint yet")
        if any(row["damaged"] for row in rows):
            raise SystemExit(FAILED)


def _described(run: Run, there: list[Checkpoint], verify: bool = False) -> list[dict[str, Any]]:
    """Each checkpoint as a row; a run that trains meanwhile deletes some that were there a moment ago."""
    from dataclasses import asdict

    from sslterm.runs import checkpoints

    best = {str(entry.get("file")) for entry in checkpoints.pointer(run, "best").values() if isinstance(entry, dict)}
    rows = []
    for checkpoint in there:
        problem = checkpoints.damage(run, checkpoint) if verify else None
        if problem and not (run.checkpoints / checkpoint.file).exists():
            continue
        marks = {"best": checkpoint.file in best, "latest": checkpoint is there[-1]}
        rows.append({**asdict(checkpoint), **marks, "verified": verify and problem is None, "damaged": problem})
    return rows


def _save_now(run: Run) -> None:
    from sslterm.jobs import stop
    from sslterm.runs.job import Job

    job = Job(run)
    if not stop.working(job):
        end(f"{run.path}: nobody trains it, so there is nothing to save", FAILED)
    job.request("checkpoint")
    until = time.monotonic() + 60
    while job.requested("checkpoint") is not None:
        if not stop.working(job) or time.monotonic() > until:
            end(f"{run.path}: the trainer did not answer within a minute; see `sslterm logs {run.path}`", FAILED)
        time.sleep(0.1)


def _prune(run: Run, yes: bool) -> None:
    from sslterm.cli.changing import _agreed
    from sslterm.runs import edit

    unwanted = edit.prunable(run)
    if not unwanted:
        say(f"{run.path}: nothing to prune; what is left is each stage's best and last")
        return
    size = sum(c.size for c in unwanted) / 2**20
    names = ", ".join(c.file for c in unwanted[:8]) + (" …" if len(unwanted) > 8 else "")
    if not yes and not sys.stdin.isatty():
        end("--prune asks before it deletes, and there is no terminal to ask; say --yes if you mean it", 2)
    if yes or _agreed(f"delete {len(unwanted)} checkpoints ({size:,.0f} MiB): {names}? [y/N] "):
        edit.delete(run, unwanted)
        say(f"{run.name}: {len(unwanted)} checkpoints deleted")


@app.command(rich_help_panel=LOOK, epilog="Example: sslterm doctor")
def doctor(runs_dir: RunsDir = RUNS, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """Look at this machine: python, torch, device, what bf16 is worth, disk, terminal, logout, clock, data; each a
    sentence, and how to mend it."""
    with answering():
        from dataclasses import asdict

        from sslterm import doctor as examiner

        findings = []
        for finding in examiner.examine(runs_dir, data_dir):
            findings.append(finding)
            if not as_json:
                print(examiner.text(finding), flush=True)
        if as_json:
            print(json.dumps([asdict(finding) for finding in findings], indent=1))
        raise SystemExit(FAILED if any(finding.level == "bad" for finding in findings) else DONE)
