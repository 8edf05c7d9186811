"""What `sslterm checkpoints` prints, saves and deletes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sslterm.cli.answers import FAILED, USAGE, end, say
from sslterm.runs import Run, checkpoints, edit, inventory
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.summary import Row

LOOKS = 10


def rows(run: Run, verify: bool) -> list[Row]:
    """Each checkpoint as a row. A run that trains meanwhile deletes some that were there a moment ago; where the latest
    was among them there is a later one, so that it is looked for again."""
    for _ in range(LOOKS if verify else 1):
        found = _rows(run, verify)
        if not found or any(row["latest"] for row in found):
            break
    return found


def _rows(run: Run, verify: bool) -> list[Row]:
    found, described = inventory.rows(run), {one.file: one for one in checkpoints.listed(run)} if verify else {}
    kept = []
    for row in found:
        checkpoint = described.get(row["file"])
        problem = checkpoints.damage(run, checkpoint) if checkpoint else None
        if not verify or Path(row["path"]).exists():
            kept.append({**row, "verified": checkpoint is not None and problem is None, "damaged": problem})
    return kept


def show(runs: Sequence[Run], verify: bool, as_json: bool) -> bool:
    """Print the checkpoints of these runs. Tells whether all are whole, as far as was looked."""
    from sslterm import overview
    from sslterm.runs import files

    found = [(run, rows(run, verify)) for run in runs]
    every = [row for _, of_run in found for row in of_run]
    if as_json:
        print(json.dumps(files.finite(every), indent=1))
    elif not every:
        say(f"{runs[0].path}: holds no checkpoint yet" if len(runs) == 1 else "no run holds a checkpoint yet")
    elif len(runs) == 1:
        print(overview.checkpoints(every))
    else:
        print("\n\n".join(_headed(run, of_run) for run, of_run in found if of_run))
    return not any(row["damaged"] for row in every)


def _headed(run: Run, found: Sequence[Row]) -> str:
    from sslterm import overview
    from sslterm.tables import safe

    lines = overview.checkpoints(found).splitlines()
    return "\n".join([safe(run.name), *(f"  {line}" for line in lines)])


def save_now(run: Run) -> None:
    """Let the trainer save one, and wait until it is there."""
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


def prune(run: Run, yes: bool) -> None:
    """Delete all but each stage's best and last, after a yes."""
    unwanted = edit.prunable(run)
    if not unwanted:
        say(f"{run.path}: nothing to prune; what is left is each stage's best and last")
        return
    _delete(run, unwanted, yes, "--prune")


def delete(run: Run, wanted: str, yes: bool) -> None:
    """Delete those that are named, after a yes that was told which of them are the best or the latest."""
    _delete(run, checkpoints.chosen(run, wanted), yes, "--delete")


def _delete(run: Run, unwanted: Sequence[Checkpoint], yes: bool, option: str) -> None:
    from sslterm.cli.changing import _agreed

    size = sum(c.size for c in unwanted) / 2**20
    names = ", ".join(_named(run, unwanted)[:8]) + (" …" if len(unwanted) > 8 else "")
    if not yes and not sys.stdin.isatty():
        end(f"{option} asks before it deletes, and there is no terminal to ask; say --yes if you mean it", USAGE)
    many = f"{len(unwanted)} checkpoint{'s' * (len(unwanted) != 1)}"
    if not yes and not _agreed(f"delete {many} of {run.name} ({size:,.1f} MiB): {names}? [y/N] "):
        say(f"{run.name}: nothing was deleted")
        return
    mended = edit.delete(run, unwanted)
    say(f"{run.name}: {many} deleted")
    for line in mended:
        say(f"{run.name}: {line}")


def _named(run: Run, unwanted: Sequence[Checkpoint]) -> list[str]:
    """Their names; the best and the latest come first, and are called so."""
    told = {row["file"]: [word for word in ("best", "latest") if row[word]] for row in inventory.rows(run)}
    words = {c.file: told.get(c.file, []) for c in unwanted}
    named = [f"{file} (the {' and '.join(said)})" if said else file for file, said in words.items()]
    return sorted(named, key=lambda name: not name.endswith(")"))
