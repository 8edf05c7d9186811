"""In which state a run is: worked out from its files and from what the kernel says, never from one of them alone.

A file may say `running` long after the process died. So the word of a file is only believed as far as the kernel bears
it out: a lock that its holder's death would have freed, a process with that number *and* that start, this boot.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sslterm.runs import locks
from sslterm.runs.directory import NewerSchema, Run, RunError
from sslterm.runs.identity import Identity
from sslterm.runs.job import Job

GLYPHS = {
    "queued": "◷", "starting": "◔", "running": "●", "stalled": "◌", "stopping": "◑", "paused": "Ⅱ", "interrupted": "◼",
    "finished": "✓", "failed": "✗", "killed": "☠", "lost": "?", "orphaned": "◍", "rebooted": "↻", "remote": "⇄",
    "corrupt": "!", "newer": "↑",
}  # fmt: skip

ALIVE = frozenset({"queued", "starting", "running", "stalled", "stopping", "orphaned"})
"""States in which a process of the run lives on this machine."""

OVER = frozenset({"finished", "failed", "interrupted", "paused"})
"""What a trainer may say of itself when it ends."""


@dataclass(frozen=True)
class State:
    """A word, why it is that one, and what a person can do."""

    word: str
    reason: str
    advice: str = ""

    @property
    def glyph(self) -> str:
        """One character for it, beside the word and never instead of it."""
        return GLYPHS[self.word]

    @property
    def alive(self) -> bool:
        """Whether a process of the run lives on this machine."""
        return self.word in ALIVE


@dataclass(frozen=True)
class Facts:
    """All that a state is worked out from."""

    name: str
    """What to call the run in a command."""
    problem: str | None = None
    """Why the run cannot be read."""
    newer: bool = False
    status: dict[str, Any] = field(default_factory=dict)
    """The trainer's word."""
    job: dict[str, Any] = field(default_factory=dict)
    """The supervisor's word."""
    beat: dict[str, Any] = field(default_factory=dict)
    supervised: bool = False
    """Somebody holds the supervisor's lock."""
    written: bool = False
    """Somebody holds the trainer's lock."""
    worker_alive: bool = False
    supervisor_alive: bool = False
    """Whether the supervisor that wrote the record lives; a new one may not have written its own yet."""
    host: str | None = None
    """The machine it was last trained on, where that is another one than this."""
    same_boot: bool = True
    stop: dict[str, Any] | None = None
    """A request to stop that is not answered yet."""
    now: float = 0.0
    """Monotonic seconds."""


def of(run: Run) -> State:
    """The state of a run now. Bears whatever its files hold."""
    return derive(observe(run))


def observe(run: Run) -> Facts:
    """Look at the files, then at the kernel."""
    name = str(run.path)
    try:
        run.info()
    except NewerSchema as error:
        return Facts(name, problem=str(error), newer=True)
    except RunError as error:
        return Facts(name, problem=str(error))
    job = Job(run)
    # Locks before files: whoever ends writes its last word first, and lets go of the lock then.
    supervised, written = job.supervised(), locks.held(run.lock)
    status, record = run.status(), job.record()
    known = [Identity.read(record.get("worker")), Identity.read(record.get("supervisor")), _process(status)]
    last = next((identity for identity in known if identity), None)
    alive = any(identity.alive() for identity in (known[0], known[2]) if identity)
    return Facts(
        name,
        status=status,
        job=record,
        beat=job.heartbeat(),
        # Looked at again, for between lock and files a supervisor may have started this very worker.
        supervised=supervised or (alive and job.supervised()),
        written=written,
        worker_alive=alive,
        supervisor_alive=known[1] is not None and known[1].alive(),
        host=last.host if last and not last.here() else None,
        same_boot=last is None or last.this_boot(),
        stop=job.requested("stop"),
        now=time.monotonic(),
    )


def _process(status: dict[str, Any]) -> Identity | None:
    return Identity.read(status.get("process"))


def derive(facts: Facts) -> State:
    """The state that these facts make; a pure function."""
    name = facts.name
    if facts.newer:
        return State("newer", facts.problem or "written by a newer sslterm", "upgrade sslterm")
    if facts.problem:
        return State("corrupt", facts.problem, f"bring the file back, or remove the run: sslterm rm {name}")
    ending = facts.job.get("phase") == "ended" and facts.supervisor_alive
    if facts.supervised and not ending:
        return _supervised(facts)
    if facts.written or facts.worker_alive:
        return _unsupervised(facts)
    return _at_rest(facts)


