"""Commands that train: a supervisor is started, and this terminal follows it. Closing the terminal stops nothing."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslterm.cli.answers import DONE, FAILED, INTERRUPTED, answering, end, leave, say, table
from sslterm.cli.app import DATA, RUNS, AsJson, Assignments, DataDir, Device, PresetArgument, RunArgument, RunsDir, app

if TYPE_CHECKING:
    from sslterm.jobs.launch import Started
    from sslterm.runs import Run
    from sslterm.runs.job import Job

TRAIN, DURING = "Train", "While it trains"

Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Return once training really began; it goes on in the background.")
]
Queue = Annotated[bool, typer.Option("--queue", help="Wait for a free device; see `sslterm queue`.")]
Slots = Annotated[int, typer.Option(min=1, help="How many runs may share the device.")]
Wait = Annotated[float, typer.Option("--wait", min=1, help="Seconds to finish the step and save in.")]


@app.command(
    rich_help_panel=TRAIN,
    epilog="Examples: sslterm run quickstart · sslterm run presets/moco.toml --set epochs=20 --device cuda:1 --detach",
)
def run(
    preset: PresetArgument,
    assignments: Assignments = [],  # noqa: B006
    name: Annotated[str | None, typer.Option(help="What to call the run; left out: the date and the preset.")] = None,
    device: Device = "auto",
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the preset's seed.")] = None,
    detach: Detach = False,
    queue: Queue = False,
    slots: Slots = 1,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Train a preset from its beginning, in a run directory of its own.

    Training goes on in the background whatever becomes of this terminal, which only follows it. Ctrl-C is a clean stop:
    the step is finished, a checkpoint saved; `sslterm resume last` goes on.
    """
    with answering():
        from sslterm import presets
        from sslterm.runs.create import create
        from sslterm.runs.directory import check_name

        if name is not None:
            check_name(name)
        path = presets.find(preset)
        from sslterm.engine.check import check_file
        from sslterm.engine.device import pick_device

        pick_device(device)
        loaded, notes = check_file(path, [*assignments, *([f"seed={seed}"] if seed is not None else [])])
        for note in notes:
            say(f"note: {note}")
        from sslterm.engine.weights import settled

        loaded = settled(loaded, runs_dir)
        made = create(runs_dir, loaded, source=path, name=name, argv=sys.argv)
        _launch(made, device, data_dir, as_json, detach, queue, slots)


