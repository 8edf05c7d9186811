"""A whole training step beside the bare model's: forward, backward and optimizer on views that lie ready.

What is between the two is all that sslterm adds: drawing and making views, the schedule, the meters. Beside it stands
what the machine could do at best: the share of the matrix products' peak that the model reaches (MFU).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
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
from sslterm.engine import looking
from sslterm.engine.device import Precision, most_memory, pick_device, pick_precision, prepare
from sslterm.engine.stage import StageInTraining, Subject, largest_view
from sslterm.engine.step import batch_of, batches_of, epoch_order, learn, one_step, steps_left, views_of
from sslterm.engine.weights import normalisation

WHOLE, BARE = "whole step", "bare model"


def measure(
    preset: presets.Preset, device: str, data_dir: Path, rounds: int = 9, stage_index: int = 0, steps: int = 2
) -> Report:
    """One stage of a preset, `steps` steps a turn. Raises UserError with a sentence, as training does."""
    stage = prepared(preset, pick_device(device), data_dir, stage_index)
    on, batch_size = stage.subject.device, stage.stage.batch_size
    whole, bare = Whole(stage), Bare(stage)

    def run(step: Callable[[], object]) -> None:
        for _ in range(steps):
            step()
        settle(on)

    taken = in_turns({BARE: lambda: run(bare.step), WHOLE: lambda: run(whole.step)}, rounds)
    report = Report(
        f"step: {preset.encoder.name}, {stage.stage.method['name']}, batch {batch_size},"
        f" {stage.precision.name} on {on}, {torch.get_num_threads()} threads, {rounds} rounds"
    )
    images = batch_size * steps
    report.add(Figure(BARE, tuple(images / t for t in taken[BARE]), "images/s", _of_the_peak(bare, taken[BARE], steps)))
    report.add(Figure(WHOLE, tuple(images / t for t in taken[WHOLE]), "images/s"), beside=BARE)
    report.add(Figure("memory of the process", (most_memory(on),), "MiB"))
    report.notes.append(_stops(whole, on))
    return report


def prepared(preset: presets.Preset, device: torch.device, data_dir: Path, index: int = 0) -> StageInTraining:
    """A stage ready to train as a run would train it, without a run. Raises UserError with a sentence."""
    prepare(device)
    dataset = open_dataset(preset.data, largest_view(preset), data_dir)
    parts = split(preset.data, dataset.labels, dataset.first_test, preset.seed)
    subject = Subject(dataset, parts, normalisation(preset, dataset, None), device)
    precision: Precision = pick_precision(preset.stage[index].precision, device)
    stage = StageInTraining(preset, index, subject, precision)
    looking.before_epoch(stage)
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
        order = epoch_order(stage)[:1]
        (views,) = views_of(stage, [next(batches_of(stage, order))], 0)
        self.batch = batch_of(stage, views, order[0])

    def step(self) -> Tensor:
        """One."""
        return learn(self.stage, self.batch)["loss"]

    def operations(self) -> int:
        """Floating-point operations of a step; a multiplication with its addition counts as two."""
        with FlopCounterMode(display=False) as counter:
            self.step()
        return counter.get_total_flops()


def settle(device: torch.device) -> None:
    """Wait until all that was asked for is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


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
