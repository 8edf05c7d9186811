"""States are worked out from files and kernel facts; no word of a file is believed alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sslterm.runs.identity import Identity
from sslterm.runs.state import ALIVE, GLYPHS, OVER, Facts, derive

ME = Identity(1, 2.0, "boot", "here").written()
RUNNING = {"state": "running", "job": "j", "process": ME}
STARTED = {"job": "j", "phase": "started", "worker": ME, "supervisor": ME}
TRAINING = {"job": "j", "phase": "training", "due": 100.0}


def facts(**more: Any) -> Facts:
    return Facts("runs/a", status=RUNNING, job=STARTED, beat=TRAINING, now=50.0, **more)


def ended(**more: Any) -> dict[str, Any]:
    return {**STARTED, "phase": "ended", **more}


CASES = [
    ("running", facts(supervised=True)),
    ("stalled", replace(facts(supervised=True), now=101.0)),
    ("starting", replace(facts(supervised=True), beat={})),
    ("starting", replace(facts(supervised=True), beat={**TRAINING, "job": "an earlier start's"})),
    ("starting", replace(facts(supervised=True), beat={**TRAINING, "phase": "preparing"})),
    ("starting", replace(facts(supervised=True), job=ended(), status={"state": "finished", "job": "j"})),
    ("queued", replace(facts(supervised=True), job={**STARTED, "phase": "queued"})),
    ("stopping", facts(supervised=True, stop={"seconds": 60})),
    ("stopping", replace(facts(supervised=True, stop={}), job={**STARTED, "phase": "queued"})),
    ("orphaned", facts(written=True)),
    ("orphaned", facts(worker_alive=True)),
    ("running", Facts("runs/a", status=RUNNING, written=True)),
    ("lost", facts()),
    ("lost", Facts("runs/a")),
    ("rebooted", facts(same_boot=False)),
    ("remote", facts(host="elsewhere", same_boot=False)),
    ("killed", replace(facts(), job=ended(signal="SIGKILL", reason="was killed"))),
    ("failed", replace(facts(), job=ended(exit=1))),
    ("interrupted", replace(facts(), job=ended(stopped="queued", exit=130))),
    ("failed", replace(facts(), job=ended(job="later", exit=1), status={**RUNNING, "state": "finished"})),
    ("finished", replace(facts(), job=ended(job="old", launched=1.0), status={"state": "finished", "started": 2.0})),
    ("corrupt", Facts("runs/a", problem="run.json: not JSON")),
    ("newer", Facts("runs/a", problem="schema 9", newer=True)),
    *[(word, replace(facts(), status={**RUNNING, "state": word}, job=ended(exit=0))) for word in sorted(OVER)],
    ("finished", replace(facts(), status={**RUNNING, "state": "finished"}, job=ended(signal="SIGKILL"))),
    ("finished", replace(facts(supervised=True, supervisor_alive=True), status={**RUNNING, "state": "finished"},
                         job=ended(exit=0))),
    ("finished", replace(facts(host="elsewhere"), status={**RUNNING, "state": "finished"}, job=ended(exit=0))),
]  # fmt: skip


@pytest.mark.parametrize(("word", "known"), CASES)
def test_a_state_follows_from_its_facts_with_a_reason_and_an_advice(word: str, known: Facts) -> None:
    state = derive(known)
    assert state.word == word
    assert state.reason
    assert state.advice
    assert state.glyph == GLYPHS[word]


def test_every_state_occurs_above() -> None:
    assert {word for word, _ in CASES} == set(GLYPHS)


def test_only_states_with_a_process_here_are_alive() -> None:
    for word, known in CASES:
        assert (word in ALIVE) == (known.supervised or known.written or known.worker_alive) or word == "finished"


@pytest.mark.parametrize("nonsense", [None, 3, "text", [], {"x": []}, float("nan")])
@pytest.mark.parametrize("key", ["state", "job", "process", "reason", "due", "phase", "worker", "exit", "signal"])
def test_nonsense_in_files_makes_some_state_and_no_error(key: str, nonsense: Any) -> None:
    for known in (facts(supervised=True), facts()):
        broken = replace(
            known,
            status={**known.status, key: nonsense},
            job={**known.job, key: nonsense},
            beat={**known.beat, key: nonsense},
        )
        assert derive(broken).word in GLYPHS