@app.command(rich_help_panel=TRAIN, epilog="Examples: sslterm resume last · sslterm resume moco --epochs 50")
def resume(
    run: RunArgument,
    epochs: Annotated[
        int, typer.Option(min=0, help="Train the last stage for so many more; its schedule stretches to the new end.")
    ] = 0,
    device: Device = "auto",
    detach: Detach = False,
    queue: Queue = False,
    slots: Slots = 1,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Go on exactly where a run stopped, or was paused, whatever stopped it."""
    with answering():
        from sslterm.runs import find

        found = find(run, runs_dir)
        found.info()
        _launch(found, device, data_dir, as_json, detach, queue, slots, epochs)


def _launch(
    run: Run, device: str, data_dir: Path, as_json: bool, detach: bool, queue: bool, slots: int, epochs: int = 0
) -> None:
    """Start the training of a run; then return (`detach`), or follow it to its end."""
    from sslterm.jobs import launch
    from sslterm.runs.job import Job
    from sslterm.tables import safe

    job = Job(run)
    command = ["train-here", str(run.path), "--device", device, "--data-dir", str(data_dir.absolute())]
    command += ["--epochs", str(epochs)] if epochs else []
    started = launch.start(job, command, device=device, queue=queue, slots=slots)
    if detach or queue:
        try:
            word = launch.began(started)
        except KeyboardInterrupt:
            end(f"{run.name} is starting and goes on; `sslterm stop {run.path}` stops it", INTERRUPTED)
        if as_json:
            print(json.dumps({"run": run.name, "path": str(run.path), "state": word}, indent=1))
        else:
            print(safe(run.name))
            say(f"{word}; follow it with `sslterm watch {run.path}`, stop it with `sslterm stop {run.path}`")
        return
    follow_start(started, as_json)
    _close(run, as_json)


def follow_start(started: Started, quiet: bool) -> None:
    """Follow what was just started."""
    from sslterm.follow import Follower
    from sslterm.jobs import launch, stop

    asked = False
    while not launch.mine(started):
        try:
            launch.refuse_dead(started, {})
            time.sleep(launch.LOOK)
        except KeyboardInterrupt:
            asked = True  # there is nobody yet whom to tell
    if asked:
        stop.ask(started.job)
    follow(started.job, Follower(started.job, started.token, started.log_from, quiet))


ANSWERS = {
    1: "finishing the step and saving; Ctrl-C once more ends at once",
    2: "ends at once; what was saved stays",
}
"""What is said to the first Ctrl-C, and to the second."""


def follow(job: Job, follower: Any) -> None:
    """Follow a job to its end. Ctrl-C asks for a clean stop, once more for an end at once, a third time leaves."""
    from sslterm.jobs import stop

    for times in range(3):
        try:
            # Within the try: a Ctrl-C that comes while the last one is being answered is the next one.
            if times:
                stop.ask(job, hurry=times == 2)
                follower.say(ANSWERS[times])
            follower.watch()
            return
        except KeyboardInterrupt:
            continue
    end("left it alone; `sslterm stop --now` kills", INTERRUPTED)


def _close(run: Run, as_json: bool) -> None:
    """Say how training ended, with the exit code that says it too."""
    from sslterm.runs import state

    now = state.of(run)
    summary = _summary(run)
    if as_json:
        print(json.dumps(summary, indent=1))
    elif now.word == "finished":
        print(_summary_text(summary))
    if now.word == "finished":
        return
    if now.alive:  # another start took the place of the one that we followed
        say(f"{run.name}: {now.word}: {now.reason}")
        return
    end(
        f"{run.path}: {now.word}: {now.reason}" if now.word not in ("failed", "interrupted") else now.reason, _code(run)
    )


def _code(run: Run) -> int:
    from sslterm.runs import state

    status, word = run.status(), state.of(run).word
    if word in ("interrupted", "paused"):
        return INTERRUPTED
    said = status.get("exit")
    return said if word == "failed" and isinstance(said, int) and said > 0 else FAILED


def _summary(run: Run) -> dict[str, Any]:
    from sslterm.runs import checkpoints, state

    now = state.of(run)
    return {
        "run": run.name,
        "path": str(run.path),
        "state": now.word,
        "reason": now.reason,
        "best": checkpoints.pointer(run, "best"),
        "latest": checkpoints.pointer(run, "latest").get("file"),
    }


def _summary_text(summary: dict[str, Any]) -> str:
    from sslterm.tables import safe

    lines = [f"{summary['run']}: {summary['state']}"]
    lines += [
        f"  {stage}: best {entry['metric']} {entry['value']:.4f} in {entry['file']}"
        for stage, entry in summary["best"].items()
        if isinstance(entry, dict)
    ]
    if summary["best"]:  # without labels there is nothing to evaluate
        lines.append(f"  next: sslterm eval {summary['path']} --tta")
    return safe("\n".join(lines))


@app.command(name="train-here", hidden=True)
def train_here(
    run: Path,
    device: Device = "auto",
    data_dir: DataDir = DATA,
    epochs: int = 0,
) -> None:
    """What a supervisor starts: trains in this very process, and says how far it is in the run's files."""
    try:
        with answering():
            from sslterm.engine.train import train
            from sslterm.runs import Run

            train(Run(run), device=device, data_dir=data_dir, more_epochs=epochs)
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else FAILED)
    leave(DONE)


# ---------------------------------------------------------------- while it trains


@app.command(rich_help_panel=DURING, epilog="Example: sslterm watch last")
def watch(run: RunArgument, runs_dir: RunsDir = RUNS) -> None:
    """Follow a run that trains, from any terminal. Ctrl-C leaves it training."""
    with answering():
        from sslterm.follow import Follower
        from sslterm.jobs import stop
        from sslterm.runs import find, state
        from sslterm.runs.job import Job

        found = find(run, runs_dir)
        job = Job(found)
        if not stop.working(job):
            now = state.of(found)
            say(f"{found.path}: {now.word}: {now.reason}. Next: {now.advice}")
            return
        follower = Follower(job)
        try:
            follower.watch()
        except KeyboardInterrupt:
            follower.close()
            say(f"{found.name} trains on; `sslterm stop {found.path}` stops it")
            return
        _close(found, False)


