"""Everything that can be said of a preset before it runs: what is wrong, and what is right but seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from sslterm import methods
from sslterm.data.catalog import KNOWN
from sslterm.engine.optim import build_optimizer
from sslterm.methods import Method
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.presets import Preset, PresetError, Problem, Stage, nearest

SMALLEST_BATCH_FOR_BATCH_NORM = 16


def check(preset: Preset, source: str) -> list[Problem]:
    """The warnings of a preset. Raises PresetError where it cannot run, with every problem at once."""
    found = list(problems(preset))
    if any(not problem.warning for problem in found):
        raise PresetError(source, found)
    return found


def problems(preset: Preset) -> Iterator[Problem]:
    """Every problem and warning, in the order of the preset."""
    yield from _data(preset)
    yield from _encoder(preset)
    for index in range(len(preset.stage)):
        yield from _stage(preset, index)


def _data(preset: Preset) -> Iterator[Problem]:
    data = preset.data
    if data.name not in KNOWN:
        yield Problem("data.name", f"{data.name!r} is no data set{nearest(data.name, KNOWN)}")
        return
    if data.name == "image_folder" and not data.folder:
        yield Problem("data.folder", 'is missing; say where the images are, as in folder = "photos"')
    if data.folder and data.name != "image_folder":
        yield Problem("data.folder", f'only data.name = "image_folder" reads a folder; {data.name} knows its own')
    if data.images and data.name != "shapes":
        yield Problem("data.images", "only shapes is drawn to measure; use data.train to take fewer images")
    for key in ("train", "valid", "test", "labeled"):
        if getattr(data, key) == 1 and isinstance(getattr(data, key), int):
            yield Problem(f"data.{key}", "1 is one image; write 1.0 for all of them", warning=True)
    if isinstance(data.valid, float) and data.valid >= 1.0:
        yield Problem("data.valid", "takes every image and leaves none to train on; give it a smaller share")


def _encoder(preset: Preset) -> Iterator[Problem]:
    encoder, normalise = preset.encoder, preset.data.normalise
    if encoder.weights == "imagenet":
        if encoder.name.startswith(("tinyvgg", "conv4")):
            yield Problem("encoder.weights", f"there are no imagenet weights for {encoder.name}; use a resnet")
        elif encoder.stem == "cifar" and encoder.name.startswith("resnet"):
            yield Problem("encoder.stem", 'imagenet weights are made for stem = "imagenet"')
        if normalise == "data":
            yield Problem(
                "data.normalise",
                'the statistics are of another data set than the weights\' own; "weights" gives them what they know',
                warning=True,
            )
    if normalise == "weights" and encoder.weights is None:
        yield Problem("data.normalise", "there are no weights whose statistics could be used; name encoder.weights")


def _stage(preset: Preset, index: int) -> Iterator[Problem]:
    stage = preset.stage[index]
    at = _where(preset, stage)
    settings, wrong = methods.settings(stage.method, f"{at}method")
    yield from wrong
    yield from _parts(preset, stage, at)
    yield from _views(stage, at)
    yield from _schedule(preset, stage, at)
    yield from _start(preset, index, at)
    if not wrong and not any(not p.warning for p in _encoder(preset)):
        yield from _method(preset, stage, settings, at)


def _where(preset: Preset, stage: Stage) -> str:
    """The dotted place of a stage's keys: a preset of one stage writes them at the top."""
    return f"stage.{stage.name}." if len(preset.stage) > 1 else ""


def _parts(preset: Preset, stage: Stage, at: str) -> Iterator[Problem]:
    if stage.part != "train" and preset.data.labeled == 0:
        yield Problem(f"{at}part", f"{stage.part!r} needs data.labeled, which is 0")
    if stage.part == "labeled" and preset.data.labeled == 1.0 and isinstance(preset.data.labeled, float):
        yield Problem("data.labeled", 'every image is labeled, so that part = "labeled" is all of train', warning=True)


def _views(stage: Stage, at: str) -> Iterator[Problem]:
    views = stage.views
    for key in ("area", "ratio", "scale", "blur_sigma"):
        low, high = getattr(views, key)
        if low > high or low <= 0:
            yield Problem(f"{at}views.{key}", f"[{low:g}, {high:g}] must rise and begin above 0")
    if views.area[1] > 1:
        yield Problem(f"{at}views.area", "is a share of the image, at most 1.0")
    if views.crop == "scaled" and views.size and views.scale[0] < views.size:
        yield Problem(f"{at}views.scale", f"{views.scale[0]:g} is less than the crop of {views.size} pixels")
    colours = ("brightness", "contrast", "saturation", "hue")
    if views.jitter and not any(getattr(views, colour) for colour in colours):
        yield Problem(f"{at}views.jitter", f"changes nothing while {', '.join(colours)} are 0", warning=True)
    if not views.jitter and any(getattr(views, colour) for colour in colours):
        yield Problem(f"{at}views.jitter", "is 0, so that brightness, contrast, saturation and hue never change", True)


