"""One stage in training: the method with its optimizer, and the place it has reached. All of it goes into a checkpoint
and comes back out of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sslterm import methods, presets
from sslterm.data.dataset import Dataset
from sslterm.data.views import PlainView, TrainView
from sslterm.engine import chance
from sslterm.engine.device import Precision
from sslterm.engine.meter import Meter
from sslterm.engine.optim import build_optimizer
from sslterm.engine.schedule import Schedule, Watch
from sslterm.engine.weights import Normalisation, adopt
from sslterm.methods import Method
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.presets import Problem


@dataclass
class Subject:
    """What a run learns from: the images, their division, and how numbers are made of them."""

    dataset: Dataset
    parts: dict[str, Tensor]
    """int64 indices into the data set: train, valid, test, labeled, unlabeled."""
    normalisation: Normalisation
    device: torch.device
    precision: Precision
    origin: dict[str, Any] | None = None
    """The checkpoint that `encoder.weights` named."""
    labels: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.labels = self.dataset.labels.to(self.device)


def build_method(preset: presets.Preset, index: int, dataset: Dataset, origin: dict[str, Any] | None = None) -> Method:
    """The method of a stage, freshly initialised: the same weights for the same seed.

    Raises PresetError, RunError, WeightsError.
    """
    stage = preset.stage[index]
    torch.manual_seed(chance.seed_of(preset.seed, "weights", index))
    encoder = build_encoder(preset.encoder, input_channels(preset.encoder, dataset.channels))
    if origin:
        adopt(encoder, origin, preset.encoder)
    settings, problems = methods.settings(stage.method, f"stage.{stage.name}.method")
    if problems:
        raise presets.PresetError("preset", problems)
    try:
        return methods.find(stage.method["name"])(encoder, settings, len(dataset.classes))
    except ValueError as error:
        raise presets.PresetError("preset", [Problem(f"stage.{stage.name}", str(error))]) from None


def inherit(method: Method, before: dict[str, Any]) -> None:
    """Start from what the stage before left: its encoder, and its head where both have the same one."""
    own = method.state_dict()
    kept = {
        key: value
        for key, value in before["method"].items()
        if key.startswith(("encoder.", "head.")) and key in own and own[key].shape == value.shape
    }
    if before["method_name"] != type(method).__module__.rsplit(".", 1)[-1]:
        kept = {key: value for key, value in kept.items() if not key.startswith("head.")}
    method.load_state_dict(kept, strict=False)


def plain_view(preset: presets.Preset, index: int, dataset: Dataset, normal: Normalisation) -> PlainView:
    """How images look outside training: the view of valid, test and every prediction."""
    channels = input_channels(preset.encoder, dataset.channels)
    return PlainView(preset.stage[index].views, *_by_channel(normal, channels), channels, dataset.size)


def train_view(views: presets.Views, which: int, channels: int, dataset: Dataset, normal: Normalisation) -> TrainView:
    """How images look in one of a method's views."""
    return TrainView(views.recipe(which), *_by_channel(normal, channels), channels, dataset.size)


def _by_channel(normal: Normalisation, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Grey statistics hold for each of three channels."""
    if len(normal.mean) == channels:
        return normal.mean, normal.std
    if len(normal.mean) == 1:
        return normal.mean * channels, normal.std * channels
    return (sum(normal.mean) / 3,), (sum(normal.std) / 3,)


class StageInTraining:
    """A stage's method, optimizer, schedule and place."""

    def __init__(self, preset: presets.Preset, index: int, subject: Subject, before: dict[str, Any] | None) -> None:
        self.preset, self.index, self.subject = preset, index, subject
        self.stage = preset.stage[index]
        self.indices = subject.parts[self.stage.part]
        self.steps = len(self.indices) // self.stage.batch_size
        self.method = build_method(preset, index, subject.dataset, subject.origin)
        if before:
            inherit(self.method, before)
        self.method.to(subject.device)
        if subject.device.type != "mps":
            self.method.to(memory_format=torch.channels_last)
        self.optimizer = build_optimizer(self.method, self.stage.optimizer)
        self.schedule = Schedule(self.stage.schedule, self.stage.epochs)
        self.stopping = Watch(self.stage.early_stopping.metric)
        self.meter = Meter()
        self.epoch = self.step = 0
        self.total_steps = int(before["total_steps"]) if before else 0
        self.ended = False
        self.best: list[tuple[float, str]] = []
        self.channels = input_channels(preset.encoder, subject.dataset.channels)
        dataset, normal = subject.dataset, subject.normalisation
        self.views = [
            train_view(self.stage.views, which, self.channels, dataset, normal)
            for which in range(self.method.view_count)
        ]
        self.plain = plain_view(preset, index, dataset, normal)

    @property
    def encoder(self) -> nn.Module:
        """The network that is kept."""
        return self.method.encoder

    @property
    def encoder_moves(self) -> bool:
        """Whether this stage changes the representation at all; a linear probe does not."""
        return any(weight.requires_grad for weight in self.encoder.parameters())

    @property
    def place(self) -> float:
        """Epochs done, with the fraction of the current one."""
        return self.epoch + self.step / self.steps

    @property
    def metric(self) -> str:
        """What says which checkpoint is best."""
        return self.preset.checkpoints.metric or self.method.chart

    def state(self) -> dict[str, Any]:
        """All that a checkpoint must hold for training to go on as if it had never stopped, and for evaluation to
        see images as training did."""
        normal = self.subject.normalisation
        return {
            "stage": self.stage.name,
            "stage_index": self.index,
            "epoch": self.epoch,
            "step": self.step,
            "total_steps": self.total_steps,
            "ended": self.ended,
            "method_name": self.stage.method["name"],
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "stopping": self.stopping.state_dict(),
            "meter": self.meter.state_dict(),
            "best": [list(entry) for entry in self.best],
            "precision": self.subject.precision.name,
            "device": self.subject.device.type,
            "encoder": self.preset.encoder.model_dump(mode="json"),
            "channels": self.channels,
            "classes": list(self.subject.dataset.classes),
            "normalisation": {"mean": list(normal.mean), "std": list(normal.std), "of": normal.of},
            "data": {"name": self.subject.dataset.name, "fingerprint": self.subject.dataset.fingerprint},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint of this stage."""
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.stopping.load_state_dict(state["stopping"])
        self.meter.load_state_dict(state["meter"])
        self.epoch, self.step, self.total_steps = state["epoch"], state["step"], state["total_steps"]
        self.best = [(value, file) for value, file in state["best"]]