@app.command(rich_help_panel=DURING, epilog="Examples: sslterm stop last · sslterm stop moco --now")
def stop(
    run: RunArgument,
    now: Annotated[bool, typer.Option("--now", help="Kill it; what was saved stays.")] = False,
    wait: Wait = 60.0,
    runs_dir: RunsDir = RUNS,
) -> None:
    """Stop a run cleanly: it finishes the step, saves a checkpoint and ends; `sslterm resume` goes on from there.

    It is given some seconds for that, then asked to end at once, then killed.
    """
    _stop(run, runs_dir, wait, now=now)


@app.command(rich_help_panel=DURING, epilog="Example: sslterm pause last; later: sslterm resume last")
def pause(run: RunArgument, wait: Wait = 60.0, runs_dir: RunsDir = RUNS) -> None:
    """Give the device up: training saves and ends, and `sslterm resume` takes a device again."""
    _stop(run, runs_dir, wait, pause=True)


def _stop(run: str, runs_dir: Path, wait: float, pause: bool = False, now: bool = False) -> None:
    with answering():
        from sslterm.jobs import stop
        from sslterm.runs import find, state
        from sslterm.runs.job import all_jobs

        found = find(run, runs_dir)
        jobs = [job for job in all_jobs(found) if stop.working(job)]
        if not jobs:
            end(f"{found.path}: nobody works on it ({state.of(found).word}); there is nothing to stop", FAILED)
        for job in jobs:
            stop.ask(job, seconds=wait, pause=pause, now=now)
        with _countdown() as counting:
            ended = [stop.until_ended(job, wait, counting) for job in jobs]
        for job in jobs:
            job.acknowledge("stop")
        if not all(ended):
            end(f"{found.path}: does not end; see `sslterm logs {found.path}`", FAILED)
        after = state.of(found)
        print(table(["run", "state", "why"], [[found.name, f"{after.glyph} {after.word}", after.reason]]))


class _countdown:
    """Shows the seconds that are left, where a terminal is."""

    def __enter__(self) -> Any:
        self._shown = ""
        return self._count

    def _count(self, left: float) -> None:
        text = f"stopping … {left:.0f} s" if left else "stopping … asked again"
        if text != self._shown and sys.stderr.isatty():
            self._shown = text
            print(f"\r{text} ", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r" + " " * (len(self._shown) + 1) + "\r", end="", file=sys.stderr, flush=True)


@app.command(
    rich_help_panel=DURING, epilog="Examples: sslterm queue · sslterm queue moco --to 1 · sslterm queue moco --drop"
)
def queue(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Which waiting run to move or drop.")] = None,
    to: Annotated[int | None, typer.Option(min=1, help="Move it to this place in the queue.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Take it out of the queue.")] = False,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """Who waits for a device, the next one first; moves a run, or takes it out."""
    with answering():
        from sslterm.jobs import queue, stop
        from sslterm.runs import find
        from sslterm.runs.job import Job

        if run is not None:
            found = find(run, runs_dir)
            if all(ticket.run != found.name for ticket in queue.tickets(runs_dir)):
                end(f"{found.name}: does not wait for a device", FAILED)
            if drop:
                job = Job(found)
                stop.ask(job)
                stop.until_ended(job, 30)
            elif to is not None:
                queue.move(runs_dir, found.name, to)
            else:
                end("say what to do with it: --to PLACE or --drop", 2)
        now = time.time()
        waiting: list[dict[str, Any]] = [
            {"run": t.run, "place": place, "device": t.device, "slots": t.slots, "waits": now - t.since}
            for place, t in enumerate(queue.tickets(runs_dir), 1)
        ]
        if as_json:
            print(json.dumps(waiting, indent=1))
        elif not waiting:
            say("nobody waits for a device")
        else:
            from sslterm.tables import duration

            rows = [[w["place"], w["run"], w["device"], duration(w["waits"])] for w in waiting]
            print(table(["", "run", "device", "waits"], rows))
        raise SystemExit(DONE)
