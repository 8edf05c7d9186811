"""Commands that look: at all runs, at one, at its log and its checkpoints; and at this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from sslterm.cli.answers import DONE, FAILED, answering, end, refuse
from sslterm.cli.app import DATA, RUNS, AsJson, DataDir, RunArgument, RunsDir, app

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
        from sslterm.cli.checkpoints import rows
        from sslterm.runs import evaluations, files, find, list_runs
        from sslterm.runs.summary import summary

        known = {one.name: one for one in list_runs(runs_dir)}
        found = known.get(run) or find(run, runs_dir)
        facts = {
            **summary(found),
            "info": files.read_or_nothing(found.path / "run.json"),
            "environment": files.read_or_nothing(found.path / "env.json").get("attempts"),
            "checkpoints": rows(found, verify=False),
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


@app.command(
    rich_help_panel=LOOK,
    epilog="Examples: sslterm checkpoints last · sslterm checkpoints last --prune · "
    "sslterm checkpoints moco --delete 40,60 · sslterm checkpoints --all --json",
)
def checkpoints(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A path, a name or its beginning, or `last`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Those of all runs, the newest run first.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete all but each stage's best and last; asks first.")
    ] = False,
    delete: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]", help="Delete these: file names, epochs, best, last; asks first. Evaluations stay."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Let the run that trains save one now.")] = False,
    verify: Annotated[
        bool | None,
        typer.Option(help="Read every byte and compare it with its sha256; for all runs only where asked for."),
    ] = None,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """The checkpoints of a run: stage, epoch, metrics, size, best or latest, verified or damaged.

    Nothing is deleted that `sslterm resume` would miss, or while anybody works on the run.
    """
    with answering():
        refuse((run is None) != every, "name a RUN, or say --all for the checkpoints of all runs")
        refuse(every and (prune or now or delete is not None), "--prune, --delete and --now are for one RUN, not --all")
        refuse(prune and delete is not None, "--prune and --delete: use one of them")
        from sslterm.cli import checkpoints as doing
        from sslterm.runs import Run, find, index

        if run is None:
            runs = [Run(Path(row["path"])) for row in index.summaries(runs_dir)]
            raise SystemExit(DONE if doing.show(runs, bool(verify), as_json) else FAILED)
        found = find(run, runs_dir)
        if now:
            doing.save_now(found)
        if prune:
            doing.prune(found, yes)
        if delete is not None:
            doing.delete(found, delete, yes)
        raise SystemExit(DONE if doing.show([found], verify is not False, as_json) else FAILED)


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
