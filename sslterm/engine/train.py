"""Training: from a run directory to trained checkpoints in it.

Resuming is starting again: training begins at the newest good checkpoint if there is one, and since every draw is a
function of its place, the result is the same as if it had never stopped.
"""

from __future__ import annotations

import math
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslterm import presets
from sslterm.data.dataset import Dataset
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.engine import compiling, looking, monitor, parts
from sslterm.engine.checkpoint import CheckpointWriter, open_checkpoint
from sslterm.engine.device import Precision, environment, most_memory, pick_device, pick_precision, prepare
from sslterm.engine.interrupt import CleanStop, Interrupted
from sslterm.engine.meter import first_not_finite, mean
from sslterm.engine.painting import paint
from sslterm.engine.progress import Progress
from sslterm.engine.retention import best_of, prune
from sslterm.engine.stage import StageInTraining, Subject, foresee, largest_view
from sslterm.engine.step import finite, one_step, steps_left
from sslterm.engine.tensorboard import TensorBoard
from sslterm.engine.threads import Tuner
from sslterm.engine.weights import Normalisation, normalisation, origin
from sslterm.errors import UserError
from sslterm.runs import Run, RunError, checkpoints, files, painted
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.job import Job
from sslterm.runs.writer import RunWriter

READ_AT_LEAST = 2.0
"""Seconds after which numbers are read from the device even if fewer than `monitor.log_every` steps wait."""


class Diverged(RunError):
    """The loss is no longer a number; the text says where, and what is left."""


def train(
    run: Run, *, device: str = "auto", data_dir: Path, progress: Progress | None = None, more_epochs: int = 0
) -> None:
    """Train what is left of a run.

    Whatever ends it, `status.json` says so and every checkpoint that was complete stays. Raises RunError, PresetError,
    ValueError with a sentence, and Interrupted when asked to stop.
    """
    run.info()
    progress = progress or Progress()
    with RunWriter(run) as writer, TensorBoard(run.path / "tensorboard") as board:
        try:
            writer.state("running")
            progress.open(writer)
            with CleanStop() as stop:
                Trainer(run, writer, board, progress, stop).train(device, data_dir, more_epochs)
            writer.state("finished", exit_code=0)
        except (Interrupted, KeyboardInterrupt) as error:
            asked = Job(run).requested("stop") or {}
            word = "paused" if asked.get("pause") else "interrupted"
            writer.state(word, str(error) or f"ended at once; continue with `sslterm resume {run.path}`", exit_code=130)
            raise
        except Exception as error:
            _record_failure(writer, error)
            if isinstance(error, UserError | OSError):
                raise
            raise RunError(
                f"{run.path}: ended by {type(error).__name__}: {error}. The traceback is in {run.log}"
            ) from error
        finally:
            progress.close()


def _record_failure(writer: RunWriter, error: Exception) -> None:
    """Say why in the log and the status; a full disk may keep even that from being said."""
    try:
        writer.log("traceback:\n" + "".join(traceback.format_exception(error)).rstrip())
        writer.state("failed", str(error).strip() or type(error).__name__, exit_code=getattr(error, "exit_code", 1))
    except OSError:
        return


