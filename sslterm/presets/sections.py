"""What a preset may say: a section a table, strictly typed; the docstring under a setting explains it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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
    "conv4", "vit-micro", "vit-tiny", "vit-small", "vit-base", "mobilenet_v3_small",
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


class LocalViews(ViewChange):
    """Small views of small parts, beside the others: "multi-crop" (SwAV, DINO)."""

    count: Whole = 0
    """How many of each image, for methods that take them."""
    size: Count | None = None
    """Side in pixels; left out: half of the other views'."""


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
    local: LocalViews = LocalViews()
    """Local views beside those: how many, how large, and what else differs, the `area` above all."""

    def recipe(self, view: int) -> Views:
        """The settings of one view, counted from 0: `second` applies to every odd one."""
        return self._changed(self.second if view % 2 else ViewChange())

    def local_recipe(self) -> Views:
        """The settings of every local view."""
        return self._changed(self.local)

    def local_size(self, size: int) -> int:
        """Side of a local view where that of the others is `size`."""
        return self.local.size or max(size // 2, 1)

    def sides(self, size: int) -> list[int]:
        """The side of every kind of view that there is."""
        return [size, self.local_size(size)] if self.local.count else [size]

    def _changed(self, change: ViewChange) -> Views:
        said = change.model_dump(exclude_none=True, exclude={"count", "size"})
        return self.model_copy(update={**said, "second": ViewChange(), "local": LocalViews()})


class Encoder(Section):
    """`[encoder]`: the network that is kept."""

    name: EncoderName = "resnet18"
    stem: Literal["cifar", "imagenet"] = "cifar"
    """For resnets: `cifar` is a 3x3 convolution of stride 1 and no max-pooling; `imagenet` is 7x7, stride 2, pooled.
    For vits: which `patch` there is where none is said."""
    weights: str | None = None
    """`imagenet`, one of our own runs or checkpoints, or what `sslterm export` wrote; left out: random."""
    dropout: Fraction | None = None
    """For TinyVGG's two full layers; left out: 0.5 in tinyvgg-bn, else 0."""
    patch: Count | None = None
    """For vits: side of a patch in pixels; left out: 4 with the cifar stem, 16 with imagenet's."""
    pool: Literal["mean", "cls"] = "mean"
    """For vits: the representation is the mean of what the patches became, or what the class token did."""
    drop_path: Fraction = 0.0
    """For vits: stochastic depth, how often the last block of an image is left out in training; rises from 0 in the
    first block. Masked autoencoders leave none out before they are fine-tuned."""
    features: Count | None = None
    """Width of a last linear layer behind the network; left out: none, and the network's own width."""

    @property
    def patch_side(self) -> int:
        """Side of a vit's patches, also where none is said."""
        return self.patch or (4 if self.stem == "cifar" else 16)

    @property
    def network(self) -> str:
        """What must be the same for weights to fit, in words: "resnet18 with the cifar stem"."""
        is_vit = self.name.startswith("vit-")
        kind = f"patches of {self.patch_side} pixels" if is_vit else f"the {self.stem} stem"
        return f"{self.name} with {kind}" + (f" and a last layer of {self.features} features" if self.features else "")

    def misfit(self, side: int) -> str | None:
        """Why the network takes no views of this side, as a sentence; None where it does."""
        if not self.name.startswith("vit-") or side % self.patch_side == 0:
            return None
        fitting = [size for size in range(2, side + 1) if side % size == 0]
        nearest = min(fitting, key=lambda size: abs(size - self.patch_side), default=side)
        return f"{self.patch_side} pixels do not divide a view of {side}; say {nearest}, or another size of views"


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
    """LARS: eta of You et al. 2017, which with 0.001 has `lr` as a factor; code that clips takes 0.02."""
    clip_rate: bool = False
    """LARS: a layer's own rate is at most `lr`, which is then a ceiling and no factor (LARC, as in the code of SwAV and
    of solo-learn)."""
    layer_decay: Fraction = 1.0
    """What each layer of the encoder has of the rate of the layer above it, counted from the head, which has all of
    `lr`; fine-tuning wants less than 1 (BEiT, appendix: 0.65 to 0.75), 1 is the same for all."""


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
    pictures: Whole = 10
    """Epochs between two paintings of methods that paint (reconstructions, samples), and one at each stage's end; 0:
    never."""


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
    compile: Literal["auto", "always", "never"] = "auto"
    """Whether torch compiles the network first. `auto`: on a GPU, where minutes are left to train and a trial says that
    it is quicker."""
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
