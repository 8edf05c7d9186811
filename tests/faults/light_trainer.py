"""A trainer without torch, there in a tenth of a second: it writes, beats, stops and resumes as the real one does.

What it learns is a chain of digests, so that one step left out, done twice or begun at a wrong place shows in the end.
Two loader workers live as long as it does.

    python light_trainer.py RUN [--steps 3000] [--pause 0.003] [--deaf]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from sslterm.engine.progress import Heartbeat
from sslterm.runs import Run, checkpoints, files
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.job import Job
from sslterm.runs.writer import RunWriter

STEPS, EVERY = 3000, 25
BEGINNING = b"\0" * 32


def learned(state: bytes, step: int) -> bytes:
    """A step of training."""
    return hashlib.sha256(state + step.to_bytes(8, "big")).digest()


def learned_by(step: int) -> bytes:
    """What an uninterrupted run knows after so many steps."""
    state = BEGINNING
    for at in range(1, step + 1):
        state = learned(state, at)
    return state


def loss(state: bytes) -> float:
    """The metric of a step."""
    return int.from_bytes(state[:4], "big") / 2**32


def loader_workers(count: int = 2) -> None:
    """Children that end when their trainer is gone, as torch's do."""
    waits, holds = os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.close(holds)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            os.read(waits, 1)
            os._exit(0)


def save(run: Run, step: int, state: bytes, ended: bool) -> None:
    """A checkpoint, its description, its pointer, and what is no longer wanted: in the real trainer's order."""
    path = run.checkpoints / f"light-{step:04d}.pt"
    files.write_whole(path, lambda file: file.write(state * 200))
    checkpoints.describe(
        run.checkpoints,
        Checkpoint(
            file=path.name, stage="light", stage_index=0, epoch=step // EVERY, step=step % EVERY, total_steps=step,
            ended=ended, time=time.time(), size=path.stat().st_size, sha256=files.sha256(path),
            metrics={"train/loss": loss(state)},
        ),
    )  # fmt: skip
    checkpoints.point(run, "latest", {"file": path.name})
    for old in checkpoints.listed(run)[:-3]:
        (run.checkpoints / old.file).unlink(missing_ok=True)
        (run.checkpoints / old.file).with_suffix(".json").unlink(missing_ok=True)


def train(run: Run, steps: int, pause: float, asked: list[int]) -> bool:
    """True where it was trained to its end."""
    with RunWriter(run) as writer:
        writer.state("running")
        heart = Heartbeat(Job(run).folder)
        heart.beat(always=True)
        loader_workers()
        good, _ = checkpoints.newest_good(run)
        step, state = (good.total_steps, (run.checkpoints / good.file).read_bytes()[:32]) if good else (0, BEGINNING)
        heart.facts.update(phase="training", stage="light", stage_index=0, stages=1, epochs=steps // EVERY, steps=EVERY)
        while step < steps and not asked:
            step, state = step + 1, learned(state, step + 1)
            writer.metrics({"step": step, "stage": "light", "epoch": step / EVERY, "train/loss": loss(state)})
            if step % EVERY == 0:
                save(run, step, state, ended=step == steps)
            heart.facts.update(epoch=step // EVERY, step=step % EVERY)
            heart.beat(30.0, always=heart.facts.get("said") != "training")
            heart.facts["said"] = "training"
            time.sleep(pause)
        if step % EVERY:
            save(run, step, state, ended=False)
        if step == steps:
            writer.state("finished", exit_code=0)
        else:
            writer.state("interrupted", f"stopped at step {step}", exit_code=130)
        return step == steps


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--pause", type=float, default=0.003)
    said = parser.parse_args(arguments)
    asked: list[int] = []

    def ask(number: int, frame: Any) -> None:
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    with contextlib.suppress(KeyboardInterrupt):
        return 0 if train(Run(said.run), said.steps, said.pause, asked) else 130
    return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
