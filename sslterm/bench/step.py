"""A whole training step beside the bare model's: forward, backward and optimizer on views that lie ready.

What is between the two is all that sslterm adds: drawing and making views, the schedule, the meters. Beside it stands
what the machine could do at best: the share of the matrix products' peak that the model reaches (MFU).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from sslterm import presets
from sslterm.bench.report import Report
from sslterm.bench.timing import Figure, in_turns, seconds
from sslterm.data.open import open_dataset
from sslterm.data.splits import split
from sslterm.engine import compiling, looking
from sslterm.engine.device import Precision, most_memory, pick_device, pick_precision, prepare, settle
from sslterm.engine.stage import StageInTraining, Subject, largest_view
from sslterm.engine.step import learn, one_step, steps_left
from sslterm.engine.weights import normalisation

WHOLE, BARE = "whole step", "bare model"
UNASKED, COMPILED = "bare model, fp32, contiguous", "bare model, compiled"
ALSO = {"fp32": UNASKED, "compiled": COMPILED}
"""What else the bare model may be held against, by what is said to ask for it."""


def measure(
    preset: presets.Preset,
    device: str,
    data_dir: Path,
    rounds: int = 9,
    stage_index: int = 0,
    steps: int = 2,
    also: Sequence[str] = (),
) -> Report:
    """One stage of a preset, `steps` steps a turn; `also` are keys of `ALSO`. Raises UserError with a sentence, as
    training does."""
    stage = prepared(preset, pick_device(device), data_dir, stage_index)
    on, batch_size = stage.subject.device, stage.stage.batch_size
    whole, bare = Whole(stage), Bare(stage)
    trial = None
    steppers: dict[str, Callable[[], object]] = {BARE: bare.step, WHOLE: whole.step}
    if "fp32" in also:
        steppers[UNASKED] = Bare(unasked(preset, on, data_dir, stage_index)).step
    if "compiled" in also:
        other = prepared(preset, on, data_dir, stage_index)
        trial = compiling.tried(other, lambda title, total: lambda more: None)
        other.compiled = True
        steppers[COMPILED] = Bare(other).step

    def run(step: Callable[[], object]) -> None:
        for _ in range(steps):
            step()
        settle(on)

    taken = in_turns({name: partial(run, step) for name, step in steppers.items()}, rounds)
    report = Report(
        f"step: {preset.encoder.name}, {stage.stage.method['name']}, batch {batch_size},"
        f" {stage.precision.name} on {on}, {torch.get_num_threads()} threads, {rounds} rounds"
    )
    images = batch_size * steps
    rates = {name: tuple(images / t for t in times) for name, times in taken.items()}
    if UNASKED in rates:
        report.add(Figure(UNASKED, rates[UNASKED], "images/s"))
    share = _of_the_peak(bare, taken[BARE], steps)
    report.add(Figure(BARE, rates[BARE], "images/s", share), beside=UNASKED if UNASKED in rates else None)
    if COMPILED in rates:
        took = f"compiled in {trial.compiling:.0f} s" if trial else ""
        report.add(Figure(COMPILED, rates[COMPILED], "images/s", took), beside=BARE)
    report.add(Figure(WHOLE, rates[WHOLE], "images/s"), beside=BARE)
    report.add(Figure("memory of the process", (most_memory(on),), "MiB"))
    report.notes.append(_stops(whole, on))
    return report


def prepared(
    preset: presets.Preset, device: torch.device, data_dir: Path, index: int = 0, precision: Precision | None = None
) -> StageInTraining:
    """A stage ready to train as a run would train it, without a run. Raises UserError with a sentence."""
    prepare(device)
    dataset = open_dataset(preset.data, largest_view(preset), data_dir)
    parts = split(preset.data, dataset.labels, dataset.first_test, preset.seed)
    subject = Subject(dataset, parts, normalisation(preset, dataset, None), device)
    chosen = precision or pick_precision(preset.stage[index].precision, device)
    stage = StageInTraining(preset, index, subject, chosen)
    looking.before_epoch(stage)
    return stage


def unasked(preset: presets.Preset, device: torch.device, data_dir: Path, index: int) -> StageInTraining:
    """A stage as torch computes it where nobody says anything: fp32, and the channels of a pixel far apart."""
    stage = prepared(preset, device, data_dir, index, Precision("fp32", "nobody said anything"))
    stage.method.to(memory_format=torch.contiguous_format)
    return stage


class Whole:
    """Steps as training takes them."""

    def __init__(self, stage: StageInTraining) -> None:
        self.stage = stage
        stage.method.train()
        self._batches = self._endless()

    def _endless(self) -> Any:
        while True:
            yield from steps_left(self.stage)
            self.stage.epoch, self.stage.step = 0, 0  # the same epoch again: nobody looks at what is learned

    def step(self) -> None:
        """One."""
        views, places = next(self._batches)
        one_step(self.stage, views, places)
        if self.stage.meter.waiting >= self.stage.preset.monitor.log_every:
            self.stage.meter.send()
            self.stage.meter.arrived(wait=False)


class Bare:
    """What no trainer can do without, on a batch that lies ready."""

    def __init__(self, stage: StageInTraining) -> None:
        self.stage = stage
        self.batch = compiling.first_batch(stage)

    def step(self) -> Tensor:
        """One."""
        return learn(self.stage, self.batch)["loss"]

    def operations(self) -> int:
        """Floating-point operations of a step; a multiplication with its addition counts as two."""
        with FlopCounterMode(display=False) as counter:
            self.step()
        return counter.get_total_flops()


def peak(device: torch.device, precision: str, side: int = 2048) -> float:
    """Operations per second of the largest products: the best of a few."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.rand(side, side, device=device, dtype=kind) for _ in range(2))

    def multiply() -> None:
        torch.mm(left, right)
        settle(device)

    multiply()
    return 2 * side**3 / min(seconds(multiply) for _ in range(7))


def _of_the_peak(bare: Bare, times: list[float], steps: int) -> str:
    device, precision = bare.stage.subject.device, bare.stage.precision.name
    rate = bare.operations() * steps / min(times)
    best = peak(device, precision)
    return f"{rate / 1e9:,.0f} GFLOP/s, {rate / best:.0%} of what {precision} products reach here ({best / 1e9:,.0f})"


def _stops(whole: Whole, device: torch.device) -> str:
    """How often a step makes the device wait for the host, by torch's own count."""
    if device.type != "cuda":
        return "synchronisations per step: nothing runs beside the host here, so there is nothing to wait for"
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in itertools.repeat(None, 5):
                whole.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    count = sum("synchroniz" in str(warning.message) for warning in caught)
    return f"synchronisations per step: {count / 5:g}"
