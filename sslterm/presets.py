"""What a preset may say: its sections, how it is loaded, and what is said of a wrong one.

A preset is an experiment of one or more stages, written in TOML. What all stages share stands at the top level;
each `[[stage]]` names its method and what differs. A preset without `[[stage]]` has one stage, made of the top level.
Nothing here imports torch: a method's own knobs are judged beside its code (`sslterm.methods`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli
import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sslterm.errors import UsageError

# ---------------------------------------------------------------- what a value may be


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


A_BILLION = 10**9  # of anything is a slip of the finger, and the product of two still counts bytes of memory
Count = Annotated[int, Field(ge=1, le=A_BILLION)]
Whole = Annotated[int, Field(ge=0, le=A_BILLION)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Pair = Annotated[tuple[float, float], BeforeValidator(_as_tuple)]
Betas = Annotated[tuple[BelowOne, BelowOne], BeforeValidator(_as_tuple)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
# A share of images: a whole number counts them, a number with a point is a fraction of them.
Amount = Whole | Fraction

EncoderName = Literal[
    "resnet18", "resnet34", "resnet50", "tinyvgg-a", "tinyvgg-b", "tinyvgg-c", "tinyvgg-d", "tinyvgg-e", "tinyvgg-bn",
    "conv4", "mobilenet_v3_small",
]  # fmt: skip
Part = Literal["train", "labeled", "unlabeled"]


class Section(BaseModel):
    """A table of a preset: strict types, finite numbers, no unknown keys, never changed after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Data(Section):
    """`[data]`: which images, and how they are divided. The same for every stage of a run."""

    name: str = "shapes"
    folder: str | None = None
    """For `image_folder`: the folder, absolute or below the data directory."""
    size: Count | None = None
    """Side in pixels at which images are kept; left out: the data set's own (for folders: that of the views)."""
    images: Count | None = None
    """For `shapes`: how many training images are drawn."""
    train: Amount = 1.0
    """How much of what `valid` and `test` leave is used for training."""
    valid: Amount = 0.1
    test: Amount = 1.0
    """How much of the data set's own test images; where it has none, taken from all images (left out: a fifth)."""
    labeled: Amount = 0.1
    """How much of the training images stages with `part = "labeled"` may see; `part = "unlabeled"` sees the rest."""
    normalise: Literal["data", "weights"] = "data"
    """Whose mean and standard deviation: the data set's, or those the pretrained weights were made with."""
    stream: Literal["auto", "always", "never"] = "auto"
    """Decode images while training instead of keeping them: for data that memory cannot hold."""
    workers: Whole = 2
    """Processes that decode, when streaming."""


class ViewChange(Section):
    """What differs in one view: every setting of `[views]` but its sizes may be said again."""

    crop: Literal["none", "resized", "padded", "scaled"] | None = None
    """`resized`: a random area and ratio; `padded`: `padding` zeros around, then a random crop; `scaled`: resize to
    `scale`, then a random crop."""
    area: Pair | None = None
    ratio: Pair | None = None
    padding: Whole | None = None
    scale: Pair | None = None
    """Pixels: [36, 36] is a fixed scale, [36, 44] draws one for each image."""
    rotate: NotNegative | None = None
    """Up to so many degrees either way."""
    translate: Fraction | None = None
    """Up to so much of the side, either way."""
    quarter_turns: bool | None = None
    """Turn by 0, 90, 180 or 270 degrees."""
    flip: Fraction | None = None
    jitter: Fraction | None = None
    """The probability that brightness, contrast, saturation and hue change."""
    brightness: NotNegative | None = None
    contrast: NotNegative | None = None
    saturation: NotNegative | None = None
    hue: Annotated[float, Field(ge=0, le=0.5)] | None = None
    gray: Fraction | None = None
    blur: Fraction | None = None
    blur_sigma: Pair | None = None
    """Standard deviation in pixels."""
    solarize: Fraction | None = None