def _schedule(preset: Preset, stage: Stage, at: str) -> Iterator[Problem]:
    schedule, stopping = stage.schedule, stage.early_stopping
    if schedule.warmup >= stage.epochs and schedule.warmup:
        yield Problem(f"{at}schedule.warmup", f"{schedule.warmup:g} epochs of warm-up are all of {stage.epochs}", True)
    if schedule.name == "step" and schedule.every >= stage.epochs:
        yield Problem(f"{at}schedule.every", f"the rate never falls: {schedule.every} of {stage.epochs} epochs", True)
    if schedule.name == "plateau" and schedule.per == "step":
        yield Problem(f"{at}schedule.per", "plateau looks at a validation metric, so it steps once an epoch", True)
    if schedule.name == "cosine" and schedule.per == "epoch" and stage.epochs < 5:
        yield Problem(
            f"{at}schedule.per", f'a cosine over {stage.epochs} epochs has few stairs; "step" is smooth', warning=True
        )
    watched = [("schedule.metric", schedule.metric)] if schedule.name == "plateau" else []
    watched += [("early_stopping.metric", stopping.metric)] if stopping.patience else []
    for key, metric in watched:
        yield from _metric(preset, stage, f"{at}{key}", metric)


def _metric(preset: Preset, stage: Stage, key: str, metric: str) -> Iterator[Problem]:
    kind = _kind(stage)
    there = ["train/loss"]
    if kind and kind.classifies() and preset.data.valid:
        there += ["valid/top1", "valid/loss"]
    if preset.monitor.every:
        there += ["knn/top1"]
    if metric not in there and not metric.startswith(("train/", "health/")):
        hint = "; data.valid is 0" if metric.startswith("valid/") and not preset.data.valid else ""
        yield Problem(key, f"{metric!r} is not measured in this stage{hint}{nearest(metric, there)}")


def _kind(stage: Stage) -> type[Method] | None:
    try:
        return methods.find(str(stage.method.get("name")))
    except ValueError:
        return None


def _start(preset: Preset, index: int, at: str) -> Iterator[Problem]:
    if index == 0 and preset.stage[index].start == "best":
        yield Problem(f"{at}start", "there is no stage before this one", warning=True)


def _method(preset: Preset, stage: Stage, settings: object, at: str) -> Iterator[Problem]:
    """Builds the method once, without images, to ask it what its code asks."""
    kind = methods.find(stage.method["name"])
    known = KNOWN.get(preset.data.name)
    if kind.uses_labels and known and known.name != "image_folder" and not known.classes:
        yield Problem(f"{at}method.name", f"{stage.method['name']} needs labels, and {known.name} has none")
    for text in kind.objections(settings, stage.batch_size):
        yield Problem(f"{at}method", text)
    for text in kind.doubts(settings, stage.batch_size):
        yield Problem(f"{at}method", text, warning=True)
    weights_apart = preset.encoder.model_copy(update={"weights": None})
    try:
        with torch.device("meta"):
            encoder = build_encoder(weights_apart, input_channels(preset.encoder, known.channels if known else 3))
        method = kind(encoder, settings, max(known.classes if known else 2, 2))
        build_optimizer(method, stage.optimizer)
    except ValueError as error:
        key, colon, text = str(error).partition(": ")
        named = colon and " " not in key
        yield Problem(f"{at}{key}" if named else f"{at}method", text if named else str(error))
        return
    yield from _batch_norm(method, stage, at)


def _batch_norm(method: Method, stage: Stage, at: str) -> Iterator[Problem]:
    moving = [part for part in method.trained().values() for part in part.modules()]
    splits = max((getattr(module, "splits", 1) for module in moving), default=1)
    seen = stage.batch_size // splits
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in moving) and seen < SMALLEST_BATCH_FOR_BATCH_NORM:
        yield Problem(
            f"{at}batch_size", f"batch norm sees {seen} images at a time, too few for steady statistics", warning=True
        )
