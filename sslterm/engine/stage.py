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
from sslterm.methods import Facts, Method
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.models.numberless import without_numbers
from sslterm.presets import Problem
from sslterm.runs import RunError


@dataclass
class Subject:
    """What a run learns from: the images, their division, and how numbers are made of them."""

    dataset: Dataset
    parts: dict[str, Tensor]
    """int64 indices into the data set: train, valid, test, labeled, unlabeled."""
    normalisation: Normalisation
    device: torch.device
    origin: dict[str, Any] | None = None
    """The checkpoint that `encoder.weights` named."""
    labels: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.labels = self.dataset.labels.to(self.device)


def facts_of(preset: presets.Preset, index: int, dataset: Dataset, images: int, normal: Normalisation) -> Facts:
    """What the method of a stage is told of so many images."""
    channels = input_channels(preset.encoder, dataset.channels)
    size = preset.stage[index].views.size or dataset.size
    return Facts(len(dataset.classes), images, channels, size, *_by_channel(normal, channels))


def build_method(preset: presets.Preset, index: int, facts: Facts, begins_with: dict[str, Any] | None = None) -> Method:
    """The method of a stage: the same weights for the same seed, its encoder from a checkpoint where one is given.

    The encoder comes first, so that a teacher is a copy of what the student begins with. Raises PresetError, RunError,
    WeightsError.
    """
    stage = preset.stage[index]
    torch.manual_seed(chance.seed_of(preset.seed, "weights", index))
    settings = preset.encoder
    if begins_with:  # then the file of the weights that the very first stage began with is needed no more
        settings = settings.model_copy(update={"weights": None})
    encoder = build_encoder(settings, facts.channels)
    if begins_with:
        adopt(encoder, begins_with, settings)
    knobs, problems = methods.settings(stage.method, f"stage.{stage.name}.method")
    if problems:
        raise presets.PresetError("preset", problems)
    try:
        return methods.find(stage.method["name"])(encoder, knobs, facts)
    except ValueError as error:
        raise presets.PresetError("preset", [Problem(f"stage.{stage.name}", str(error))]) from None


def inherit(method: Method, before: dict[str, Any]) -> None:
    """Go on with what the stage before left beside the encoder: the part that this method needs of it; or the head,
    where that was the same method with the same classes. Raises RunError where a needed part does not fit."""
    same = before["method_name"] == type(method).__module__.rsplit(".", 1)[-1]
    part = method.needs or ("head" if same else None)
    own, prefix = method.state_dict(), f"{part}."
    theirs = {key: value for key, value in before["method"].items() if key.startswith(prefix)}
    fits = all(key in own and own[key].shape == value.shape for key, value in theirs.items())
    if fits:
        method.load_state_dict(theirs, strict=False)
    if method.needs and not (theirs and fits):
        raise RunError(
            f"method.name: what stage {before['stage']} left holds no {part} that fits; put a stage with method ="
            f' {{ name = "{method.needs}" }} right before, with the same sizes'
        )


def part_of(preset: presets.Preset, index: int, dataset: Dataset, parts: dict[str, Tensor]) -> Tensor:
    """The int64 indices that a stage trains on: of its part, those it can learn from. Raises RunError."""
    stage = preset.stage[index]
    indices = parts[stage.part]
    if methods.find(stage.method["name"]).uses_labels:
        indices = indices[dataset.labels[indices] >= 0]
    if len(indices) < stage.batch_size:
        what = "labelled images" if len(indices) < len(parts[stage.part]) else "images"
        mend = "make it smaller" if len(indices) else "train on another part"
        raise RunError(
            f"stage.{stage.name}.batch_size: {stage.batch_size} is more than the {len(indices)} {what} of part"
            f" {stage.part!r}; {mend}"
        )
    return indices


def foresee(preset: presets.Preset, dataset: Dataset, parts: dict[str, Tensor], first: int) -> None:
    """See that every stage from `first` on can be trained on these data, before hours are spent on the first of them.

    Raises PresetError, RunError, ViewError.
    """
    for index in range(first, len(preset.stage)):
        stage = preset.stage[index]
        if methods.find(stage.method["name"]).uses_labels and not dataset.classes:
            raise RunError(
                f"stage.{stage.name}: {stage.method['name']} needs labels, and {dataset.name} has none; leave the stage"
                " out, or sort the images into class folders"
            )
        count, normal = len(part_of(preset, index, dataset, parts)), Normalisation((0.5,), (0.5,), "nothing")
        train_views(preset, index, dataset, normal)
        wrong = [preset.encoder.misfit(side) for side in stage.views.sides(stage.views.size or dataset.size)]
        if misfits := [Problem("encoder.patch", text) for text in wrong if text]:
            raise presets.PresetError("preset", misfits)
        weightless = preset.model_copy(update={"encoder": preset.encoder.model_copy(update={"weights": None})})
        with without_numbers():
            build_method(weightless, index, facts_of(preset, index, dataset, count, normal))


