"""A process that dies at any step of any save: what was whole stays whole, and the run goes on to the same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import light_trainer
import pytest
from family import Family, eventually
from real import in_a_process, same, the_end

from sslterm.runs import Run, checkpoints, edit, files, list_runs, state
from sslterm.runs.summary import summary

STEPS = ("opened", "written", "synced", "renamed")
SAVED = {
    "simclr-0002.pt": 1, "simclr-0002.json": 1, "latest.json": 2, "best.json": 2, "splits.npz": 1, "status.json": 1,
}  # fmt: skip
"""What a trainer saves, and at which of its saves it is killed."""
PRESET = {
    "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32},
    "encoder": {"name": "conv4"},
    "method": {"name": "simclr"},
    "monitor": {"log_every": 2, "bank": 64, "queries": 32},
    "precision": "fp32",
    "epochs": 3,
    "batch_size": 32,
}


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> tuple[Any, Any]:
    """What training leads to where nobody is killed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    run = _made(folder)
    assert in_a_process(run, data_dir) == 0
    return the_end(run)


def _made(folder: Path) -> Run:
    from sslterm import presets
    from sslterm.runs.create import create

    (folder / "source.toml").write_text("")
    return create(folder / "runs", presets.resolve(PRESET), source=folder / "source.toml", name="a")


def places() -> list[str]:
    return [f"{file}.{step}:{count}" for file, count in SAVED.items() for step in STEPS] + [
        *(f"status.json.{step}:2" for step in STEPS),
        *(f"{file}.written:{count}" for file, count in (("env.json", 1), ("heartbeat.json", 2))),
        "checkpoint.undescribed:2",
    ]


@pytest.mark.parametrize("place", places())
def test_a_trainer_killed_while_it_saves_loses_nothing(
    place: str, tmp_path: Path, data_dir: Path, uninterrupted: tuple[Any, Any], figures: Counter[str]
) -> None:
    run = _made(tmp_path)
    assert in_a_process(run, data_dir, place) == -signal.SIGKILL
    assert state.of(run).word == ("finished" if place == "status.json.renamed:2" else "lost")
    assert summary(run)["state"] == state.of(run).word
    assert [checkpoints.damage(run, one) for one in checkpoints.listed(run)] == [None] * len(checkpoints.listed(run))
    assert in_a_process(run, data_dir) == 0
    assert state.of(run).word == "finished"
    assert not list(run.path.rglob("*.tmp")) or "heartbeat" in place
    ends, rows = the_end(run)
    assert same(ends, uninterrupted[0])
    assert rows == uninterrupted[1]
    figures["crash points"] += 1


@pytest.mark.parametrize("place", [f"job.json.{step}:{count}" for count in (1, 2, 3) for step in STEPS])
def test_a_supervisor_killed_while_it_records_leaves_a_run_that_goes_on(
    place: str, family: Family, figures: Counter[str]
) -> None:
    family.start("--steps", "100", "--pause", "0.01" if place[-1] == "2" else "0", env={"SSLTERM_CRASH_AT": place})
    assert family.supervisor is not None
    assert eventually(lambda: family.supervisor.poll(), family.told) == -signal.SIGKILL  # type: ignore[union-attr]
    eventually(lambda: family.word in (*family.fitting(), "finished"), family.told)
    assert family.settled() in ("lost", "finished")
    family.start("--steps", "100", "--pause", "0")
    assert family.settled() == "finished", family.told()
    good = checkpoints.listed(family.run)[-1]
    assert (family.run.checkpoints / good.file).read_bytes() == light_trainer.learned_by(100) * 200
    assert not list(family.run.path.rglob("*.tmp"))
    figures["crash points"] += 1


CREATE = """
import sys
from pathlib import Path
from sslterm import presets
from sslterm.runs.create import create
create(Path(sys.argv[1]), presets.resolve({"method": {"name": "simclr"}}), source=Path(sys.argv[2]), name="a")
"""


@pytest.mark.parametrize(
    "place", [*(f"{file}.{step}" for file in ("resolved.toml", "run.json") for step in STEPS), "create.filled"]
)
def test_nobody_sees_half_a_run(place: str, runs_dir: Path, tmp_path: Path, figures: Counter[str]) -> None:
    source = tmp_path / "source.toml"
    source.write_text("")
    command = [sys.executable, "-c", CREATE, str(runs_dir), str(source)]
    died = subprocess.run(command, env={**os.environ, "SSLTERM_CRASH_AT": place}, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert list_runs(runs_dir) == []
    subprocess.run(command, timeout=60, check=True)
    assert [run.name for run in list_runs(runs_dir)] == ["a"]
    figures["crash points"] += 1


CHANGE = """
import sys
from pathlib import Path
from sslterm.runs import Run, checkpoints, edit
run = Run(Path(sys.argv[1]))
{"rm": lambda: edit.remove(run, run.path.parent), "prune": lambda: edit.delete(run, checkpoints.listed(run)[:1]),
 "note": lambda: edit.note(run, "new")}[sys.argv[2]]()
"""


def changed(run: Run, what: str, place: str) -> None:
    command = [sys.executable, "-c", CHANGE, str(run.path), what]
    died = subprocess.run(command, env={**os.environ, "SSLTERM_CRASH_AT": place}, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL


def test_a_run_half_deleted_is_gone_from_every_list(
    make_run: Callable[..., Run], runs_dir: Path, figures: Counter[str]
) -> None:
    changed(make_run(), "rm", "rm.renamed")
    assert list_runs(runs_dir) == []
    figures["crash points"] += 1


def test_a_checkpoint_half_deleted_counts_for_nothing(make_run: Callable[..., Run], figures: Counter[str]) -> None:
    run = make_run()
    for step in (25, 50):
        light_trainer.save(run, step, light_trainer.learned_by(step), ended=False)
    changed(run, "prune", "delete.described")
    assert [one.total_steps for one in checkpoints.listed(run)] == [50]
    assert checkpoints.newest_good(run)[1] == []
    figures["crash points"] += 1


@pytest.mark.parametrize("step", STEPS)
def test_a_note_is_the_old_one_or_the_new_one(step: str, make_run: Callable[..., Run], figures: Counter[str]) -> None:
    run = make_run()
    edit.note(run, "old")
    changed(run, "note", f"notes.json.{step}")
    assert run.notes()["note"] == ("new" if step == "renamed" else "old")
    edit.note(run, "newest")
    assert run.notes()["note"] == "newest"
    figures["crash points"] += 1


def test_what_is_being_written_just_now_is_not_swept_away(tmp_path: Path) -> None:
    ours, theirs = tmp_path / f".a.json.{os.getpid()}.7.tmp", tmp_path / ".a.json.999999999.7.tmp"
    for path in (ours, theirs):
        path.write_text("half")
    assert files.sweep(tmp_path) == [theirs]
    assert list(tmp_path.iterdir()) == [ours]
