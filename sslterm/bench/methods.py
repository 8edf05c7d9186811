"""Every method on the same images with the same small encoder and the same budget, and what each learned.

Each is a real run that stays in the runs directory (`bench-NAME`): the stages before the last of `NAME-small.toml`
(where there is none: of `NAME.toml`, with another encoder), on images seen as `NAME.toml` has them, then all of the
network on a tenth of the labels. What was finished before is not trained again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sslterm import methods, presets
from sslterm.bench.report import machine
from sslterm.engine.device import pick_device
from sslterm.engine.evaluate import Examiner, Question
from sslterm.errors import UserError
from sslterm.presets import Preset
from sslterm.runs import Run, RunNotFound, checkpoints, find, metrics
from sslterm.tables import table

ENCODER = "conv4"
"""Of methods whose preset has one for large machines."""
FINE_TUNE = "fine-tune"
LABELED = 0.1
UNTRAINED = "untrained"


@dataclass(frozen=True)
class Budget:
    """What every method gets."""

    data: str = "cifar10"
    images: int = 10_000
    """Training images."""
    epochs: int = 10
    """Of the pretext stage."""
    fine_tune_epochs: int = 20


@dataclass(frozen=True)
class Row:
    """One method: what it learned, top-1 on test images, and what that took."""

    method: str
    encoder: str
    knn: float
    linear: float
    fine_tune: float
    """Of all weights, with a tenth of the labels."""
    seconds: float
    """Of the stages before the fine-tuning, looks between epochs left out."""
    images_per_second: float
    memory: float
    """MiB at most, of the GPU where there is one, else of the process."""


def names() -> list[str]:
    """The methods that learn without labels, and are no other one's first stage."""
    kinds = {name: methods.find(name) for name in methods.names()}
    first = {kind.needs for kind in kinds.values()}
    return [name for name, kind in kinds.items() if not kind.uses_labels and name not in first]


def small(name: str) -> Path:
    """The shipped preset that shows a method on a small machine, or its only one. Raises FileNotFoundError."""
    try:
        return presets.find({"simclr": "quickstart"}.get(name, f"{name}-small"))
    except FileNotFoundError:
        return presets.find(name)


def measure(wanted: Sequence[str], budget: Budget, bench: Bench) -> Iterator[Row]:
    """One row after another, the untrained encoder of each kind first. Raises UserError with a sentence."""
    seen: set[str] = set()
    for name in wanted:
        written = experiment(name, budget)
        encoder = json.dumps(written["encoder"])
        if encoder not in seen:
            yield bench.row(UNTRAINED, without_pretext(written), f"bench-{UNTRAINED}-{len(seen) + 1}")
            seen.add(encoder)
        yield bench.row(name, written, f"bench-{name}")


def experiment(name: str, budget: Budget) -> dict[str, Any]:
    """The preset of a method, as TOML would say it."""
    source = small(name)
    said = presets.load(source).model_dump(mode="json", exclude_defaults=True)
    full = presets.load(presets.find(name)).stage[0].views.model_dump(mode="json", exclude_defaults=True)
    pretext = [_within(stage, full, budget) for stage in said["stage"][:-1]]
    return {
        "title": f"bench: {name}",
        "seed": 0,
        "data": {"name": budget.data, "train": budget.images, "valid": 1000, "labeled": LABELED},
        "encoder": {"name": ENCODER} if source.stem == name else said["encoder"],
        "monitor": {"every": 0, "pictures": 0},
        "stage": [*pretext, _fine_tuning(budget)],
    }


def _within(stage: dict[str, Any], views: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """A pretext stage with the budget; what comes before the last one (a tokenizer) has it too."""
    return {**stage, "views": views, "epochs": budget.epochs, "part": "train"}


def _fine_tuning(budget: Budget) -> dict[str, Any]:
    return {
        "name": FINE_TUNE,
        "method": {"name": "supervised"},
        "part": "labeled",
        "epochs": budget.fine_tune_epochs,
        "batch_size": 64,
        "views": {"crop": "padded", "flip": 0.5},
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 1e-2},
        "schedule": {"name": "cosine", "per": "step", "warmup": 1.0},
    }


def without_pretext(written: dict[str, Any]) -> dict[str, Any]:
    """The same without what the method learns: a linear probe, which leaves the encoder as it was drawn."""
    probe = {"name": UNTRAINED, "method": {"name": "supervised", "train": "head"}, "epochs": 1}
    return {**written, "title": f"bench: {UNTRAINED}", "stage": [probe, written["stage"][-1]]}


