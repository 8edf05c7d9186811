"""Every file of a run cut at every byte, overwritten, of another kind or of another version: readers bear it all."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import light_trainer
import pytest
from click.testing import CliRunner
from family import Family
from typer.main import get_command

from sslterm.cli.commands import app
from sslterm.runs import Run, checkpoints, edit, evaluations, list_runs, metrics, state
from sslterm.runs.directory import SCHEMA
from sslterm.runs.filters import Filter
from sslterm.runs.index import matching
from sslterm.runs.job import all_jobs
from sslterm.runs.state import GLYPHS
from sslterm.runs.summary import BLANK, settings, summary

SSLTERM = get_command(app)
JSON = (
    "run.json", "status.json", "env.json", "notes.json", "jobs/train/job.json", "jobs/train/heartbeat.json",
    "checkpoints/light-0050.json", "checkpoints/latest.json", "checkpoints/best.json", "evaluations/one.json",
)  # fmt: skip
OTHERS = ("resolved.toml", "preset.toml", "metrics/0001.jsonl", "checkpoints/light-0050.pt", "logs/train.log")
GARBAGE = {
    "nothing": b"", "NULs": b"\0" * 500, "noise": random.Random(0).randbytes(500), "null": b"null", "a list": b"[1]",
    "an empty table": b"{}", "a text": b'"text"', "a number": b"1" * 5000, "nesting": b"[" * 100_000,
    "half of UTF-8": b'{"state": "\xc3', "a surrogate": b'{"state": "\\ud800", "note": "\\ud800", "phase": "\\ud800"}',
}  # fmt: skip
WRONG: tuple[Any, ...] = (
    None, True, -1, 10**400, 1e308, float("inf"), float("nan"), "", "\x1b[2J\x07[red]", "../../etc", "\0", [], [[]],
    [{}], {}, {"a": {"b": None}},
)  # fmt: skip


@pytest.fixture
def run(family: Family) -> Run:
    """A run with a file of every kind, at rest."""
    family.start("--steps", "50", "--pause", "0")
    assert family.settled() == "finished", family.told()
    run = family.run
    edit.note(run, "a note")
    edit.tag(run, ["paper"])
    answer = {"checkpoint": {"file": "light-0050.pt", "stage": "light", "epoch": 2}, "protocol": "knn", "n": 10,
              "split": "test", "tta": None, "metrics": {"top1": 0.5}, "question": {}}  # fmt: skip
    (run.evaluations / "one.json").write_text(json.dumps(answer))
    (run.path / "env.json").write_text(json.dumps({"attempts": [{"attempt": 1, "device": "cpu", "torch": "2"}]}))
    checkpoints.point(run, "best", {"light": {"file": "light-0050.pt", "metric": "top1", "value": 0.5}})
    return run


def read_all(run: Run) -> state.State:
    """Everything that readers ask of a run."""
    found = state.of(run)
    assert found.word in GLYPHS
    assert found.reason
    row = summary(run)
    assert row.keys() == BLANK.keys()
    assert row["state"] == found.word
    json.dumps(row)
    settings(run)
    run.notes()
    checkpoints.newest_good(run)
    checkpoints.pointer(run, "latest")
    there = checkpoints.listed(run)
    if there:
        checkpoints.best(run, there)
    evaluations.listed(run)
    metrics.read(run.metrics)
    for job in all_jobs(run):
        assert isinstance(job.record(), dict)
        job.worker()
    return found


def show_all(run: Run) -> None:
    """Everything that people type to look at it."""
    where = ["--runs-dir", str(run.path.parent)]
    name = run.name
    for command in ("ls", "ls --json", f"show {name}", f"show {name} --json", f"checkpoints {name}", f"logs {name}"):
        done = CliRunner().invoke(SSLTERM, [*command.split(), *where])
        assert isinstance(done.exception, SystemExit | None), (command, done.exception, done.exc_info)
        assert done.exit_code in (0, 1, 2, 3), (command, done.output)
        assert not set(done.output) & set("\x1b\x07\0"), command
        assert "Traceback" not in done.output or command.startswith("logs")


def each_cut(content: bytes) -> Iterator[int]:
    """Every place of a small file; of a big one its first, its last, and some between."""
    if len(content) <= 2500:
        yield from range(len(content))
        return
    yield from range(100)
    yield from sorted(random.Random(0).sample(range(100, len(content) - 100), 300))
    yield from range(len(content) - 100, len(content))


@pytest.mark.parametrize("file", [*JSON, *OTHERS])
def test_a_file_cut_at_any_byte_is_borne(file: str, run: Run, figures: Counter[str]) -> None:
    path = run.path / file
    content = path.read_bytes()
    for cut in each_cut(content):
        path.write_bytes(content[:cut])
        found = read_all(run)
        if file == "run.json" and cut < len(content) - 2:
            assert found.word == "corrupt"
            assert str(path) in found.reason
        figures["bytes cut"] += 1
        figures["states derived"] += 1
    for cut in (0, len(content) // 2):
        path.write_bytes(content[:cut])
        show_all(run)


@pytest.mark.parametrize("file", [*JSON, *OTHERS])
def test_a_file_overwritten_is_borne(file: str, run: Run, figures: Counter[str]) -> None:
    path = run.path / file
    for garbage in GARBAGE.values():
        path.write_bytes(garbage)
        found = read_all(run)
        show_all(run)
        assert file != "run.json" or (found.word in ("corrupt", "newer") and str(run.path) in found.reason)
        figures["files overwritten"] += 1
    path.unlink()
    read_all(run)
    path.mkdir()
    read_all(run)
    show_all(run)


@pytest.mark.parametrize("file", JSON)
def test_a_value_of_the_wrong_kind_is_borne(file: str, run: Run, figures: Counter[str]) -> None:
    path = run.path / file
    said = json.loads(path.read_text())
    for number, changed in enumerate(each_change(said)):
        path.write_text(json.dumps(changed))
        read_all(run)
        if number % 3 == 0:
            show_all(run)
        figures["values of the wrong kind"] += 1


def each_change(said: Any) -> Iterator[Any]:
    """The same table with one value after the other replaced, inner ones too."""
    places = said.keys() if isinstance(said, dict) else range(len(said))
    for place in places:
        for wrong in WRONG:
            changed = said.copy()
            changed[place] = wrong
            yield changed
        if isinstance(said[place], dict | list):
            for inner in each_change(said[place]):
                changed = said.copy()
                changed[place] = inner
                yield changed


def test_one_broken_run_hides_no_other(make_run: Callable[..., Run], run: Run) -> None:
    other = make_run("other")
    (run.path / "run.json").write_bytes(b"\0")
    rows = matching(run.path.parent, Filter(""))
    assert {row["name"]: row["state"] for row in rows} == {"a": "corrupt", "other": "lost"}
    assert [one.name for one in list_runs(run.path.parent)] == ["a", other.name]


def test_a_run_of_a_newer_version_is_shown_as_such_and_left_alone(run: Run) -> None:
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "schema": SCHEMA + 1}))
    found = read_all(run)
    assert found.word == "newer"
    assert "upgrade sslterm" in found.reason
    refused = CliRunner().invoke(SSLTERM, ["resume", run.name, "--runs-dir", str(run.path.parent)])
    assert refused.exit_code == 1
    assert "written by a newer sslterm" in refused.output


def test_whatever_is_damaged_repair_mends_or_puts_aside(run: Run) -> None:
    for file in JSON[1:]:
        (run.path / file).write_bytes(b"{")
    (run.checkpoints / ".x.pt.999999999.1.tmp").write_bytes(b"half")
    done = edit.repair(run)
    assert len(done) >= len(JSON) - 1
    assert edit.repair(run) == []
    assert [one.total_steps for one in checkpoints.listed(run)] == [25]
    assert (run.checkpoints / "light-0050.json.damaged").exists()
    assert read_all(run).word == "lost"


def test_a_damaged_run_can_be_trained_to_its_end(run: Run, family: Family) -> None:
    for file in JSON[1:]:
        (run.path / file).write_bytes(b"\0\0")
    family.start("--steps", "100", "--pause", "0")
    assert family.settled() == "finished", family.told()
    good = checkpoints.newest_good(run)[0]
    assert good is not None
    assert (run.checkpoints / good.file).read_bytes() == light_trainer.learned_by(100) * 200
    assert Path(run.checkpoints / "latest.json").read_text().count("light-0100.pt") == 1
