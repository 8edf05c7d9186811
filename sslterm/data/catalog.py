"""The data sets that are known by name, where their files lie, and the sentence for what is missing.

Neither torch nor numpy is loaded here: `sslterm data` and `sslterm check` ask these questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sslterm.errors import UserError
from sslterm.presets import nearest


class DataError(UserError):
    """Images that cannot be used as asked; `key` is the preset's dotted key that it is about, or empty."""

    def __init__(self, text: str, key: str = "") -> None:
        self.key = key
        self.text = text
        super().__init__(f"{key}: {text}" if key else text)

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str]]:
        """Workers hand it to the process that asked."""
        return DataError, (self.text, self.key)


@dataclass(frozen=True)
class Known:
    """One data set: what it holds, and which files it is read from (paths below the data directory)."""

    name: str
    title: str
    classes: int
    """0 where the folder decides."""
    channels: int
    """0 where the folder decides."""
    size: int | None
    """Side in pixels; None where the folder or the preset decides."""
    train: int | None
    test: int | None
    source: str
    """Where it comes from: a home page, or what makes it."""
    files: str
    """What goes where, as a sentence; empty where nothing has to be placed."""
    archives: tuple[str, ...] = ()
    """What is downloaded."""
    unpacked: tuple[str, ...] = ()
    """What the archives hold, and all that is needed."""

    @property
    def folder(self) -> str:
        """Where the unpacked files lie, below the data directory."""
        return str(Path(self.unpacked[0]).parent) if self.unpacked else ""


def _idx(name: str, title: str, source: str) -> Known:
    """MNIST and its successors: the same four files, in a folder of their own."""
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    unpacked = tuple(f"{name}/raw/{part}-ubyte" for part in parts)
    return Known(
        {"MNIST": "mnist", "FashionMNIST": "fashion_mnist"}[name], title, 10, 1, 28, 60_000, 10_000, source,
        f"{', '.join(f'{part}-ubyte.gz' for part in parts)} go into {name}/raw",
        tuple(f"{path}.gz" for path in unpacked), unpacked,
    )  # fmt: skip


def _cifar(classes: int, folder: str, batches: tuple[str, ...], also: str = "") -> Known:
    archive = f"cifar-{classes}-python.tar.gz"
    return Known(
        f"cifar{classes}", f"CIFAR-{classes} (Krizhevsky 2009)", classes, 3, 32, 50_000, 10_000,
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        f"{archive} goes into the data directory itself (or unpacked: the folder {folder}{also})",
        (archive,), tuple(f"{folder}/{batch}" for batch in batches),
    )  # fmt: skip


_ALL = (
    Known("shapes", "Ten kinds of figures, drawn by code", 10, 3, 32, 10_000, 2_000, "generated", ""),
    Known("digits", "Handwritten digits (UCI, 1998)", 10, 1, 8, 1_797, 0, "comes with scikit-learn", ""),
    _cifar(
        10,
        "cifar-10-batches-py",
        (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
        "; class folders cifar10/train/<class> and cifar10/test/<class> with PNG or JPEG images do as well",
    ),
    _cifar(100, "cifar-100-python", ("train", "test", "meta")),
    _idx("MNIST", "MNIST (LeCun 1998)", "https://yann.lecun.org/exdb/mnist/"),
    _idx("FashionMNIST", "Fashion-MNIST (Xiao 2017)", "https://github.com/zalandoresearch/fashion-mnist"),
    Known(
        "stl10", "STL-10 (Coates 2011), with 100,000 images without labels", 10, 3, 96, 105_000, 8_000,
        "https://cs.stanford.edu/~acoates/stl10/",
        "stl10_binary.tar.gz goes into the data directory itself (or unpacked: the folder stl10_binary)",
        ("stl10_binary.tar.gz",),
        tuple(
            f"stl10_binary/{file}"
            for file in ("train_X.bin", "train_y.bin", "unlabeled_X.bin", "test_X.bin", "test_y.bin", "class_names.txt")
        ),
    ),
    Known(
        "image_folder", "Your own images, in class folders or flat", 0, 0, None, None, None, "your disk",
        "data.folder names a folder with {train,test}/<class>/ or <class>/ folders, or with images alone",
    ),
)  # fmt: skip
KNOWN: dict[str, Known] = {known.name: known for known in _ALL}


def known(name: str) -> Known:
    """The data set of that name. Raises DataError."""
    if name not in KNOWN:
        raise DataError(f"{name!r} is no data set{nearest(name, KNOWN)}", "data.name")
    return KNOWN[name]


def where(name: str, data_dir: Path) -> Path:
    """Where the files of a data set lie or would lie (for those made by code: where their cache lies)."""
    if has_class_folders(name, data_dir):
        return data_dir / name
    folder = known(name).folder
    if folder:
        return data_dir / folder
    return data_dir if name == "image_folder" else data_dir / ".sslterm"


def present(name: str, data_dir: Path) -> bool:
    """Whether it can be opened without network. An `image_folder` is there as soon as the data directory is."""
    if name == "image_folder":
        return data_dir.is_dir()
    return unpacked(name, data_dir) or all((data_dir / file).is_file() for file in known(name).archives)


def unpacked(name: str, data_dir: Path) -> bool:
    """Whether it can be read at once, without downloading or unpacking."""
    if has_class_folders(name, data_dir):
        return True
    return all((data_dir / file).is_file() for file in known(name).unpacked)


def has_class_folders(name: str, data_dir: Path) -> bool:
    """CIFAR-10 also comes as images in `cifar10/{train,test}/<class>/`; where both are there, these are read."""
    return name == "cifar10" and all((data_dir / name / part).is_dir() for part in ("train", "test"))


def missing(name: str, data_dir: Path, why: str) -> DataError:
    """The sentence for a data set that is not there and could not be fetched."""
    return DataError(
        f"{name} is not in {data_dir} and could not be downloaded ({why}); without network, place it by hand: "
        f"{known(name).files} (data directory: {data_dir}, home page: {known(name).source})",
        "data.name",
    )
