"""Commands that change what is there: notes, tags, names; and those that delete or mend."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sslterm.cli.answers import USAGE, answering, end, say
from sslterm.cli.app import RUNS, RunArgument, RunsDir, app

CHANGE = "Change"


@app.command(rich_help_panel=CHANGE, epilog='Example: sslterm note last "the baseline"')
def note(
    run: RunArgument,
    text: Annotated[list[str], typer.Argument(help="What to say of it; an empty text removes the note.")],
    runs_dir: RunsDir = RUNS,
) -> None:
    """Say something of a run; lists show it, and filters find it (`note:baseline`)."""
    with answering():
        from sslterm.runs import edit, find

        found = find(run, runs_dir)
        edit.note(found, " ".join(text))
        say(f"{found.name}: noted")


@app.command(rich_help_panel=CHANGE, epilog="Examples: sslterm tag last paper · sslterm tag last --remove paper")
def tag(
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="T...", help="Words to mark it with.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Take this tag away; repeat.")] = None,
    runs_dir: RunsDir = RUNS,
) -> None:
    """Mark a run with words; filters find them (`tag:paper`). Without words: says which it has."""
    with answering():
        from sslterm.runs import edit, find
        from sslterm.tables import safe

        found = find(run, runs_dir)
        left = edit.tag(found, tags or [], remove or []) if tags or remove else found.notes()["tags"]
        print(safe(" ".join(left)))


@app.command(rich_help_panel=CHANGE, epilog="Example: sslterm rename 2026-11-23_1124_moco baseline")
def rename(
    run: RunArgument,
    name: Annotated[str, typer.Argument(help="The new name.")],
    runs_dir: RunsDir = RUNS,
) -> None:
    """Give a run another name. Nobody may be working on it."""
    with answering():
        from sslterm.runs import edit, find

        found = find(run, runs_dir)
        print(edit.rename(found, name).name)


@app.command(rich_help_panel=CHANGE, epilog="Example: sslterm rm 2026-11-23_1124_moco")
def rm(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Paths, names or their beginnings.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_dir: RunsDir = RUNS,
) -> None:
    """Delete runs with all they hold: checkpoints, metrics, evaluations. Asks first; there is no way back."""
    with answering():
        from sslterm.runs import edit, find, list_runs

        # A damaged run can be found by its name only, and it is just those that one wants to be rid of.
        known = {one.name: one for one in list_runs(runs_dir)}
        found = [known.get(name) or find(name, runs_dir) for name in runs]
        if not yes and not sys.stdin.isatty():
            end("rm asks before it deletes, and there is no terminal to ask; say --yes if you mean it", USAGE)
        for one in found:
            if not yes and not _agreed(f"delete {one.path} for good? [y/N] "):
                say(f"{one.name}: kept")
                continue
            edit.remove(one, runs_dir)
            say(f"{one.name}: deleted")


def _agreed(question: str) -> bool:
    """Only `y` does."""
    from sslterm.tables import safe

    print(safe(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "y"


@app.command(rich_help_panel=CHANGE, epilog="Example: sslterm repair last")
def repair(run: RunArgument, runs_dir: RunsDir = RUNS) -> None:
    """Put aside what is damaged in a run and mend what points to it, so that it can be read and resumed.

    Nothing is deleted but half-written files, and what killed processes left of runs half made or half deleted; what is
    damaged stays beside, as NAME.damaged.
    """
    with answering():
        from sslterm.runs import aside, edit, find, list_runs, state
        from sslterm.tables import safe

        known = {one.name: one for one in list_runs(runs_dir)}
        found = known.get(run) or find(run, runs_dir)
        done = edit.repair(found)
        left = aside.sweep(found.path.parent)
        done += [
            f"{path.name}: a run half made or half deleted, left behind by a killed process; deleted" for path in left
        ]
        for line in done:
            print(safe(line))
        now = state.of(found)
        say(f"{found.name}: {'nothing to repair' if not done else 'repaired'}; {now.word}: {now.reason}")