class Trainer:
    """One attempt at a run."""

    def __init__(self, run: Run, writer: RunWriter, board: TensorBoard, progress: Progress, stop: CleanStop) -> None:
        self.run, self.writer, self.board, self.progress, self.stop = run, writer, board, progress, stop
        self.checkpoints = CheckpointWriter(run)
        self.preset = run.preset()
        self.job = Job(run)
        self._seconds_of_a_look = 0.0

    def train(self, wanted_device: str, data_dir: Path, more_epochs: int) -> None:
        """Every stage that is not done yet, in order."""
        try:
            self._train(wanted_device, data_dir, more_epochs)
        finally:
            self.checkpoints.finish()

    def _train(self, wanted_device: str, data_dir: Path, more_epochs: int) -> None:
        point, damaged = checkpoints.newest_good(self.run)
        for problem in damaged:
            self._say(f"{problem}; going on from the one before")
        state = open_checkpoint(self.run, point) if point else None
        if damaged and not point:
            raise RunError(
                f"{damaged[0]}; no checkpoint of this run can be loaded. Bring one back, or start again with"
                f" `sslterm run {self.run.path / 'resolved.toml'}`"
            )
        device = pick_device(wanted_device)
        prepare(device)
        precisions = self._precisions(device, state)
        named = {stage.name: precision for stage, precision in zip(self.preset.stage, precisions, strict=True)}
        self.writer.environment(environment(device, named))
        subject = self._subject(device, data_dir, state)
        if more_epochs:
            self._extend(point, more_epochs)
        first = state["stage_index"] if state else 0
        self._say(f"{self.run.name}: on {device} in {' and '.join(sorted({p.name for p in precisions}))}")
        foresee(self.preset, subject.dataset, subject.parts, first)
        self.stop.gentle = True
        with Tuner(device, self._say) as self.threads:
            for index in range(first, len(self.preset.stage)):
                state = self._stage(index, subject, precisions[index], state)

    # -------------------------------------------------------- what a run learns from

    def _subject(self, device: torch.device, data_dir: Path, state: dict[str, Any] | None) -> Subject:
        preset = self.preset
        came_from = None if state else origin(preset.encoder.weights, self.run.path.parent)
        dataset = open_dataset(preset.data, largest_view(preset), data_dir, self.progress.preparing)
        divided = self._parts(dataset)
        normal = Normalisation.of_checkpoint(state) if state else normalisation(preset, dataset, came_from)
        self._say(f"{self.run.name}: {dataset.name}, {_counted(divided)} images")
        return Subject(dataset, divided, normal, device, came_from)

    def _precisions(self, device: torch.device, state: dict[str, Any] | None) -> list[Precision]:
        """Each stage's. What a trial once said holds for the whole run, lest a resumed run compute differently."""
        chosen = {} if state else self._chosen_before(device)
        if state and state["device"] == device.type:
            wanted = self.preset.stage[state["stage_index"]].precision
            chosen[wanted] = Precision(state["precision"], "as before")
        for stage in self.preset.stage:
            if stage.precision not in chosen:
                chosen[stage.precision] = pick_precision(stage.precision, device)
        return [chosen[stage.precision] for stage in self.preset.stage]

    def _chosen_before(self, device: torch.device) -> dict[str, Precision]:
        """What an attempt that left no checkpoint computed in, by what the preset says of a stage."""
        try:
            before = files.read_or_nothing(self.run.path / "env.json")["attempts"][-1]
            if before["device"].partition(":")[0] != device.type:
                return {}
            kept = {stage.precision: before["precision"][stage.name]["name"] for stage in self.preset.stage}
        except (KeyError, IndexError, TypeError, AttributeError):  # the first attempt, or a damaged file
            return {}
        return {wanted: Precision(name, "as before") for wanted, name in kept.items() if name in ("fp32", "bf16")}

    def _parts(self, dataset: Dataset) -> dict[str, Tensor]:
        """Which images are what: made once, then kept in the run."""
        if self.run.splits.exists():
            try:
                return parts.kept(self.run, dataset)
            except parts.DamagedSplits as error:
                self._say(f"{error}; drawing the same splits again from the seed")
        drawn = split(self.preset.data, dataset.labels, dataset.first_test, self.preset.seed)
        parts.keep(self.run, drawn, dataset)
        return drawn

    # -------------------------------------------------------- one stage

    def _stage(
        self, index: int, subject: Subject, precision: Precision, state: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Train a stage from where `state` left it; gives back the state that the next stage begins from."""
        stage = StageInTraining(self.preset, index, subject, precision, state)
        stage.best = [(value, file) for value, file in stage.best if (self.run.checkpoints / file).exists()]
        compiling.settle(stage, self._say, self.progress.preparing)
        self.progress.stage(
            stage.stage.name, index, len(self.preset.stage), stage.stage.epochs, stage.steps,
            stage.epoch * stage.steps + stage.step, stage.stage.batch_size,
        )  # fmt: skip
        while stage.epoch < stage.stage.epochs and not stage.ended:
            self._epoch(stage)
        self.progress.close()
        self.checkpoints.settle()
        return self._left_by(stage)

    def _left_by(self, stage: StageInTraining) -> dict[str, Any]:
        """What the next stage starts from: the last checkpoint of this one, or its best."""
        following = self.preset.stage[stage.index + 1 : stage.index + 2]
        if following and following[0].start == "best" and stage.best:
            best = checkpoints.chosen(self.run, stage.best[0][1])[0]
            return {**open_checkpoint(self.run, best), "total_steps": stage.total_steps}
        return stage.state()

    def _epoch(self, stage: StageInTraining) -> None:
        """Train an epoch, look at what was learned, keep a checkpoint."""
        if stage.step == 0:
            looking.before_epoch(stage)
        began, first = time.perf_counter(), stage.step
        self._steps(stage)
        seconds = time.perf_counter() - began
        trained = (stage.step - first) * stage.stage.batch_size
        if stage.step < stage.steps:
            self._save(stage, {})
            self.checkpoints.settle()
            where = f"{stage.stage.name}, epoch {stage.epoch + 1}, step {stage.step} of {stage.steps}"
            raise Interrupted(f"stopped at {where}; continue with `sslterm resume {self.run.path}`")

        metrics = {f"train/{name}": value for name, value in stage.meter.means().items()}
        metrics["images_per_second"] = trained / seconds
        metrics["memory_mib"] = most_memory(stage.subject.device)
        stage.epoch, stage.step = stage.epoch + 1, 0
        stage.meter.restart()
        self.progress.looking(self._seconds_of_a_look)
        looked = time.monotonic()
        metrics.update(monitor.validate(stage))
        every = self.preset.monitor.every
        due = every and (stage.epoch % every == 0 or stage.epoch == stage.stage.epochs)
        if due:
            metrics.update(monitor.look(stage))
        self._seconds_of_a_look = max(self._seconds_of_a_look, time.monotonic() - looked)
        stage.schedule.look(metrics)
        self._consider_stopping(stage, metrics)
        self._row(stage.where(), metrics)
        self._paint(stage)
        self._save(stage, metrics)
        left = (stage.stage.epochs - stage.epoch) * (time.perf_counter() - began)
        self.progress.epoch(stage.epoch, metrics, left)
        if self.stop.requested and (stage.epoch < stage.stage.epochs or stage.index + 1 < len(self.preset.stage)):
            self.checkpoints.settle()
            raise Interrupted(
                f"stopped after {stage.stage.name}, epoch {stage.epoch}; continue with `sslterm resume {self.run.path}`"
            )

    def _steps(self, stage: StageInTraining) -> None:
        """The steps of one epoch, from where it stands to its end or to a requested stop."""
        stage.method.train()
        last_read = last_step = time.monotonic()
        for views, places in steps_left(stage):
            one_step(stage, views, places)
            over = stage.step == stage.steps or self.stop.requested
            due = stage.meter.waiting >= self.preset.monitor.log_every
            shown = None
            if over or due or time.monotonic() - last_read > READ_AT_LEAST:
                shown = self._read(stage, wait=over)
                last_read = time.monotonic()
            self.progress.step(shown)
            last_step, before = time.monotonic(), last_step
            self.threads.step(last_step - before)
            if shown and not over and self.job.requested("checkpoint") is not None:
                self._read(stage, wait=True)
                self._save(stage, {})
            if self.stop.requested:
                break

    def _read(self, stage: StageInTraining, wait: bool) -> dict[str, float] | None:
        """Send for what waits on the device, and take in what has come, all of it where `wait`: write rows of it, and
        see that the loss is still a number. Gives back the newest."""
        stage.meter.send((stage.where(), stage.step, stage.rate))
        values = None
        for rows, (where, step, rate) in stage.meter.arrived(wait):
            wrong = first_not_finite(rows)
            values = mean(rows if wrong is None else rows[:wrong])
            self._row(where, {**{f"step/{name}": value for name, value in values.items()}, "optimizer/lr": rate})
            if wrong is not None:
                at = step - len(rows) + wrong + 1
                raise self._diverged(stage, f"the loss became {rows[wrong]['loss']} at step {at}")
        if stage.step == stage.steps and not finite(stage.method):
            # The loss comes before the last step's change of the weights, and so knows nothing of it.
            raise self._diverged(stage, f"weights became infinite or NaN at step {stage.step}")
        return values

    def _diverged(self, stage: StageInTraining, what: str) -> Diverged:
        self.checkpoints.finish()
        kept = checkpoints.newest_good(self.run)[0]
        left = f"{kept.file} is the last good checkpoint" if kept else "no checkpoint was made before"
        return Diverged(
            f"{what} of epoch {stage.epoch + 1} of stage {stage.stage.name}; {left}."
            " A smaller optimizer.lr, a longer schedule.warmup or clip_norm may help"
        )

    def _consider_stopping(self, stage: StageInTraining, metrics: dict[str, float]) -> None:
        settings = stage.stage.early_stopping
        if settings.patience and settings.metric in metrics:
            stage.stopping.look(metrics[settings.metric])
            stage.ended = stage.stopping.stale > settings.patience
            if stage.ended:
                self._say(
                    f"{stage.stage.name}: {settings.metric} has not improved for {stage.stopping.stale} epochs; it ends"
                )
        stage.ended = stage.ended or stage.epoch >= stage.stage.epochs

    # -------------------------------------------------------- what is kept

    def _row(self, where: dict[str, Any], values: dict[str, float]) -> None:
        """One row of metrics, in our own file and in TensorBoard's."""
        self.writer.metrics({**where, "time": time.time(), **values})
        self.progress.trouble(self.writer.trouble or self.checkpoints.trouble)
        if not self.board.failed:
            self.board.write(where["step"], values)
            if self.board.failed:
                self._say(self.board.failed)

    def _paint(self, stage: StageInTraining) -> None:
        """Keep what the method paints, where it paints and it is time; a full disk is no reason to end."""
        every = self.preset.monitor.pictures
        made = paint(stage) if every and (stage.epoch % every == 0 or stage.ended) else None
        if made is None:
            return
        self.board.picture(stage.total_steps, f"painted/{stage.stage.name}", made.png, made.width, made.height)
        try:
            painted.keep(self.run, made.painting, lambda file: file.write(made.png))
        except OSError as error:
            self._say(f"{self.run.painted}: {made.painting.name}.png could not be written ({error.strerror})")

    def _save(self, stage: StageInTraining, metrics: dict[str, float]) -> None:
        """Copy the stage aside, let a thread write it, then delete what is no longer wanted."""
        part = f"+{stage.step:05d}" if stage.step else ""
        file = f"{stage.stage.name}-{stage.epoch:04d}{part}.pt"
        value = metrics.get(stage.metric, math.nan)
        if not math.isnan(value):
            stage.best = best_of([*stage.best, (value, file)], stage.metric, self.preset.checkpoints.best)
        best = list(stage.best)
        described = Checkpoint(
            file=file, stage=stage.stage.name, stage_index=stage.index, epoch=stage.epoch, step=stage.step,
            total_steps=stage.total_steps, ended=stage.ended, time=time.time(), size=0, sha256="", metrics=metrics,
        )  # fmt: skip

        def point() -> None:
            checkpoints.point(self.run, "latest", {"file": file})
            if best:
                pointers = checkpoints.pointer(self.run, "best")
                entry = {"file": best[0][1], "metric": stage.metric, "value": best[0][0]}
                checkpoints.point(self.run, "best", {**pointers, stage.stage.name: entry})
            prune(self.run, described, {name for _, name in best}, self.preset.checkpoints.every)

        self.checkpoints.write(stage.state(), lambda size, digest: replace(described, size=size, sha256=digest), point)
        self.job.acknowledge("checkpoint")

    def _extend(self, point: Checkpoint | None, more: int) -> None:
        """Give the last stage `more` epochs, counted from where it ended or will end; patience no longer cuts them."""
        last = self.preset.stage[-1]
        over = point is not None and point.stage_index == len(self.preset.stage) - 1 and point.ended
        epochs = (point.epoch if over and point else last.epochs) + more
        longer = last.model_copy(update={"epochs": epochs, "early_stopping": presets.EarlyStopping()})
        stages = (*self.preset.stage[:-1], longer)
        self.preset = self.preset.model_copy(update={"stage": stages})
        self.writer.resolved(self.preset)

    def _say(self, text: str) -> None:
        self.writer.log(text)


def _counted(parts: dict[str, Tensor]) -> str:
    return ", ".join(f"{name} {len(parts[name]):,}" for name in ("train", "valid", "test"))
