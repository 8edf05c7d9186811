"""The processes of one run, as a test starts, kills and counts them: supervisor, trainer, loader workers, follower."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import light_trainer
import psutil

from sslterm.jobs import stop
from sslterm.jobs.supervisor import Order
from sslterm.runs import Run, state
from sslterm.runs.identity import Identity
from sslterm.runs.job import TOKEN, Job

PATIENCE = 60.0
"""Seconds until a test gives up: two busy cores may take long for anything."""


def eventually(what: Callable[[], Any], why: Callable[[], object] = lambda: "") -> Any:
    """What comes true in the end; polled, never slept for."""
    until = time.monotonic() + PATIENCE
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, f"never came true: {why()}"
        time.sleep(0.02)


class Family:
    """A run and those who work on it or look at it."""

    def __init__(self, run: Run, job: str = "train") -> None:
        self.run, self.job = run, Job(run, job)
        self.token = ""
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.follower: subprocess.Popen[bytes] | None = None
        self.before = ""
        """The state before the last start."""
        self._started = 0

    # -------------------------------------------------------- starting

    def start(
        self, *arguments: str, command: Sequence[str] = (), env: dict[str, str] | None = None, **order: Any
    ) -> None:
        """Supervise the light trainer with these arguments, or another command; returns at once."""
        self._wait_for(self.supervisor)
        self._started += 1
        self.before = self.word
        self.token = f"{self.run.name}-{self._started}-{os.getpid()}"
        command = list(command) or [sys.executable, light_trainer.__file__, str(self.run.path), *arguments]
        written = json.dumps(asdict(Order(self.token, list(command), **order)))
        self.job.folder.mkdir(parents=True, exist_ok=True)
        with self.job.log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "sslterm.jobs.supervisor", str(self.run.path), self.job.name, written],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(env or {})},
            )  # fmt: skip

    def follow(self) -> None:
        """Somebody looks on, as `sslterm watch` does."""
        self._wait_for(self.follower)
        self.follower = subprocess.Popen(
            [sys.executable, "-m", "sslterm", "watch", str(self.run.path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    # -------------------------------------------------------- looking

    @property
    def word(self) -> str:
        """The derived state."""
        return state.of(self.run).word

    def trainer(self) -> Identity | None:
        """The trainer of this start, where the record names one that lives."""
        record = self.job.record()
        worker = Identity.read(record.get("worker"))
        return worker if record.get("job") == self.token and worker and worker.alive() else None

    def trains(self) -> bool:
        """Whether this start got as far as its first step."""
        beat = self.job.heartbeat()
        return beat.get("job") == self.token and beat.get("phase") == "training"

    def members(self) -> list[psutil.Process]:
        """Every living process that works on the run or for it; followers are no part of it."""
        return [process for process in psutil.process_iter() if self._belongs(process)]

    def _belongs(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE or (self.follower and process.pid == self.follower.pid):
                return False
            return str(self.run.path) in process.cmdline() or process.environ().get(TOKEN, "-") == self.token
        except psutil.Error:
            return False

    def reap(self) -> None:
        """Collect our own dead children, which are dead for everyone else already."""
        for child in (self.supervisor, self.follower):
            if child:
                child.poll()

    def fitting(self) -> tuple[str, ...]:
        """The words that would tell the truth of a trainer that does not end by itself, by those who live now."""
        assert self.supervisor
        record = self.job.record()
        if self.supervisor.poll() is None:
            ends = record.get("job") == self.token and self.trainer() is None
            return () if ends else ("starting", "running")
        if self.members():
            return ("orphaned",) if self.trainer() else ()
        if record.get("job") != self.token:
            return (self.before,)  # killed before it could say anything, so nothing has changed
        return ("killed",) if record.get("phase") == "ended" else ("lost",)

    def settled(self) -> str:
        """The state once nobody works on the run any more."""
        # A process of many threads is dead to its parent before the last of them lets go of its locks.
        eventually(lambda: not self.members() and self.word not in state.ALIVE, self.told)
        self.reap()
        return self.word

    def log(self) -> str:
        """The end of what was said."""
        return self.job.log.read_text(errors="replace")[-3000:] if self.job.log.exists() else ""

    def told(self) -> str:
        """All there is to say of a run that is not as it should be."""
        files = (self.job.record(), self.run.status(), self.job.heartbeat())
        return "\n".join(map(str, (state.of(self.run), self.members(), *files, self.log())))

    # -------------------------------------------------------- killing

    def victims(self, who: str) -> Iterator[int]:
        """The numbers of the processes that a word means."""
        if who in ("supervisor", "everyone") and self.supervisor:
            yield self.supervisor.pid
        if who in ("follower", "everyone") and self.follower:
            yield self.follower.pid
        trainer = self.trainer()
        if trainer and who in ("trainer", "everyone"):
            yield trainer.pid
        if trainer and who in ("worker", "everyone"):
            yield from (child.pid for child in _children(trainer.pid))

    def kill(self, who: str) -> int:
        """Kill -9; gives back how many were hit."""
        hit = [
            identity for identity in map(Identity.of, self.victims(who)) if identity and identity.send(signal.SIGKILL)
        ]
        eventually(lambda: not any(identity.alive() for identity in hit))
        self.reap()
        return len(hit)

    def stop(self, **how: Any) -> None:
        """A clean stop, as `sslterm stop` asks for it."""
        stop.ask(self.job, **how)
        assert stop.until_ended(self.job, how.get("seconds", 60.0)), self.log()
        self.job.acknowledge("stop")

    def end(self) -> None:
        """Leave nobody behind."""
        for _ in range(100):
            left = self.members()
            if not left and (self.follower is None or self.follower.poll() is not None):
                break
            for process in left:
                process.kill()
            if self.follower and self.follower.poll() is None:
                self.follower.kill()
            self.reap()
            time.sleep(0.02)
        self._wait_for(self.supervisor, self.follower)

    def _wait_for(self, *children: subprocess.Popen[bytes] | None) -> None:
        """Until the ones before are gone: `reap` finds nothing where the last of a dead one's threads still ends."""
        for child in children:
            if child:
                child.wait(PATIENCE)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
