"""Stopping a job: first cleanly, then at once, then by force; also where its supervisor is gone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from sslterm.runs.identity import Identity
from sslterm.runs.job import Job

LOOK = 0.1
AT_ONCE = 10.0


def ask(job: Job, *, seconds: float = 60.0, pause: bool = False, now: bool = False, hurry: bool = False) -> None:
    """Ask whoever works on a job to end: to finish the step and save, within `seconds`; to end at once (`hurry`), so
    that what was saved stays; or to be killed (`now`)."""
    job.request("stop", seconds=seconds, pause=pause, now=now, hurry=hurry)
    if not job.supervised():
        _signal_orphan(job, signal.SIGKILL if now else signal.SIGINT if hurry else signal.SIGTERM)


def _signal_orphan(job: Job, number: signal.Signals) -> None:
    worker = orphan(job)
    if worker:
        worker.send(number, group=number == signal.SIGKILL)


def orphan(job: Job) -> Identity | None:
    """The living worker of a job whose supervisor is gone, or that never had one."""
    said = [job.record().get("worker")]
    if job.name == "train":
        said.append(job.run.status().get("process"))
    known = (Identity.read(one) for one in said)
    return next((identity for identity in known if identity and identity.alive()), None)


def working(job: Job) -> bool:
    """Whether anybody works on a job here."""
    return job.supervised() or orphan(job) is not None


def until_ended(job: Job, seconds: float, waiting: Callable[[float], object] = lambda left: None) -> bool:
    """Wait until nobody works on a job, at most some seconds longer than it was given; drive an orphan's end ourselves.

    `waiting(left)` is told the seconds left of those that it was given. False where it does not end.
    """
    until = time.monotonic() + seconds
    steps = [(until, signal.SIGINT), (until + AT_ONCE, signal.SIGKILL)]
    while working(job):
        now = time.monotonic()
        waiting(max(until - now, 0.0))
        if now > until + 3 * AT_ONCE:
            return False
        if steps and now > steps[0][0]:
            number = steps.pop(0)[1]
            if not job.supervised():  # a supervisor takes these steps itself
                _signal_orphan(job, number)
        time.sleep(LOOK)
    return True