def largest_view(preset: presets.Preset) -> int | None:
    """The side at which images of all sizes are kept unless the preset says one."""
    return max((stage.views.size for stage in preset.stage if stage.views.size), default=None)


def plain_view(preset: presets.Preset, index: int, dataset: Dataset, normal: Normalisation) -> PlainView:
    """How images look outside training: the view of valid, test and every prediction."""
    views, channels = preset.stage[index].views, input_channels(preset.encoder, dataset.channels)
    return PlainView(views, *_by_channel(normal, channels), channels, views.size or dataset.size)


def train_views(preset: presets.Preset, index: int, dataset: Dataset, normal: Normalisation) -> list[TrainView]:
    """How images look in each view of a method, the local ones last. Raises ViewError."""
    stage, channels = preset.stage[index], input_channels(preset.encoder, dataset.channels)
    views, size = stage.views, stage.views.size or dataset.size

    def made(recipe: presets.Views, side: int) -> TrainView:
        return TrainView(recipe, *_by_channel(normal, channels), channels, side)

    whole = [made(views.recipe(which), size) for which in range(methods.find(stage.method["name"]).view_count)]
    if not views.local.count:
        return whole
    return whole + [made(views.local_recipe(), views.local_size(size))] * views.local.count


def _by_channel(normal: Normalisation, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Grey statistics hold for each of three channels."""
    if len(normal.mean) == channels:
        return normal.mean, normal.std
    if len(normal.mean) == 1:
        return normal.mean * channels, normal.std * channels
    return (sum(normal.mean) / 3,), (sum(normal.std) / 3,)


class StageInTraining:
    """A stage's method, optimizer, schedule and place.

    `before` is the checkpoint it begins from: one of its own, or what the stage before it left; None at the very start.
    """

    def __init__(
        self,
        preset: presets.Preset,
        index: int,
        subject: Subject,
        precision: Precision,
        before: dict[str, Any] | None = None,
    ) -> None:
        self.preset, self.index, self.subject, self.precision = preset, index, subject, precision
        self.stage = preset.stage[index]
        self.indices = part_of(preset, index, subject.dataset, subject.parts)
        self.steps = len(self.indices) // self.stage.batch_size
        self.labels = subject.labels[self.indices.to(subject.device)]
        dataset, normal = subject.dataset, subject.normalisation
        self.facts = facts_of(preset, index, dataset, len(self.indices), normal)
        self.method = build_method(preset, index, self.facts, before or subject.origin)
        if before and before["stage_index"] != index:
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
        self.compiled: bool | None = None
        """Whether its networks are; None: that is still to be settled."""
        self.best: list[tuple[float, str]] = []
        self.rate = 0.0
        self.views = train_views(preset, index, dataset, normal)
        self.plain = plain_view(preset, index, dataset, normal)
        if before and before["stage_index"] == index:
            self._load(before)

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
    def progress(self) -> float:
        """The share of the stage that is done, 0..1."""
        return min(self.place / self.stage.epochs, 1.0)

    def where(self) -> dict[str, Any]:
        """The place as a row of metrics says it."""
        return {"step": self.total_steps, "stage": self.stage.name, "epoch": round(self.place, 4)}

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
            "images": len(self.indices),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "stopping": self.stopping.state_dict(),
            "meter": self.meter.state_dict(),
            "best": [list(entry) for entry in self.best],
            "precision": self.precision.name,
            "compiled": self.compiled,
            "device": self.subject.device.type,
            "encoder": self.preset.encoder.model_dump(mode="json"),
            "classes": list(self.subject.dataset.classes),
            "normalisation": {"mean": list(normal.mean), "std": list(normal.std), "of": normal.of},
            "data": {"name": self.subject.dataset.name, "fingerprint": self.subject.dataset.fingerprint},
        }

    def _load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint of this stage."""
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.stopping.load_state_dict(state["stopping"])
        self.meter.load_state_dict(state["meter"])
        self.epoch, self.step, self.total_steps = state["epoch"], state["step"], state["total_steps"]
        self.best = [(value, file) for value, file in state["best"]]
        if state["device"] == self.subject.device.type:
            self.compiled = state.get("compiled")
        self.ended = state["ended"] and self.stage.early_stopping.patience > 0