# ---------------------------------------------------------------- one run


@dataclass(frozen=True)
class Bench:
    """Where runs are kept and on what they are trained."""

    runs_dir: Path
    data_dir: Path
    device: str
    say: Callable[[str], None]

    def row(self, method: str, written: dict[str, Any], name: str) -> Row:
        """Train what is left of a run, ask its last pretext checkpoint, and say what it took."""
        run = self._trained(written, name)
        preset = run.preset()
        last = [one.file for one in checkpoints.listed(run) if one.stage != FINE_TUNE][-1]
        images, seconds = _spent(run, preset)
        most = max(row["memory_mib"] for row in metrics.read(run.metrics) if "memory_mib" in row)
        knn, linear = self._top1(run, last, "knn", "linear")
        (head,) = self._top1(run, "last", "head")
        if method == UNTRAINED:
            images = seconds = 0.0
        encoder = preset.encoder
        called = f"{encoder.name} → {encoder.features}" if encoder.features else encoder.name
        return Row(method, called, knn, linear, head, seconds, images / seconds if seconds else 0.0, most)

    def _trained(self, written: dict[str, Any], name: str) -> Run:
        preset = presets.resolve(written)
        try:
            run = find(name, self.runs_dir)
        except RunNotFound:
            return self._started(preset, name)
        if run.preset() != preset:
            raise UserError(f"{run.path}: was made with another budget; move it away, or take another --runs-dir")
        if run.status().get("state") != "finished":
            self._command("resume", str(run.path))
        return run

    def _started(self, preset: Preset, name: str) -> Run:
        self.runs_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.toml"
            path.write_text(presets.dump(preset))
            self._command("run", str(path), "--name", name)
        return find(name, self.runs_dir)

    def _command(self, *arguments: str) -> None:
        """An sslterm command, which says on this terminal how far it is. Raises UserError where it fails."""
        self.say(f"sslterm {' '.join(arguments)}")
        where = ["--runs-dir", str(self.runs_dir), "--data-dir", str(self.data_dir), "--device", self.device]
        done = subprocess.run([sys.executable, "-m", "sslterm", *arguments, *where], stdout=subprocess.DEVNULL)
        if done.returncode:
            raise UserError(f"`sslterm {' '.join(arguments)}` ended with {done.returncode}; what it said stands above")

    def _top1(self, run: Run, wanted: str, *protocols: str) -> list[float]:
        """What a checkpoint reaches on test images by each of these; its features are made once for all of them."""
        examiner = Examiner(run, pick_device(self.device), self.data_dir, lambda title, total: lambda more: None)
        (checkpoint,) = checkpoints.chosen(run, wanted)
        examined = examiner.open(checkpoint, self.say)
        return [float(examined.answer(Question(protocol=one))["metrics"]["top1"]) for one in protocols]


def _spent(run: Run, preset: Preset) -> tuple[float, float]:
    """Images seen and seconds taken by the steps of the stages before the last."""
    batch = {stage.name: stage.batch_size for stage in preset.stage}
    images = seconds = before = 0.0
    for row in metrics.read(run.metrics):
        if "images_per_second" in row and row["stage"] != FINE_TUNE:
            seen = (row["step"] - before) * batch[row["stage"]]
            images, seconds, before = images + seen, seconds + seen / row["images_per_second"], row["step"]
    return images, seconds


# ---------------------------------------------------------------- in words


def text(rows: Sequence[Row], budget: Budget) -> str:
    """A table for people."""
    heads = ["method", "encoder", "kNN", "linear", "fine-tune", "seconds", "images/s", "memory"]
    lines = [
        [
            row.method, row.encoder, f"{row.knn:.3f}", f"{row.linear:.3f}", f"{row.fine_tune:.3f}",
            f"{row.seconds:,.0f}" if row.seconds else "", f"{row.images_per_second:,.0f}" if row.seconds else "",
            f"{row.memory:,.0f} MiB",
        ]
        for row in rows
    ]  # fmt: skip
    return f"{_title(budget)} · {machine()}\n{table(heads, lines)}"


def as_json(rows: Sequence[Row], budget: Budget) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "title": _title(budget),
        "machine": machine(),
        "budget": asdict(budget),
        "rows": [asdict(row) for row in rows],
    }


def _title(budget: Budget) -> str:
    return (
        f"methods on {budget.images:,} images of {budget.data}, {budget.epochs} epochs; fine-tune:"
        f" {budget.fine_tune_epochs} epochs on {LABELED:.0%} of the labels"
    )