class Views(Section):
    """`[views]`: how a training image is changed before the method sees it. Never touches valid or test images."""

    size: Count | None = None
    """Side of a view in pixels, also of the one that valid and test images are seen in; left out: the images' own."""
    crop: Literal["none", "resized", "padded", "scaled"] = "none"
    area: Pair = (0.08, 1.0)
    ratio: Pair = (3 / 4, 4 / 3)
    padding: Whole = 4
    scale: Pair = (36, 36)
    eval_scale: Count | None = None
    """Images are resized to this before the centre crop of evaluation; left out: the middle of `scale` for scaled
    crops, else `size`."""
    rotate: NotNegative = 0.0
    translate: Fraction = 0.0
    quarter_turns: bool = False
    flip: Fraction = 0.0
    jitter: Fraction = 0.0
    brightness: NotNegative = 0.0
    contrast: NotNegative = 0.0
    saturation: NotNegative = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    gray: Fraction = 0.0
    blur: Fraction = 0.0
    blur_sigma: Pair = (0.1, 2.0)
    solarize: Fraction = 0.0
    second: ViewChange = ViewChange()
    """What differs in the second view of methods that compare two (BYOL's asymmetric views)."""

    def recipe(self, view: int) -> Views:
        """The settings of one view, counted from 0: `second` applies to every odd one."""
        changes = self.second.model_dump(exclude_none=True) if view % 2 else {}
        return self.model_copy(update={**changes, "second": ViewChange()})


class Encoder(Section):
    """`[encoder]`: the network that is kept."""

    name: EncoderName = "resnet18"
    stem: Literal["cifar", "imagenet"] = "cifar"
    """For resnets: `cifar` is a 3x3 convolution of stride 1 and no max-pooling; `imagenet` is 7x7, stride 2, pooled."""
    weights: str | None = None
    """`imagenet`, or one of our own runs or checkpoints; left out: random."""
    dropout: Fraction | None = None
    """For TinyVGG's two full layers; left out: 0.5 in tinyvgg-bn, else 0."""


class Optimizer(Section):
    """`[optimizer]`: how weights move."""

    name: Literal["sgd", "adam", "adamw", "lars"] = "sgd"
    lr: Positive | dict[str, Positive] = 0.05
    """One rate, or one for each part: `lr = { layer4 = 1e-5, head = 1e-3 }`."""
    momentum: Fraction = 0.9
    nesterov: bool = False
    betas: Betas = (0.9, 0.999)
    weight_decay: NotNegative = 0.0
    decay_vectors: bool = True
    """Whether biases and normalisation weights decay too (for LARS: whether they adapt too)."""
    trust_coefficient: Positive = 0.001
    """LARS: eta of You et al. 2017."""


class Schedule(Section):
    """`[schedule]`: how the learning rate moves. It multiplies `optimizer.lr`."""

    name: Literal["constant", "cosine", "step", "plateau"] = "constant"
    per: Literal["step", "epoch"] = "epoch"
    """How often the rate is set anew (plateau: always once an epoch, after validation)."""
    warmup: NotNegative = 0.0
    """Epochs of linear rise before it."""
    end: Fraction = 0.0
    """cosine: the last rate, as a share of the first."""
    every: Count = 30
    """step: epochs between two falls."""
    factor: Fraction = 0.1
    """step, plateau: what a fall multiplies the rate by."""
    metric: str = "valid/top1"
    """plateau: what must improve; names that end in `loss` or `nll` improve downward."""
    patience: Whole = 5
    """plateau: epochs without improvement that are borne."""


class EarlyStopping(Section):
    """`[early_stopping]`: end the stage when a metric no longer improves."""

    patience: Whole = 0
    """Epochs without improvement that are borne; 0: never stop early."""
    metric: str = "valid/top1"


class Checkpoints(Section):
    """`[checkpoints]`: what is kept beside the latest."""

    every: Whole = 0
    """Keep one every so many epochs; 0: none but the latest, the best and the last of each stage."""
    best: Whole = 1
    """Keep the best so many of each stage."""
    metric: str | None = None
    """Best by what; left out: `valid/top1` where the method classifies, else `knn/top1`."""


class Monitor(Section):
    """`[monitor]`: what is looked at while training."""

    every: Whole = 1
    """Epochs between two looks at kNN accuracy and representation health; 0: never."""
    bank: Count = 5000
    """Training images the online kNN compares with."""
    queries: Count = 2000
    """Validation images (where there are none: held-out training images) the online kNN classifies."""
    log_every: Count = 20
    """Steps between two rows of metrics."""


STAGE_NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"


