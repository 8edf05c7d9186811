"""The supervisor: starts one worker, waits for it, obeys requests, and records how it ended. Standard library only.

It lives in a session of its own, so that no terminal's end is its end. It holds the job's lock for as long as it lives,
and passes it to nobody: the kernel frees it on any death. Were the supervisor killed, the worker would work on; its
training is worth more than our bookkeeping.

    python -m sslterm.jobs.supervisor RUN JOB '{"token": ..., "command": [...], ...}'
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslterm.jobs import queue
from sslterm.runs import files
from sslterm.runs.directory import Run
from sslterm.runs.identity import Identity
from sslterm.runs.job import TOKEN, Job
from sslterm.runs.locks import Lock, Locked

LOOK = 0.1
"""Seconds between two looks at the worker and at the requests."""
AT_ONCE = 10.0
"""Seconds that a worker gets to end once it was asked a second time."""
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each new try to write the last record."""
GATE = 'read go && exec "$@" < /dev/null'
"""The worker becomes the command only once the record names it (its number and its start stay): were we killed before,
it ends by itself, and no process works that no file knows."""
TAKEN = 75
"""Exit code where another supervisor holds the job."""
GONE = 76
"""Exit code where the run is gone."""


@dataclass(frozen=True)
class Order:
    """What is to be done: the one argument of a supervisor beside the job."""

    token: str
    command: list[str]
    device: str | None = None
    """Which device it needs (auto, cpu, cuda, cuda:1, mps); None where it needs none of its own."""
    queue: bool = False
    """Whether it waits for that device."""
    slots: int = 1
    """How many may share the device."""