def _supervised(facts: Facts) -> State:
    """A supervisor is at work. Until it has written its record, the one there is of an earlier start."""
    name, phase = facts.name, facts.job.get("phase")
    if phase == "queued" and facts.stop is None:
        return State("queued", _said(facts.job, "reason", "waits for a device"), "sslterm queue shows the order")
    if facts.stop is not None:
        what = "pause" if facts.stop.get("pause") else "stop"
        return State("stopping", f"was asked to {what}; it finishes the step and saves", f"sslterm watch {name}")
    mine = facts.beat.get("job") == facts.job.get("job")
    if phase != "started" or not mine or facts.beat.get("phase") == "preparing":
        return State("starting", "prepares its data and its network", f"sslterm watch {name}")
    late = _late(facts)
    if late is not None:
        return State(
            "stalled",
            f"no sign of life for {late:.0f} s beyond what it promised",
            f"sslterm logs {name}; if it hangs: sslterm stop {name} --now, then sslterm resume {name}",
        )
    trouble = facts.beat.get("trouble")
    return State("running", str(trouble) if trouble else "trains", f"sslterm watch {name}")


def _unsupervised(facts: Facts) -> State:
    """The trainer lives, and nobody watches over it."""
    who = _process(facts.status) or Identity.read(facts.job.get("worker"))
    if facts.job.get("phase") in ("starting", "started"):
        return State(
            "orphaned",
            f"its supervisor died; {who} trains on and saves as before",
            f"let it end, or sslterm stop {facts.name}",
        )
    return State("running", f"trained by {who} without a supervisor", f"sslterm stop {facts.name}")


def _at_rest(facts: Facts) -> State:
    """Nobody works on it here; how did it end?"""
    status, job = facts.status, facts.job
    word, phase = _said(status, "state", ""), job.get("phase")
    # The trainer's last word counts unless a later start got nowhere.
    if word in OVER and (not job or status.get("job") == job.get("job") or _later(status, job)):
        return _by_its_own_word(facts, word)
    if phase == "ended" and not _later(status, job):
        return _by_its_supervisor(facts)
    if facts.host is not None:
        return State(
            "remote",
            f"last seen on {facts.host}, and this machine cannot see whether it still works there",
            f"look on {facts.host}; where that is gone: sslterm resume {facts.name}",
        )
    resume = f"sslterm resume {facts.name}"
    if not facts.same_boot:
        return State("rebooted", "the machine was started anew while it worked", resume)
    if not status and not job:
        return State("lost", "was made, and never started", resume)
    if phase == "queued":
        return State("lost", "its supervisor was killed while it waited for a device", resume)
    return State("lost", "trainer and supervisor ended without a word; both were killed, it seems", resume)


def _later(status: dict[str, Any], job: dict[str, Any]) -> bool:
    """Whether the trainer's word is of a time after the supervisor's (nobody supervised it)."""
    began, launched = status.get("started"), job.get("launched")
    return status.get("job") is None and isinstance(began, float) and isinstance(launched, float) and began > launched


def _by_its_own_word(facts: Facts, word: str) -> State:
    reason = _said(facts.status, "reason", "")
    name = facts.name
    if word == "finished":
        return State(word, reason or "trained to its end", f"sslterm eval {name}")
    if word == "failed":
        return State(word, reason or "ended with an error", f"sslterm logs {name}; then sslterm resume {name}")
    return State(word, reason or "ended early when asked to", f"sslterm resume {name}")


def _by_its_supervisor(facts: Facts) -> State:
    """The trainer had no last word; its supervisor saw how it ended."""
    job, name = facts.job, facts.name
    reason = _said(job, "reason", "ended without saying why")
    if job.get("stopped"):
        return State("interrupted", reason, f"sslterm resume {name}")
    word = "killed" if job.get("signal") else "failed"
    return State(word, reason, f"sslterm logs {name}; then sslterm resume {name}")


def _late(facts: Facts) -> float | None:
    """Seconds by which a promised sign of life is overdue, or None."""
    due = facts.beat.get("due")
    if not isinstance(due, int | float) or not facts.same_boot:
        return None
    return facts.now - due if facts.now > due else None


def _said(said: dict[str, Any], key: str, otherwise: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) and value else otherwise