class Stage(Section):
    """`[[stage]]`: one method on one part of the data. Every shared section may be said again here."""

    name: Annotated[str, Field(pattern=STAGE_NAME)]
    method: dict[str, Any]
    """`name`, and the method's own knobs, which its file describes."""
    epochs: Count = 100
    batch_size: Count = 256
    part: Part = "train"
    start: Literal["last", "best"] = "last"
    """Which checkpoint of the stage before it starts from."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    clip_norm: NotNegative = 0.0
    """Gradients longer than this are shortened; 0: never."""
    views: Views = Views()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    early_stopping: EarlyStopping = EarlyStopping()


class Preset(Section):
    """A whole, resolved preset."""

    title: str = ""
    paper: str = ""
    expected: str = ""
    """What to expect, with where it was measured or published."""
    time: str = ""
    seed: Seed = 0
    data: Data = Data()
    encoder: Encoder = Encoder()
    checkpoints: Checkpoints = Checkpoints()
    monitor: Monitor = Monitor()
    stage: tuple[Stage, ...]


# ---------------------------------------------------------------- problems are sentences


@dataclass(frozen=True)
class Problem:
    """One thing to say of a preset: `key` is dotted, `text` a sentence; a warning does not keep it from running."""

    key: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


class PresetError(UsageError):
    """A preset that cannot run: every problem at once."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a slip of the finger, else what there is."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(known)}" if known else ""


SAID_APART = {
    # Mistakes people really make, answered by name instead of "no such setting" or "is missing".
    "method.missing": 'is missing; say which method trains, as in method = { name = "simclr" }',
    "views.test": "augmentation never touches valid or test images, so there is nothing to set",
    "views.valid": "augmentation never touches valid or test images, so there is nothing to set",
    "method.softmax": "losses take logits; there is no softmax to switch on",
    "schedule.step": "the schedule steps per step, per epoch or on a metric by its name; see schedule.per",
    "precision.fp16": "fp16 needs loss scaling and is slow on a CPU; use bf16, fp32 or auto",
}


def sentences(error: ValidationError, section: type[BaseModel], prefix: str = "") -> list[Problem]:
    """What pydantic found, in our words. `prefix` is the dotted place of `section` in the preset."""
    found: dict[str, list[Any]] = {}
    for item in error.errors(include_url=False):
        found.setdefault(".".join(_place(item)), []).append(item)
    # Of a union (a rate, or a table of them), what is wrong inside one branch says more than that no other one fits.
    inner = [path for path in found if not any(other.startswith(f"{path}.") for other in found)]
    return [Problem(".".join(filter(None, [prefix, path])), _sentence(path, found[path], section)) for path in inner]


def _place(item: Any) -> list[str]:
    """The keys that lead to a value; of a list it is the whole list that is named."""
    first, *others = item["loc"]
    return [first, *(part for part in others if isinstance(part, str) and not _is_union_branch(part))]


def _is_union_branch(part: str) -> bool:
    """pydantic names the branch of a union (`int`, `constrained-float`) as if it were a key."""
    return bool(re.match(r"^(constrained-|dict\[|tuple\[|literal\[|function-|int$|float$|str$|bool$)", part))


def _sentence(path: str, items: list[Any], section: type[BaseModel]) -> str:
    item = items[0]
    kind, value, context = item["type"], item.get("input"), item.get("ctx", {})
    name = path.rsplit(".", 1)[-1]
    if kind == "extra_forbidden":
        tail = ".".join(path.split(".")[-2:])
        return SAID_APART.get(tail) or f"no such setting{nearest(name, _keys_beside(path, section))}"
    if kind == "missing" and item["loc"][-1] == name:
        return SAID_APART.get(f"{path}.missing", "is missing")
    if kind == "literal_error":
        choices = re.split(", | or ", context["expected"].replace("'", ""))
        if str(value) == "fp16":
            return SAID_APART["precision.fp16"]
        return f"{_shown(value)} is not one of {', '.join(choices)}{_only_close(str(value), choices)}"
    wants = " or ".join(dict.fromkeys(map(_wanted, items)))  # several of a union no branch of which fits
    return f"{_shown(value)} does not fit; it takes {wants}"


