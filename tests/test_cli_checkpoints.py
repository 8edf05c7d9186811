"""`sslterm checkpoints` and `sslterm eval --checkpoint` as a person types them: of one run, of all, deleting some."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from forked import typed

from sslterm.cli.checkpoints import rows
from sslterm.runs import Run, checkpoints, files, inventory
from sslterm.runs.summary import Row

RECORDED = Path(__file__).parent / "recorded" / "schema-1"


@pytest.fixture
def run(runs_dir: Path) -> Run:
    """A finished run with three checkpoints: the second is the best, the third the latest."""
    shutil.copytree(RECORDED, runs_dir / "first")
    run = Run(runs_dir / "first")
    (original,) = checkpoints.listed(run)
    content = (run.checkpoints / original.file).read_bytes()
    for epoch, value in ((1, 0.6), (3, 0.7)):
        name = f"supervised-{epoch:04d}.pt"
        (run.checkpoints / name).write_bytes(content)
        made = replace(original, file=name, epoch=epoch, metrics={"valid/top1": value})
        checkpoints.describe(run.checkpoints, made)
    checkpoints.point(run, "latest", {"file": "supervised-0003.pt"})
    return run


def sslterm(run: Run, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return typed(*arguments, "--runs-dir", str(run.path.parent), answer=answer)


def names(run: Run) -> list[str]:
    return [one.file for one in checkpoints.listed(run)]


def test_where_training_prunes_the_latest_meanwhile_the_later_one_is_shown(run: Run, monkeypatch) -> None:
    listed, left = inventory.rows, ["supervised-0003.pt"]

    def pruned_once_listed(of: Run) -> list[Row]:
        found = listed(of)
        if left:  # what a trainer does: another is saved, and this one goes
            file = run.checkpoints / left.pop()
            later = replace(checkpoints.listed(run)[-1], file="supervised-0004.pt", epoch=4)
            shutil.copy(file, run.checkpoints / later.file)
            checkpoints.describe(run.checkpoints, later)
            file.unlink()
        return found

    monkeypatch.setattr(inventory, "rows", pruned_once_listed)
    assert [(row["file"], row["latest"]) for row in rows(run, verify=True)][-1] == ("supervised-0004.pt", True)


class TestAll:
    def test_those_of_all_runs_are_listed_under_their_runs(self, run: Run) -> None:
        shutil.copytree(RECORDED, run.path.parent / "second")
        done = sslterm(run, "checkpoints", "--all")
        assert done.returncode == 0
        assert "first\n" in done.stdout
        assert "second\n" in done.stdout
        assert done.stdout.count("supervised-0002.pt") == 2
        assert "verified" not in done.stdout

    def test_bytes_are_read_where_that_is_asked_for(self, run: Run) -> None:
        (run.checkpoints / "supervised-0001.pt").write_bytes(b"cut")
        said = json.loads(sslterm(run, "checkpoints", "--all", "--json").stdout)
        assert [(row["run"], row["verified"], row["damaged"]) for row in said] == [("first", False, None)] * 3
        assert [len(row["evaluations"]) for row in said] == [2, 2, 2]
        done = sslterm(run, "checkpoints", "--all", "--json", "--verify")
        assert done.returncode == 1
        assert [bool(row["damaged"]) for row in json.loads(done.stdout)] == [True, False, False]

    @pytest.mark.parametrize(
        "arguments",
        [(), ("--all", "--prune"), ("first", "--all"), ("--all", "--delete", "1"), ("a", "--prune", "--delete", "1")],
    )
    def test_what_cannot_be_meant_is_refused(self, run: Run, arguments: tuple[str, ...]) -> None:
        assert sslterm(run, "checkpoints", *arguments, "--yes").returncode == 2
        assert len(names(run)) == 3


class TestDelete:
    def test_those_that_are_named_go_and_pointers_are_mended(self, run: Run) -> None:
        done = sslterm(run, "checkpoints", "first", "--delete", "best,supervised-0001", "--yes", "--json")
        assert done.returncode == 0
        assert "first: 2 checkpoints deleted" in done.stderr
        assert [row["file"] for row in json.loads(done.stdout)] == names(run) == ["supervised-0003.pt"]
        assert checkpoints.pointer(run, "best")["supervised"]["file"] == "supervised-0003.pt"
        assert len(list(run.evaluations.iterdir())) == 2

    def test_without_a_terminal_it_wants_to_be_told_yes(self, run: Run) -> None:
        done = sslterm(run, "checkpoints", "first", "--delete", "1", answer="y\n")
        assert done.returncode == 2
        assert "say --yes if you mean it" in done.stderr
        assert len(names(run)) == 3

    def test_what_is_not_there_is_named_and_nothing_goes(self, run: Run) -> None:
        done = sslterm(run, "checkpoints", "first", "--delete", "1,7", "--yes")
        assert done.returncode == 3
        assert "no checkpoint '7'; there are supervised-0001" in done.stderr
        assert len(names(run)) == 3

    def test_what_resume_needs_is_not_deleted(self, run: Run) -> None:
        files.write_json(run.path / "status.json", {**run.status(), "state": "interrupted"})
        done = sslterm(run, "checkpoints", "first", "--delete", "last,1", "--yes")
        assert done.returncode == 1
        assert "is needed, for `sslterm resume" in done.stderr
        assert len(names(run)) == 3
        assert sslterm(run, "checkpoints", "first", "--delete", "1,2", "--yes").returncode == 0

    def test_asked_in_a_terminal_it_names_the_best_and_the_latest(self, run: Run) -> None:
        import pty

        parent, child = pty.openpty()
        command = [sys.executable, "-m", "sslterm", "checkpoints", "first", "--delete", "1,2,3", "--runs-dir"]
        with subprocess.Popen(
            [*command, str(run.path.parent)], stdin=child, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            os.write(parent, b"n\n")
            assert process.stderr is not None
            said = process.stderr.read()
            assert process.wait(timeout=60) == 0
        os.close(parent)
        os.close(child)
        assert "delete 3 checkpoints of first (1.2 MiB): supervised-0002.pt (the best), supervised-0003.pt (the" in said
        assert "nothing was deleted" in said
        assert len(names(run)) == 3


def test_several_checkpoints_are_evaluated_by_one_job(run: Run, data_dir: Path) -> None:
    wanted = ("eval", "first", "--checkpoint", "3,best,supervised-0003.pt", "--data-dir", str(data_dir))
    done = sslterm(run, *wanted, "--device", "cpu", "--protocol", "knn")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["checkpoint", "supervised-0003.pt", "supervised-0002.pt"]
    assert len([path for path in (run.path / "jobs").iterdir() if path.name.startswith("eval-")]) == 2
