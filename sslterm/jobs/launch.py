"""Starting a job so that it outlives the terminal, and knowing that it really began."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sslterm.jobs.logind import scope_prefix
from sslterm.jobs.stop import orphan
from sslterm.jobs.supervisor import TAKEN, Order
from sslterm.runs import locks
from sslterm.runs.directory import RunError
from sslterm.runs.identity import Identity
from sslterm.runs.job import Job

LOOK = 0.05
"""Seconds between two looks at a job that is starting."""


class NotStarted(RunError):
    """A job that did not begin; the text says why."""


class AtWork(NotStarted):
    """A job that somebody works on already; it can be followed."""


@dataclass(frozen=True)
class Started:
    """A supervisor that was started."""

    job: Job
    token: str
    supervisor: subprocess.Popen[bytes]
    log_from: int
    """Where in the log this start begins, in bytes."""


def start(
    job: Job, command: Sequence[str], *, device: str | None = None, queue: bool = False, slots: int = 1
) -> Started:
    """Start a supervisor for `command` in a session of its own. Raises NotStarted, OSError.

    `command` is what follows `sslterm`. Where the system would kill a user's processes at logout, the supervisor starts
    in a scope that outlives it.
    """
    refuse_second(job)
    token = secrets.token_hex(8)
    order = Order(token, [sys.executable, "-m", "sslterm", *command], device, queue, slots)
    job.folder.mkdir(parents=True, exist_ok=True)
    job.log.parent.mkdir(exist_ok=True)
    with job.log.open("ab") as log:
        supervisor = subprocess.Popen(
            [
                *scope_prefix(), sys.executable, "-m", "sslterm.jobs.supervisor",
                os.path.abspath(job.run.path), job.name, json.dumps(asdict(order)),
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        return Started(job, token, supervisor, log.tell())


def refuse_second(job: Job) -> None:
    """Say who works on it already. Raises AtWork."""
    worker = job.worker()
    supervised = job.supervised()
    orphan = worker is not None and worker.alive()
    if job.name == "train" and not supervised and not orphan and locks.held(job.run.lock):
        worker, orphan = Identity.read(job.run.status().get("process")), True
    if supervised or orphan:
        if not (worker and worker.alive()):  # it is only just being started
            worker = Identity.read(job.record().get("supervisor"))
        who = f" ({worker})" if worker and worker.alive() else ""
        doing = "trained" if job.name == "train" else "worked on"
        raise AtWork(
            f"{job.run.path}: is being {doing} already{who}; follow it: sslterm watch {job.run.path}, or stop it first:"
            f" sslterm stop {job.run.path}"
        )


def began(started: Started, waiting: Callable[[], object] = lambda: None) -> str:
    """Wait until the worker is at work (`started`) or stands in line (`queued`). Raises NotStarted with the end of the
    log."""
    while True:
        record = mine(started)
        if record.get("phase") == "ended":
            status = started.job.run.status()
            if status.get("job") == started.token and status.get("state") in ("finished", "interrupted", "paused"):
                return "started"  # it was quick
            raise NotStarted(f"{_why(started, record)}\n{tail(started.job, started.log_from)}")
        if record.get("phase") == "queued":
            return "queued"
        beat = started.job.heartbeat()
        if record and beat.get("job") == started.token and beat.get("phase") != "preparing":
            return "started"
        refuse_dead(started, record)
        waiting()
        time.sleep(LOOK)


def refuse_dead(started: Started, record: dict[str, Any]) -> None:
    """A supervisor that ended without a last word: it never had the job, or was killed. Raises NotStarted."""
    code = started.supervisor.poll()
    if code is None:
        return
    if code == TAKEN:
        _wait_for_a_name(started.job)
        refuse_second(started.job)
    record = mine(started)
    if record and record.get("phase") != "ended" and orphan(started.job) is None:
        raise NotStarted(
            f"{started.job.run.path}: its supervisor was killed before it began ({ending(code)})\n"
            f"{tail(started.job, started.log_from)}"
        )
    if not record:
        raise NotStarted(
            f"{started.job.run.path}: its supervisor could not start ({ending(code)})\n"
            f"{tail(started.job, started.log_from)}"
        )


def _wait_for_a_name(job: Job, seconds: float = 2.0) -> None:
    """Until the supervisor that was quicker has said who it is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and job.supervised():
        first = Identity.read(job.record().get("supervisor"))
        if first and first.alive():
            return
        time.sleep(LOOK)


def ending(code: int) -> str:
    """`exit code 1` or `signal 9`."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def mine(started: Started) -> dict[str, Any]:
    """The record, where it is already of this start."""
    record = started.job.record()
    return record if record.get("job") == started.token else {}


def _why(started: Started, record: dict[str, Any]) -> str:
    status = started.job.run.status()
    if status.get("job") == started.token and status.get("reason"):
        return str(status["reason"])
    return f"{started.job.run.path}: {record.get('reason') or 'did not begin'}"


def tail(job: Job, start: int, lines: int = 12) -> str:
    """The end of a log, from `start` on."""
    try:
        with job.log.open("rb") as log:
            log.seek(start)
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
