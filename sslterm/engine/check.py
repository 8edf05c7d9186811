"""Everything that can be said of a preset before it runs: what is wrong, and what is right but seldom meant.

Judges of a stage name keys as the stage itself would (`views.area`). Where a value could not be understood a default
stands in for it: `sound` tells, and what would rest on a stand-in is left unsaid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from torch import nn

from sslterm import methods, presets
from sslterm.data.catalog import KNOWN, Known
from sslterm.data.views.draw import problems as problems_of_views
from sslterm.engine.optim import groups
from sslterm.methods import Facts, Method
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.models.numberless import without_numbers
from sslterm.presets import A_BILLION, Encoder, Preset, PresetError, Problem, Stage, nearest

SMALLEST_BATCH_FOR_BATCH_NORM = 16

Sound = Callable[..., bool]
"""Whether the values of all these keys are those that were written."""


def check_file(path: Path, assignments: Iterable[str] = ()) -> tuple[Preset, list[Problem]]:
    """A preset file that can run, with `--set` applied, and its warnings. Raises PresetError with every problem at
    once, OSError."""
    preset, wrong = presets.salvage(presets.read_file(path), assignments)
    return preset, _passed([*wrong, *problems(preset, [problem.key for problem in wrong])], str(path))


def check(preset: Preset, source: str) -> list[Problem]:
    """The warnings of a preset. Raises PresetError where it cannot run, with every problem at once."""
    return _passed(problems(preset), source)


def _passed(found: list[Problem], source: str) -> list[Problem]:
    if any(not problem.warning for problem in found):
        raise PresetError(source, found)
    return found


def problems(preset: Preset, wrong: Iterable[str] = ()) -> list[Problem]:
    """Every problem and warning, in the order of the preset; `wrong` are the keys that defaults stand in for."""
    wrong = list(wrong)
    sound = _soundness(wrong)
    found = [problem for problem in (*_data(preset, sound), *_encoder(preset, sound)) if sound(problem.key)]
    learners = []
    for index, stage in enumerate(preset.stage if "stage" not in wrong else ()):
        here = _soundness([key.removeprefix(f"stage.{stage.name}.") for key in wrong])
        learner, said = _learner(preset, stage, here)
        learners.append(learner)
        said += _stage(preset, index, learner, here)
        found += [_placed(preset, stage, problem) for problem in said if here(problem.key)]
    found += [problem for problem in _checkpoints(preset, learners, sound) if sound(problem.key)]
    return list(dict.fromkeys(found))


def _soundness(wrong: list[str]) -> Sound:
    return lambda *keys: not any(f"{key}.".startswith(f"{other}.") for key in keys for other in wrong)


def _placed(preset: Preset, stage: Stage, problem: Problem) -> Problem:
    """Named by stage, unless there is but one, or the key belongs to all."""
    if len(preset.stage) == 1 or problem.key.split(".")[0] not in presets.SHARED_BY_STAGES:
        return problem
    return replace(problem, key=f"stage.{stage.name}.{problem.key}")


def _known(preset: Preset) -> Known:
    """What is known of the data before they are opened; of a data set nobody knows, as little as of a folder."""
    return KNOWN.get(preset.data.name, KNOWN["image_folder"])


# ---------------------------------------------------------------- data and encoder


def _data(preset: Preset, sound: Sound) -> Iterator[Problem]:
    data = preset.data
    if data.name not in KNOWN:
        yield Problem("data.name", f"{data.name!r} is no data set{nearest(data.name, KNOWN)}")
    elif sound("data.name"):
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


def _encoder(preset: Preset, sound: Sound) -> Iterator[Problem]:
    encoder, normalise = preset.encoder, preset.data.normalise
    if sound("encoder.name"):
        yield from _network(encoder)
    if encoder.weights and normalise == "data":
        may_be = "are" if encoder.weights == "imagenet" else "may be"
        yield Problem(
            "data.normalise",
            f'the statistics {may_be} of another data set than the weights\' own; "weights" gives them what they know',
            warning=True,
        )
    if normalise == "weights" and encoder.weights is None and sound("encoder.weights"):
        yield Problem("data.normalise", "there are no weights whose statistics could be used; name encoder.weights")


def _network(encoder: Encoder) -> Iterator[Problem]:
    is_resnet, is_vit = (encoder.name.startswith(kind) for kind in ("resnet", "vit"))
    if encoder.weights == "imagenet" and encoder.name.startswith(("tinyvgg", "conv4", "vit")):
        yield Problem("encoder.weights", f"there are no imagenet weights for {encoder.name}; use a resnet")
    if encoder.weights == "imagenet" and is_resnet and encoder.stem == "cifar":
        yield Problem("encoder.stem", 'imagenet weights are made for stem = "imagenet"')
    if encoder.stem != Encoder().stem and not is_resnet:
        if not is_vit:
            yield Problem("encoder.stem", f"changes nothing: {encoder.name} has a stem of its own", warning=True)
        elif encoder.patch:
            yield Problem("encoder.stem", "changes nothing: encoder.patch says how large patches are", warning=True)
    if encoder.dropout is not None and not encoder.name.startswith("tinyvgg"):
        yield Problem("encoder.dropout", f"changes nothing: {encoder.name} has no such layers", warning=True)
    for key, what in {"patch": "patches", "pool": "class token", "drop_path": "paths to drop"}.items():
        if getattr(encoder, key) != getattr(Encoder(), key) and not is_vit:
            yield Problem(f"encoder.{key}", f"changes nothing: {encoder.name} has no {what}", warning=True)


# ---------------------------------------------------------------- a stage


def _stage(preset: Preset, index: int, learner: Method | None, sound: Sound) -> Iterator[Problem]:
    stage = preset.stage[index]
    yield from _part(preset, stage)
    yield from _views(preset, stage, sound)
    yield from _schedule(stage, sound)
    yield from _before(preset, index)
    if learner:
        yield from _watched(preset, stage, learner, sound)
    if index == 0 and stage.start == "best":
        yield Problem("start", "there is no stage before this one", warning=True)


def _part(preset: Preset, stage: Stage) -> Iterator[Problem]:
    if stage.part != "train" and preset.data.labeled == 0:
        yield Problem("part", f"{stage.part!r} needs data.labeled, which is 0")
    if stage.part == "labeled" and preset.data.labeled == 1.0 and isinstance(preset.data.labeled, float):
        yield Problem("data.labeled", 'every image is labeled, so that part = "labeled" is all of train', warning=True)


def _before(preset: Preset, index: int) -> Iterator[Problem]:
    """Whether the stage before left what a method goes on with, of the same sizes."""
    said = preset.stage[index].method
    name = said.get("name")
    needed = methods.find(name).needs if name in methods.names() else None
    if not needed:
        return
    before = preset.stage[index - 1] if index else None
    if before is None or before.method.get("name") != needed:
        yield Problem(
            "method.name",
            f"{name} goes on with what {needed} learned; put a stage with method = {{ name = {needed!r} }} right"
            " before this one".replace("'", '"'),
        )
        return
    own, theirs = (methods.settings(written)[0] for written in (said, before.method))
    for key in type(own).model_fields if own and theirs else ():
        here, there = getattr(own, key), getattr(theirs, key, None)
        if key in type(theirs).model_fields and here != there:
            yield Problem(
                f"method.{key}",
                f"{here} is not the {there} of stage {before.name}, from which this one takes the {needed} over",
            )


def _views(preset: Preset, stage: Stage, sound: Sound) -> Iterator[Problem]:
    side = (preset.data.size or _known(preset).size) if sound("data.name", "data.size") else None
    size = (stage.views.size or side) if sound("views.size") else None
    first, second = (stage.views.recipe(which) for which in range(2))
    wrong = problems_of_views(first, size, side)
    yield from map(_read, wrong)
    for text in problems_of_views(second, size, side):
        if text not in wrong:
            yield _read(text.replace("views.", "views.second.", 1))
    yield from _jitter(first, second)
    yield from _local(stage, size, side)
    if size and sound("encoder", "views.local"):
        misfits = map(preset.encoder.misfit, stage.views.sides(size))
        yield from (Problem("encoder.patch", text) for text in misfits if text)


def _local(stage: Stage, size: int | None, side: int | None) -> Iterator[Problem]:
    """What is wrong with local views, where a preset asks for some."""
    local, name = stage.views.local, stage.method.get("name")
    if not local.count:
        return
    if name in methods.names() and not methods.find(name).takes_local_views:
        some = ", ".join(known for known in methods.names() if methods.find(known).takes_local_views)
        yield Problem("views.local.count", f"{name} has no use for local views, but {some}; say 0 for this stage")
    if size and local.size and local.size > size:
        yield Problem(
            "views.local.size", f"{local.size} is more than the {size} pixels of the other views", warning=True
        )
    for text in problems_of_views(
        stage.views.local_recipe(), stage.views.local_size(size) if size else local.size, side
    ):
        yield _read(text.replace("views.", "views.local.", 1))


def _jitter(first: presets.Views, second: presets.Views) -> Iterator[Problem]:
    colours = ("brightness", "contrast", "saturation", "hue")
    strong = [recipe for recipe in (first, second) if any(getattr(recipe, colour) for colour in colours)]
    if any(recipe.jitter for recipe in (first, second) if recipe not in strong):
        yield Problem("views.jitter", f"changes nothing while {', '.join(colours)} are 0", warning=True)
    if strong and not any(recipe.jitter for recipe in strong):
        yield Problem("views.jitter", "is 0, so that brightness, contrast, saturation and hue never change", True)


def _schedule(stage: Stage, sound: Sound) -> Iterator[Problem]:
    schedule = stage.schedule
    if schedule.name == "plateau" and schedule.per == "step":
        yield Problem("schedule.per", "plateau looks at a validation metric, so it steps once an epoch", True)
    if not sound("epochs"):
        return
    if schedule.warmup >= stage.epochs and schedule.warmup:
        yield Problem("schedule.warmup", f"{schedule.warmup:g} epochs of warm-up are all of {stage.epochs}", True)
    if schedule.name == "step" and schedule.every >= stage.epochs:
        yield Problem("schedule.every", f"the rate never falls: {schedule.every} of {stage.epochs} epochs", True)
    if schedule.name == "cosine" and schedule.per == "epoch" and stage.epochs < 5:
        yield Problem("schedule.per", f'a cosine over {stage.epochs} epochs has few stairs; "step" is smooth', True)


# ---------------------------------------------------------------- metrics


def _watched(preset: Preset, stage: Stage, learner: Method, sound: Sound) -> Iterator[Problem]:
    watched = [("schedule.metric", stage.schedule.metric)] if stage.schedule.name == "plateau" else []
    watched += [("early_stopping.metric", stage.early_stopping.metric)] if stage.early_stopping.patience else []
    there = _measured(preset, learner)
    for key, metric in watched:
        if not _among(metric, there) and sound(*RESTS_ON):
            yield Problem(key, f"{metric!r} is not measured in this stage{_hint(preset, metric, there)}")


def _checkpoints(preset: Preset, learners: list[Method | None], sound: Sound) -> Iterator[Problem]:
    metric = preset.checkpoints.metric
    if metric is None or None in learners or not sound(*RESTS_ON):
        return
    there = [name for learner in learners if learner for name in _measured(preset, learner)]
    if learners and not _among(metric, there):
        yield Problem("checkpoints.metric", f"{metric!r} is measured in no stage{_hint(preset, metric, there)}")


RESTS_ON = ("data.valid", "monitor.every")
"""Settings that decide what is measured."""


def _measured(preset: Preset, learner: Method) -> list[str]:
    there = ["train/loss"]
    if learner.classifies() and preset.data.valid:
        there += ["valid/top1", "valid/loss"]
    if preset.monitor.every and any(weight.requires_grad for weight in learner.encoder.parameters()):
        there += ["knn/top1", *(f"health/{name}" for name in ("std", "rank", "alignment", "uniformity"))]
    return there


def _among(metric: str, there: list[str]) -> bool:
    return metric in there or metric.startswith("train/")  # a method may say more than its loss


def _hint(preset: Preset, metric: str, there: list[str]) -> str:
    without = "; data.valid is 0" if metric.startswith("valid/") and not preset.data.valid else ""
    return without + nearest(metric, set(there))


# ---------------------------------------------------------------- the method


def _learner(preset: Preset, stage: Stage, sound: Sound) -> tuple[Method | None, list[Problem]]:
    """The method of a stage, built once without numbers, and what its code has to say; None where it cannot be."""
    settings, found = methods.settings(stage.method)
    if found:
        return None, found
    kind = methods.find(stage.method["name"])
    if sound("batch_size"):
        found += [Problem("method", text) for text in kind.objections(settings, stage.batch_size)]
        found += [Problem("method", text, warning=True) for text in kind.doubts(settings, stage.batch_size)]
    if not sound("encoder.name"):
        return None, found
    weightless, known = preset.encoder.model_copy(update={"weights": None}), _known(preset)
    try:
        with without_numbers():
            encoder = build_encoder(weightless, input_channels(weightless, known.channels or 3))
            method = kind(encoder, settings, _facts(preset, stage, known, sound))
    except ValueError as error:
        return None, [*found, _read(str(error))]
    try:
        groups(method, stage.optimizer)
    except ValueError as error:
        found.append(_read(str(error)))
    if stage.optimizer.layer_decay < 1 and not any(weight.requires_grad for weight in method.encoder.parameters()):
        found.append(Problem("optimizer.layer_decay", "changes nothing: the encoder does not learn here", warning=True))
    return method, [*found, *_batch_norm(method, stage)]


def _facts(preset: Preset, stage: Stage, known: Known, sound: Sound) -> Facts:
    """What the method would be told, as far as it is known without the data."""
    size = (stage.views.size or preset.data.size or known.size) if sound("views.size", "data.size") else None
    images = _at_most(preset, preset.data.images or known.train or A_BILLION)
    channels = input_channels(preset.encoder, known.channels or 3)
    return Facts(known.classes or 2, images, channels, size or 32, (0.5,) * channels, (0.5,) * channels)


def _at_most(preset: Preset, there: int) -> int:
    """How many images any stage may have of those that are there."""
    wanted = preset.data.train
    return min(wanted, there) if isinstance(wanted, int) else int(wanted * there)


def _read(text: str) -> Problem:
    """A sentence of the code that would run, which begins with the key that it is about where it is not the method."""
    key, colon, sentence = text.partition(": ")
    return Problem(key, sentence) if colon and " " not in key else Problem("method", text)


def _batch_norm(method: Method, stage: Stage) -> Iterator[Problem]:
    moving = [part for part in method.trained().values() for part in part.modules()]
    splits = max((getattr(module, "splits", 1) for module in moving), default=1)
    seen = stage.batch_size // splits
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in moving) and seen < SMALLEST_BATCH_FOR_BATCH_NORM:
        yield Problem(
            "batch_size", f"batch norm sees {seen} images at a time, too few for steady statistics", warning=True
        )
