"""What people change of a run that nobody works on: its notes, its name, whether it is there, what is damaged in it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from sslterm.errors import UserError
from sslterm.runs import aside, checkpoints, crash, files
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.directory import BadName, Run, RunError, check_name
from sslterm.runs.job import all_jobs
from sslterm.runs.locks import Lock, Locked, holding

LONGEST_NOTE = 2000
LONGEST_TAG = 40


class BadNote(RunError):
    """A note or a tag that a list of runs has no room for."""

    exit_code = 2


# ---------------------------------------------------------------- notes


def note(run: Run, text: str) -> None:
    """Set the note of a run; an empty one removes it. Raises BadNote, OSError."""
    if len(text) > LONGEST_NOTE:
        raise BadNote(f"a note has at most {LONGEST_NOTE:,} characters; this one has {len(text):,}")
    with holding(run.path / ".notes.lock"):
        files.write_json(run.path / "notes.json", {**run.notes(), "note": text.strip()})


def tag(run: Run, add: Sequence[str], remove: Sequence[str] = ()) -> list[str]:
    """Add tags to a run, and take some away; gives back those it has then. Raises BadNote, OSError."""
    for word in add:
        if not word.strip() or len(word) > LONGEST_TAG or any(c.isspace() or not c.isprintable() for c in word):
            raise BadNote(f"{word[:LONGEST_TAG]!r}: a tag is one word of at most {LONGEST_TAG} characters")
    with holding(run.path / ".notes.lock"):
        notes = run.notes()
        tags = [word for word in dict.fromkeys([*notes["tags"], *add]) if word not in remove]
        files.write_json(run.path / "notes.json", {**notes, "tags": tags})
    return tags


# ---------------------------------------------------------------- the directory itself


@contextlib.contextmanager
def at_rest(run: Run, why: str) -> Iterator[None]:
    """Hold a run so that nobody begins to work on it meanwhile. Raises RunError where somebody does."""
    with contextlib.ExitStack() as held:
        try:
            for path in (*(job.lock for job in all_jobs(run)), run.lock):
                held.enter_context(Lock(path))
        except Locked:
            raise RunError(
                f"{run.path}: somebody works on it; stop it before you {why}: sslterm stop {run.path}"
            ) from None
        yield


def rename(run: Run, name: str) -> Run:
    """Give a run another name. Raises BadName, RunError, OSError."""
    check_name(name)
    target = run.path.parent / name
    with at_rest(run, "rename it"):
        if target.exists() or target.is_symlink():
            raise BadName(f"{target}: there is a run of this name; choose another")
        run.path.rename(target)
        files.sync_folder(target.parent)
    return Run(target)


def remove(run: Run, runs_dir: Path) -> None:
    """Delete a run directory: renamed aside first, so that nobody sees half of it. Raises RunError, OSError.

    Only what lies in the runs directory itself is deleted, and no link is followed.
    """
    if run.path.is_symlink() or run.path.parent.resolve() != runs_dir.resolve():
        raise RunError(f"{run.path}: is not in {runs_dir}; only runs that are there are deleted")
    if not any((run.path / file).exists() for file in ("run.json", "status.json", "resolved.toml", "jobs")):
        raise RunError(f"{run.path}: does not look like a run; delete it yourself if you mean it")
    with at_rest(run, "delete it"):
        gone = run.path.parent / aside.name(aside.GONE)
        run.path.rename(gone)
        crash.point("rm.renamed")
    shutil.rmtree(gone)


# ---------------------------------------------------------------- checkpoints


def prunable(run: Run, trusting: bool = False) -> list[Checkpoint]:
    """The checkpoints that `--prune` deletes: all but the newest good one, and each stage's best and last. `trusting`:
    the newest is taken for good, so that nothing need be read to say how many there are."""
    there = checkpoints.listed(run)
    best = {str(e.get("file")) for e in checkpoints.pointer(run, "best").values() if isinstance(e, dict)}
    last = {c.stage: c.file for c in there}
    good = None if trusting else checkpoints.newest_good(run)[0]
    keep = best | set(last.values()) | ({good.file} if good else set())
    return [c for c in there if c.file not in keep]


def needed(run: Run) -> dict[str, str]:
    """Which checkpoints a run cannot do without, by file, and what for. A run that trained to its end has none."""
    if run.status().get("state") == "finished":
        return {}
    newest, _ = checkpoints.newest_good(run)
    if newest is None:
        return {}
    kept = {newest.file: f"`sslterm resume {run.path}` goes on from it"}
    best = checkpoints.pointer(run, "best").get(newest.stage)
    if isinstance(best, dict) and _next_begins_from_best(run, newest.stage_index):
        kept.setdefault(str(best.get("file")), "the next stage begins from it")
    return kept


def _next_begins_from_best(run: Run, stage: int) -> bool:
    try:
        following = run.preset().stage[stage + 1 :]
    except UserError:
        return False
    return bool(following) and following[0].start == "best"


def delete(run: Run, unwanted: Sequence[Checkpoint]) -> list[str]:
    """Delete checkpoints, each with its description, and let pointers name what is left; gives back what was mended,
    each a sentence. Evaluations stay. All are deleted or none. Raises RunError, OSError.

    Nobody may work on the run: its trainer and its evaluations open checkpoints by the names they saw.
    """
    with at_rest(run, "delete checkpoints of it"):
        kept = needed(run)
        for checkpoint in unwanted:
            if checkpoint.file in kept:
                raise RunError(
                    f"{run.checkpoints / checkpoint.file}: is needed, for {kept[checkpoint.file]}; nothing was deleted."
                    f" To be rid of the whole run: sslterm rm {run.path}"
                )
        for checkpoint in unwanted:
            path = run.checkpoints / checkpoint.file
            path.with_suffix(".json").unlink(missing_ok=True)  # first: without it, the rest counts for nothing
            crash.point("delete.described")
            path.unlink(missing_ok=True)
        return _pointers(run)


# ---------------------------------------------------------------- repair


def repair(run: Run) -> list[str]:
    """Mend what can be mended in a run that nobody works on; gives back what was done, each a sentence.

    Damaged files are put aside, never deleted. Raises RunError, OSError.
    """
    done = []
    with at_rest(run, "repair it"):
        for folder in (run.path, run.checkpoints, run.evaluations, *(job.folder for job in all_jobs(run))):
            done += [f"{path.name}: half-written; deleted" for path in files.sweep(folder)]
        done += [line for path in _judged(run) for line in _put_aside_if_damaged(path)]
        for checkpoint in checkpoints.listed(run):
            problem = checkpoints.damage(run, checkpoint)
            if problem:
                _aside(run.checkpoints / checkpoint.file)
                _aside((run.checkpoints / checkpoint.file).with_suffix(".json"))
                done.append(f"{problem}; put aside")
        for path in run.checkpoints.glob("[!.]*.pt"):
            if not path.with_suffix(".json").exists():
                _aside(path)
                done.append(f"{path.name}: has no description, so its save was not finished; put aside")
        done += _pointers(run)
        shutil.rmtree(run.path / ".cache", ignore_errors=True)
        for job in all_jobs(run):
            job.forget_requests()
    return done


def _judged(run: Run) -> list[Path]:
    """The JSON files that may be put aside; run.json may not, for nothing else says what the run is."""
    paths = [run.path / name for name in ("status.json", "env.json", "notes.json")]
    paths += sorted(run.checkpoints.glob("[!.]*.json")) + sorted(run.evaluations.glob("[!.]*.json"))
    for job in all_jobs(run):
        paths += [job.folder / "job.json", job.folder / "heartbeat.json"]
    return paths


def _put_aside_if_damaged(path: Path) -> list[str]:
    try:
        if path.exists():
            files.read_json(path)
    except files.DamagedFile as error:
        _aside(path)
        return [f"{error}; put aside"]
    return []


def _aside(path: Path) -> None:
    target = path.with_name(f"{path.name}.damaged")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{number}")
    if path.exists():
        path.rename(target)


def _pointers(run: Run) -> list[str]:
    """Let latest.json name the newest checkpoint that is there, and best.json the best of them."""
    there, done = checkpoints.listed(run), []
    newest = there[-1].file if there else None
    if checkpoints.pointer(run, "latest").get("file") != newest:
        checkpoints.point(run, "latest", {"file": newest} if newest else {})
        done.append(f"latest.json: names {newest or 'none'} now")
    best = checkpoints.best_left(run, there)
    if best != checkpoints.pointer(run, "best"):
        checkpoints.point(run, "best", best)
        done.append("best.json: named checkpoints that are gone; names the best of those that are there now")
    return done