def _only_close(word: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _shown(value: Any) -> str:
    """A value as TOML would write it, or nearly."""
    if isinstance(value, bool):
        return str(value).lower()
    shown = list(value) if isinstance(value, tuple) else value
    text = repr(value) if isinstance(value, str) else str(shown)
    return text if len(text) <= 60 else text[:57] + "..."


def _wanted(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    limits = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    if kind in limits:
        limit = context[limits[kind]]
        return f"a number of {words[limits[kind]]} {int(limit) if limit == int(limit) else limit}"
    named = {
        "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
        "finite_number": "a finite number", "string_type": "text in quotes", "bool_type": "true or false",
        "tuple_type": "a list", "missing": "two numbers", "too_long": "two numbers",
        "dict_type": "a table", "model_type": "a table", "model_attributes_type": "a table",
        "string_pattern_mismatch": "small letters, digits, - and _ (at most 32)",
    }  # fmt: skip
    if kind in named:
        return named[kind]
    return str(item.get("msg", kind)).removeprefix("Value error, ").lower()


def _keys_beside(path: str, section: type[BaseModel]) -> list[str]:
    """The settings that could have stood where an unknown one stands."""
    at: type[BaseModel] | None = section
    for part in path.split(".")[:-1]:
        if at is None or part not in at.model_fields:
            return []
        kinds = [at.model_fields[part].annotation, *get_args(at.model_fields[part].annotation)]
        at = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
    return list(at.model_fields) if at else []


# ---------------------------------------------------------------- loading

SHARED_BY_STAGES = tuple(key for key in Stage.model_fields if key not in ("name",))
PRESET_KEYS = tuple(key for key in Preset.model_fields if key != "stage")


def resolve(written: Mapping[str, Any], source: str = "preset") -> Preset:
    """Every value that applies, from what was written. Raises PresetError with all problems at once."""
    preset, problems = salvage(written)
    if problems:
        raise PresetError(source, problems)
    return preset


def salvage(written: Mapping[str, Any], assignments: Iterable[str] = ()) -> tuple[Preset, list[Problem]]:
    """The preset as far as it can be made out, and what is wrong with it; `assignments` are those of `--set`.

    Defaults stand in for what cannot be, so that everything else can be judged too.
    """
    written, problems = override(written, assignments)
    known = {*SHARED_BY_STAGES, *PRESET_KEYS, "stage"}
    problems += [Problem(key, f"no such setting{nearest(key, known)}") for key in written if key not in known]
    shared = {key: value for key, value in written.items() if key in SHARED_BY_STAGES}
    whole = {key: value for key, value in written.items() if key in PRESET_KEYS}

    stages = []
    for place, said in enumerate(_stages_said(written, problems)):
        stage, wrong = _validated(Stage, _merge(shared, said), {"name": str(place), "method": {}})
        stages.append(stage)
        problems += [_placed(p, said, f"stage.{stage.name}") for p in wrong]
    names = [stage.name for stage in stages]
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.append(Problem(f"stage.{name}", "two stages have this name; give each its own"))
    preset, wrong = _validated(Preset, {**whole, "stage": tuple(stages)}, {})
    return preset, list(dict.fromkeys([*problems, *wrong]))


def _stages_said(written: Mapping[str, Any], problems: list[Problem]) -> list[dict[str, Any]]:
    """Each stage's own words, with a name; a preset without stages has one, named after its method."""
    said = written.get("stage")
    if said is None:
        method = written.get("method")
        name = str(method.get("name")) if isinstance(method, dict) else "train"
        return [{"name": name if re.match(STAGE_NAME, name) else "train"}]
    if not isinstance(said, list) or not said or not all(isinstance(stage, dict) for stage in said):
        problems.append(Problem("stage", "stages are written as [[stage]], each with its settings below"))
        return [{"name": "train", "method": {}}]
    for place, stage in enumerate(said):
        if "name" not in stage:
            problems.append(Problem(f"stage.{place}.name", 'is missing; give the stage a name, as in name = "probe"'))
    return [{"name": str(place), **stage} for place, stage in enumerate(said)]


def _merge(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's own words over the shared ones, key by key; a section that names another kind starts anew."""
    merged = dict(shared)
    for key, value in own.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not _other_kind(before, value):
            merged[key] = _merge(before, value)
        else:
            merged[key] = value
    return merged


def _other_kind(before: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return "name" in value and value["name"] != before.get("name", value["name"])


def _validated(section: type[Any], value: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> tuple[Any, list[Problem]]:
    """The section, and what is wrong; without what is wrong, where something is. `stand_ins`: what has no default."""
    try:
        return section.model_validate(value), []
    except ValidationError as error:
        sound = _copied(value)
        for item in error.errors(include_url=False):
            _drop(sound, _place(item))
        return section.model_validate({**stand_ins, **sound}), sentences(error, section)


def _drop(table: Any, path: list[str]) -> None:
    for part in path[:-1]:
        table = table.get(part, {})
    table.pop(path[-1], None)


def _placed(problem: Problem, said: Mapping[str, Any], prefix: str) -> Problem:
    """A stage's problem, named where it was written: in the stage itself, or in the section that all share."""
    at: Any = said
    for part in problem.key.split("."):
        if not isinstance(at, Mapping) or part not in at:
            return problem
        at = at[part]
    return Problem(f"{prefix}.{problem.key}", problem.text, problem.warning)


def override(written: Mapping[str, Any], assignments: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The written preset with `KEY=VALUE` applied, as `--set` does, and what cannot be applied.

    A shared key (`epochs`, `views.flip`) holds for every stage, also for those that say their own;
    `stage.NAME.KEY` for one stage. What means another thing in each stage is asked for by stage: the method's knobs,
    and those of the optimizer where the stages have different ones.
    """
    result = _copied(written)
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            problems.append(Problem(assignment, "an override is written KEY=VALUE, as in optimizer.lr=0.03"))
            continue
        problem = _assign(result, key.strip().split("."), _value(text.strip()))
        if problem:
            problems.append(Problem(key.strip(), problem))
    return result, problems


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _value(text: str) -> Any:
    """A TOML value; what is none is text, so that quotes are not needed in a shell."""
    try:
        return tomli.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def _assign(preset: dict[str, Any], path: list[str], value: Any) -> str | None:
    said = preset.get("stage")
    stages = [stage for stage in said if isinstance(stage, dict)] if isinstance(said, list) else []
    if path[0] == "stage":
        if len(path) < 3:
            return "say which setting of which stage, as in stage.probe.epochs"
        named = [stage for stage in stages if stage.get("name") == path[1]]
        if not named:
            return f"no stage is named {path[1]}{nearest(path[1], [str(stage.get('name')) for stage in stages])}"
        _put(named[0], path[2:], value)
        return None
    if stages and (path[0] == "method" or _differs(path, [_merge(preset, stage) for stage in stages])):
        each = " or ".join(f"stage.{stage.get('name')}.{'.'.join(path)}" for stage in stages)
        return f"each stage has {'a method' if path[0] == 'method' else 'an optimizer'} of its own; say {each}"
    for stage in stages:
        # A stage's own words would win over the shared value, but what is typed last is meant most.
        if path[0] in SHARED_BY_STAGES and path[0] in stage:
            _put(stage, path, value)
    _put(preset, path, value)
    return None


def _differs(path: list[str], stages: list[dict[str, Any]]) -> bool:
    """Whether it is a setting of the optimizer, and not every stage has the same kind."""
    tables = [stage["optimizer"] if isinstance(stage.get("optimizer"), dict) else {} for stage in stages]
    kinds = [table.get("name", Optimizer().name) for table in tables]
    known = path[0] == "optimizer" and len(path) > 1 and path[1] in Optimizer.model_fields
    return known and any(kind != kinds[0] for kind in kinds)


def _put(table: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    table[path[-1]] = value


def read(text: str, source: str = "preset") -> dict[str, Any]:
    """What a TOML text says. Raises PresetError with the line of a slip."""
    try:
        return tomli.loads(text)
    except (ValueError, RecursionError) as error:  # the latter: of lists a thousand deep
        raise PresetError(source, [Problem("", f"is not TOML: {error}")]) from None


def dump(preset: Preset) -> str:
    """The resolved preset as TOML: reading it again gives the same preset."""
    return tomli_w.dumps(preset.model_dump(mode="json", exclude_none=True))


# ---------------------------------------------------------------- finding

SHIPPED = (Path(__file__).parent / "shipped", Path(__file__).parent.parent / "presets")


def shipped() -> dict[str, Path]:
    """The presets that come with sslterm, by name: inside the wheel, or beside the package in a checkout."""
    folder = next((folder for folder in SHIPPED if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.toml"))} if folder else {}


def find(preset: str) -> Path:
    """The file of a preset given by path or shipped name. Raises FileNotFoundError with a sentence."""
    path = Path(preset)
    if path.is_file():
        return path
    known = shipped()
    if preset in known:
        return known[preset]
    if path.suffix == ".toml" and path.stem in known and path.parent.name in ("", "presets"):
        return known[path.stem]  # `presets/moco.toml` as the documentation writes it, from any directory
    raise FileNotFoundError(f"{preset}: no such file, nor a shipped preset{nearest(path.stem, known)}")


def load(path: Path, assignments: Iterable[str] = ()) -> Preset:
    """Read, override and resolve a preset file. Raises PresetError, OSError."""
    preset, problems = salvage(read_file(path), assignments)
    if problems:
        raise PresetError(str(path), problems)
    return preset


def read_file(path: Path) -> dict[str, Any]:
    """What a preset file says. Raises PresetError, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PresetError(str(path), [Problem("", "is not UTF-8 text; save it as UTF-8")]) from None
    return read(text, str(path))