class Supervisor:
    """One start of a job, from its lock to its last record."""

    def __init__(self, job: Job, order: Order) -> None:
        self.job, self.order = job, order
        self.record: dict[str, Any] = {
            "job": order.token,
            "command": order.command,
            "phase": "starting",
            "launched": time.time(),
            "supervisor": Identity.mine().written(),
            "worker": None,
            "device": order.device,
            "reason": None,
        }
        self.terminated = False

    def run(self) -> None:
        """Wait for the device, start the worker, wait for its end. The record says how far that went."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, _not_for_us)
        signal.signal(signal.SIGTERM, self._terminated)
        files.sweep(self.job.folder)
        self.job.forget_requests()
        self.write()
        try:
            place = self._device(self.order.device) if self.order.device is not None else None
            if self.order.device is not None and place is None:
                return self._end_queued()
            adopt_orphans()
            worker = self._start(place)
        except (OSError, Locked) as error:
            return self.end(exit=1, reason=f"could not be started ({error})")
        self._work(worker)
        if place:
            place.lock.release()
        return None

    def _terminated(self, *_: object) -> None:
        self.terminated = True

    def write(self, **facts: Any) -> None:
        """Change the record. A full disk is no reason to leave the worker alone: the next one may get through."""
        self.record.update(facts)
        with contextlib.suppress(OSError):
            files.write_json(self.job.folder / "job.json", self.record)

    def end(self, **facts: Any) -> None:
        """The last word, which nobody could say later: tried for a while where the disk is full."""
        self.record.update(phase="ended", ended=time.time(), **facts)
        for pause in PAUSES:
            try:
                return files.write_json(self.job.folder / "job.json", self.record)
            except OSError:
                time.sleep(pause)
        return self.write()

    def say(self, text: str) -> None:
        """A line for the log that the worker writes to as well."""
        with contextlib.suppress(OSError):
            os.write(2, f"{time.strftime('%Y-%m-%d %H:%M:%S')} supervisor: {text}\n".encode())

    # -------------------------------------------------------- waiting for a device

    def _device(self, wanted: str) -> queue.Place | None:
        runs_dir = self.job.run.path.parent
        if not self.order.queue:
            return queue.take_or_share(runs_dir, wanted, self.order.slots)
        shown = [0]

        def waiting(before: int) -> bool:
            if shown[0] != before:
                shown[0] = before
                what = f"{before - 1} before it" if before > 1 else "the next"
                self.write(phase="queued", reason=f"waits for a device; {what} in the queue", position=before)
            return self.terminated or self.job.requested("stop") is not None

        return queue.wait(runs_dir, self.job.run.name, self.order.token, wanted, self.order.slots, waiting)

    def _end_queued(self) -> None:
        self.job.acknowledge("stop")
        self.end(stopped="queued", exit=130, reason="was taken out of the queue before it began")

    # -------------------------------------------------------- the worker

    def _work(self, worker: subprocess.Popen[bytes]) -> None:
        kills = out_of_memory_kills()
        asked = Asked(self.job, worker)
        while worker.poll() is None:
            asked.look(self.terminated)
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(LOOK)
        end_family(worker.pid)
        code = worker.returncode
        oom = code == -signal.SIGKILL and out_of_memory_kills() > kills
        self.job.acknowledge("stop")
        reason = ended_by(code, asked, oom, self.job)
        early = asked.request is not None and -code in (signal.SIGTERM, signal.SIGINT)
        self.say(f"process {worker.pid} {reason or 'ended'}")
        self.end(
            exit=code if code >= 0 else None,
            signal=signal_name(-code) if code < 0 else None,
            oom=oom,
            stopped="early" if early else None,
            reason=reason,
        )

    def _start(self, place: queue.Place | None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, TOKEN: self.order.token, "PYTHONUNBUFFERED": "1"}
        handles = []
        if place:
            self.record["device"] = place.device.name
            environment.update(place.environment)
            handles = [place.lock.handle]
            if place.note:
                self.say(place.note)
        worker = subprocess.Popen(
            ["/bin/sh", "-c", GATE, "sh", *self.order.command],
            env=environment,
            stdin=subprocess.PIPE,
            process_group=0,  # so that the whole family can be ended at once
            pass_fds=handles,  # a device is held until the last process that may use it is gone
        )
        identity = Identity.of(worker.pid)
        self.write(phase="started", worker=identity.written() if identity else None, reason=None, began=time.time())
        _let_go(worker)
        self.say(f"started process {worker.pid}{f' on {place.device.name}' if place else ''}")
        return worker


def _let_go(worker: subprocess.Popen[bytes]) -> None:
    """Let the worker through the gate; it may be dead already."""
    assert worker.stdin
    with contextlib.suppress(OSError):
        os.write(worker.stdin.fileno(), b"\n")
    worker.stdin.close()


def _not_for_us(*_: object) -> None:
    """A signal passed over by a handler and not ignored, for what is ignored would be so in the worker as well."""


class Asked:
    """A request to stop, obeyed step by step: finish and save; end at once; be killed."""

    def __init__(self, job: Job, worker: subprocess.Popen[bytes]) -> None:
        self.job, self.worker = job, worker
        self.request: dict[str, Any] | None = None
        self._steps: list[tuple[float, signal.Signals]] = []
        self._hurried = False

    def look(self, terminated: bool) -> None:
        """See what is asked, and do what is due."""
        request = self.job.requested("stop") or ({"seconds": 60} if terminated else None)
        if request is not None and (self.request is None or (request.get("now") and not self.request.get("now"))):
            self._begin(request)
        if request is not None and request.get("hurry") and not self._hurried:
            self._hurried = True
            now = time.monotonic()
            self._steps = [(now, signal.SIGINT), (now + AT_ONCE, signal.SIGKILL)]
        while self._steps and time.monotonic() >= self._steps[0][0]:
            self._send(self._steps.pop(0)[1])

    def _begin(self, request: dict[str, Any]) -> None:
        self.request = request
        now, seconds = time.monotonic(), request.get("seconds")
        if request.get("now"):
            self._steps = [(now, signal.SIGKILL)]
            return
        patience = float(seconds) if isinstance(seconds, int | float) else 60.0
        self._steps = [
            (now, signal.SIGTERM),
            (now + patience, signal.SIGINT),
            (now + patience + AT_ONCE, signal.SIGKILL),
        ]

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.worker.pid, number)
            else:
                self.worker.send_signal(number)


def signal_name(number: int) -> str:
    """`SIGKILL`; the number where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ended_by(code: int, asked: Asked, oom: bool, job: Job) -> str | None:
    """How a worker ended, in words; None where it said so itself."""
    if code < 0:
        name = signal_name(-code)
        if asked.request is not None and -code in (signal.SIGTERM, signal.SIGINT):
            return "was stopped before training began"
        if asked.request is not None:
            return f"was killed ({name}) when asked to stop{'' if asked.request.get('now') else ' and did not in time'}"
        if oom:
            return f"was killed ({name}) by the kernel: memory was used up"
        perhaps = ", perhaps because memory was used up" if -code == signal.SIGKILL else ""
        return f"was killed ({name}) by somebody else than sslterm{perhaps}"
    if job.name == "train" and job.run.status().get("job") == job.record().get("job"):
        return None if code == 0 or job.run.status().get("state") != "running" else _last_words(code, job)
    return None if code == 0 else _last_words(code, job)


def _last_words(code: int, job: Job) -> str:
    """The exit code, and what the log says last."""
    try:
        with job.log.open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 4000))
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    said = [line for line in lines if " supervisor: " not in line]
    return f"ended with exit code {code}" + (f": {said[-1][:300]}" if said else "")


# ---------------------------------------------------------------- a family of processes


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none is left holding a device (Linux)."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def end_family(leader: int) -> None:
    """Kill what the worker left behind: its process group, and descendants that we became the parent of."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(0.01)


def _children() -> list[int]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def out_of_memory_kills() -> int:
    """How many processes of our control group the kernel has killed for want of memory so far (Linux)."""
    try:
        group = Path("/proc/self/cgroup").read_text().strip().rpartition(":")[2]
        events = Path("/sys/fs/cgroup" + group, "memory.events").read_text()
        return int(dict(line.split() for line in events.splitlines())["oom_kill"])
    except (OSError, ValueError, KeyError):
        return 0


def main(run: str, name: str, order: str) -> int:
    """Supervise one start of a job."""
    job = Job(Run(Path(run)), name)
    if not (job.run.path / "run.json").exists():  # renamed or deleted just now, and a lock would make it anew
        return GONE
    try:
        lock = Lock(job.lock)
    except Locked:
        return TAKEN
    with lock:
        Supervisor(job, Order(**json.loads(order))).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
