"""Data sets that come as arrays: scikit-learn's digits, and the binary files of CIFAR, MNIST and STL-10.

torchvision downloads and checks them (`fetch`); reading them is a few lines, and costs no import of torchvision.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslterm.data.catalog import DataError, known
from sslterm.data.source import Arrays, Contents, Images, Pixels, digest, states

Reader = Callable[[Path], Pixels]
DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def digits() -> Arrays:
    """scikit-learn's 1,797 real digits, 8x8; they have no test images of their own."""
    return Arrays("digits", "digits", digest("digits", 1), 8, _digits)


def _digits() -> Pixels:
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images = (loaded.images * (255 / 16) + 0.5).astype(np.uint8)[:, None]  # grey in 17 steps, 0 to 16
    labels = loaded.target.astype(np.int64)
    return Pixels(Contents(DIGITS, labels, len(labels), 1), [images])


def of_files(name: str, data_dir: Path) -> Arrays:
    """A data set whose unpacked files lie in the data directory."""
    facts = known(name)
    assert facts.size is not None
    root = data_dir / facts.folder
    files = tuple(Path(file).name for file in facts.unpacked)
    read = partial(_checked, name, root, READERS[name])
    return Arrays(name, str(root.resolve()), digest(name, *states(root, files)), facts.size, read, root, files)


def _checked(name: str, root: Path, reader: Reader) -> Pixels:
    try:
        pixels = reader(root)
        if sum(map(len, pixels.parts)) != len(pixels.contents.labels):
            raise ValueError("there are not as many labels as images")
        return pixels
    except (OSError, ValueError, KeyError, EOFError, IndexError, TypeError, pickle.UnpicklingError) as error:
        raise DataError(
            f"the files of {name} in {root} are damaged ({error}); remove this folder and run `sslterm data {name}`",
            "data.name",
        ) from error


def _joined(classes: tuple[str, ...], train: tuple[Images, Any], test: tuple[Images, Any]) -> Pixels:
    labels = np.concatenate([np.asarray(train[1], np.int64), np.asarray(test[1], np.int64)])
    return Pixels(Contents(classes, labels, len(train[1]), train[0].shape[1]), [train[0], test[0]])


# ---------------------------------------------------------------- CIFAR: pickles


class _ArraysOnly(pickle.Unpickler):
    """A pickle may run any code; these hold dictionaries and NumPy arrays, and nothing else is let in."""

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            "_reconstruct": np.empty(0).__reduce__()[0],
            "ndarray": np.ndarray,
            # The files' own arguments (align=0) are of a kind that NumPy warns of.
            "dtype": lambda kind, *_: np.dtype(kind),
        }
        if module.split(".")[0] != "numpy" or name not in allowed:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, which has no place in a data set")
        return allowed[name]


def _unpickled(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return _ArraysOnly(file, encoding="latin1").load()


def _cifar(train: tuple[str, ...], test: str, meta: str, names: str, labels: str, root: Path) -> Pixels:
    def batches(files: tuple[str, ...]) -> tuple[Images, list[int]]:
        read = [_unpickled(root / file) for file in files]
        images = np.concatenate([batch["data"] for batch in read]).reshape(-1, 3, 32, 32)
        return images, [label for batch in read for label in batch[labels]]

    return _joined(tuple(_unpickled(root / meta)[names]), batches(train), batches((test,)))


# ---------------------------------------------------------------- MNIST: IDX


def _idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file of bytes: two zeros, the type, the number of axes, their lengths, the values."""
    content = path.read_bytes()
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path.name} is no IDX file of bytes")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(tuple(int(length) for length in shape))


def _mnist(classes: tuple[str, ...], root: Path) -> Pixels:
    train, test = (
        (_idx(root / f"{part}-images-idx3-ubyte")[:, None], _idx(root / f"{part}-labels-idx1-ubyte"))
        for part in ("train", "t10k")
    )
    return _joined(classes, train, test)


# ---------------------------------------------------------------- STL-10: plain bytes


def _stl10(root: Path) -> Pixels:
    """5,000 images with labels from 1, then 100,000 without: training images all; then the test images."""

    def images(file: str) -> Images:  # kept on disk: they are 3 GB
        return np.memmap(root / file, np.uint8, mode="r").reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)

    def labels(file: str) -> NDArray[np.int64]:
        return np.fromfile(root / file, np.uint8).astype(np.int64) - 1

    parts = [images("train_X.bin"), images("unlabeled_X.bin"), images("test_X.bin")]
    first_test = len(parts[0]) + len(parts[1])
    said = [labels("train_y.bin"), np.full(len(parts[1]), -1, np.int64), labels("test_y.bin")]
    classes = tuple((root / "class_names.txt").read_text().split())
    return Pixels(Contents(classes, np.concatenate(said), first_test, 3), parts)


READERS: dict[str, Reader] = {
    "cifar10": partial(
        _cifar, tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta", "label_names", "labels"
    ),
    "cifar100": partial(_cifar, ("train",), "test", "meta", "fine_label_names", "fine_labels"),
    "mnist": partial(_mnist, DIGITS),
    "fashion_mnist": partial(_mnist, FASHION),
    "stl10": _stl10,
}
