"""Who lives is told by the kernel: no number, host, boot or clock in a file can make a dead run look alive."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import light_trainer
import pytest
from family import Family, eventually

from sslterm.jobs import stop
from sslterm.runs import Run, checkpoints, files, metrics, state
from sslterm.runs.identity import Identity
from sslterm.runs.job import Job
from sslterm.runs.summary import summary

MINE = Identity.mine().written()
CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "a number that was given to another process": ({**MINE, "start": MINE["start"] - 1}, "lost"),
    "a number of nobody": ({**MINE, "pid": 2**22 + 1}, "lost"),
    "a boot before this one": ({**MINE, "boot_id": "another boot"}, "rebooted"),
    "another machine": ({**MINE, "host": "elsewhere"}, "remote"),
    "another machine's boot": ({**MINE, "host": "elsewhere", "boot_id": "another boot"}, "remote"),
}


def claim(run: Run, who: dict[str, Any], token: str | None = "t", phase: str = "started") -> Job:
    """Files that say: this process trains the run."""
    job = Job(run)
    job.folder.mkdir(parents=True, exist_ok=True)
    status = {"state": "running", "attempt": 1, "job": token, "started": 1.0, "process": who}
    files.write_json(run.path / "status.json", status)
    record = {"job": token, "phase": phase, "launched": 1.0, "worker": who, "supervisor": {**who, "pid": 2**22 + 2}}
    files.write_json(job.folder / "job.json", record)
    files.write_json(job.folder / "heartbeat.json", {"job": token, "phase": "training", "due": 1e12, "time": 1.0})
    return job


@pytest.mark.parametrize("what", CLAIMS)
def test_a_file_that_claims_to_be_alive_is_not_believed(
    what: str, make_run: Callable[..., Run], figures: Counter[str]
) -> None:
    who, word = CLAIMS[what]
    run = make_run()
    job = claim(run, who)
    found = state.of(run)
    assert found.word == word
    assert not found.alive
    assert not stop.working(job)
    assert summary(run)["state"] == word
    figures["states derived"] += 2


@pytest.mark.parametrize("what", CLAIMS)
def test_a_stop_never_hits_a_process_that_only_has_the_number(what: str, make_run: Callable[..., Run]) -> None:
    job = claim(make_run(), CLAIMS[what][0])
    stop.ask(job, now=True)  # were the number trusted, this very test would be killed
    assert stop.until_ended(job, 1.0)
    assert not Identity(**CLAIMS[what][0]).alive()


def test_what_another_machine_saw_end_has_ended(make_run: Callable[..., Run]) -> None:
    run = make_run()
    claim(run, {**MINE, "host": "elsewhere"}, phase="ended")
    files.write_json(Job(run).folder / "job.json", {**Job(run).record(), "signal": "SIGKILL", "reason": "was killed"})
    assert state.of(run).word == "killed"


def test_a_living_process_without_a_supervisor_is_seen(make_run: Callable[..., Run]) -> None:
    run = make_run()
    claim(run, MINE)
    assert state.of(run).word == "orphaned"
    claim(run, MINE, phase="ended")
    assert f"process {os.getpid()}" in state.of(run).reason


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_changes_no_state(hours: int, family: Family, figures: Counter[str]) -> None:
    family.start("--steps", "200")
    eventually(family.trains, family.told)
    set_clock(family.run, hours)
    assert family.word == "running"
    row = summary(family.run)
    assert row["left"] is None or row["left"] >= 0
    assert family.settled() == "finished"
    set_clock(family.run, hours)
    assert family.word == "finished"
    family.start("--steps", "300", "--pause", "0")
    assert family.settled() == "finished", family.told()
    assert checkpoints.listed(family.run)[-1].total_steps == 300
    assert [row["step"] for row in metrics.read(family.run.metrics)] == list(range(1, 301))
    assert (family.run.checkpoints / "light-0300.pt").read_bytes() == light_trainer.learned_by(300) * 200
    figures["states derived"] += 4


def set_clock(run: Run, hours: int) -> None:
    """Let every time in the run's files be one that the clock shows then."""
    for path in [*run.path.glob("*.json"), *(run.path / "jobs/train").glob("*.json"), *run.checkpoints.glob("*.json")]:
        said = json.loads(path.read_text())
        for key in ("created", "started", "ended", "launched", "began", "time"):
            if isinstance(said.get(key), float):
                said[key] += hours * 3600
        _replace(path, said)


def _replace(path: Path, said: dict[str, Any]) -> None:
    aside = path.with_name(f".clock-{path.name}")
    aside.write_text(json.dumps(said))
    aside.replace(path)
