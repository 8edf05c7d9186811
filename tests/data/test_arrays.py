"""Readers of the binary data sets, on small files of the same make."""

import os
import pickle
import struct

import numpy as np
import pytest

from sslterm.data import arrays
from sslterm.data.catalog import KNOWN, DataError


def made(tmp_path, name):
    """The data set's folder, empty files in it."""
    for file in KNOWN[name].unpacked:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path / KNOWN[name].folder


def old_pickle(data: np.ndarray, labels: list[int]) -> bytes:
    """A CIFAR batch, byte for byte as Python 2 wrote them (protocol 2)."""
    rows, columns = data.shape
    body = data.tobytes()
    return b"".join([
        b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(", *(b"K" + bytes([label]) for label in labels), b"e",
        b"U\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01",
        b"K" + bytes([rows]) + b"M" + struct.pack("<H", columns) + b"\x86",
        b"cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
        b"T" + struct.pack("<I", len(body)) + body + b"tbu.",
    ])  # fmt: skip


def test_digits_are_the_real_ones():
    source = arrays.digits()
    pixels = source.read()
    assert pixels.parts[0].shape == (1797, 1, 8, 8)
    assert (pixels.parts[0].min(), pixels.parts[0].max()) == (0, 255)
    assert pixels.contents.first_test == 1797
    assert np.bincount(pixels.contents.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_cifar10_batches_are_read(tmp_path):
    root = made(tmp_path, "cifar10")
    rng = np.random.default_rng(0)
    written = rng.integers(0, 256, (6, 2, 3072), np.uint8)
    for i, file in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        (root / file).write_bytes(old_pickle(written[i], [i, 9 - i]))
    (root / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"c{i}" for i in range(10)]}, protocol=2))
    source = arrays.of_files("cifar10", tmp_path)
    train, test = source.read().parts
    contents = source.contents()
    assert np.array_equal(train, written[:5].reshape(10, 3, 32, 32))
    assert np.array_equal(test, written[5].reshape(2, 3, 32, 32))
    assert contents.labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5, 5, 4]
    assert (contents.first_test, contents.channels, contents.classes[3]) == (10, 3, "c3")


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "broken-in"),)

    root = made(tmp_path, "cifar100")
    (root / "meta").write_bytes(pickle.dumps({"fine_label_names": Evil()}))
    with pytest.raises(DataError, match=r"cifar100 in .* are damaged \(it holds posix\.mkdir"):
        arrays.of_files("cifar100", tmp_path).contents()
    assert not (tmp_path / "broken-in").exists()


def write_mnist(root, train=30, test=10):
    """Noise in MNIST's files; returns the images, train first."""
    images = np.random.default_rng(0).integers(0, 256, (train + test, 28, 28), np.uint8)
    for part, pixels in (("train", images[:train]), ("t10k", images[train:])):
        labels = bytes(i % 10 for i in range(len(pixels)))
        (root / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">4B3I", 0, 0, 8, 3, *pixels.shape) + pixels.tobytes()
        )
        (root / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, len(pixels)) + labels)
    return images


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_mnist_is_read(name, tmp_path):
    written = write_mnist(made(tmp_path, name))
    source = arrays.of_files(name, tmp_path)
    images = np.zeros((40, 1, 28, 28), np.uint8)
    source.fill(images, lambda done: None)
    assert np.array_equal(images[:, 0], written)
    assert source.contents().labels[28:33].tolist() == [8, 9, 0, 1, 2]
    assert len(source.contents().classes) == 10


def test_cut_files_are_a_sentence(tmp_path):
    root = made(tmp_path, "mnist")
    write_mnist(root)
    file = root / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"files of mnist in .* are damaged .* run `sslterm data mnist`"):
        arrays.of_files("mnist", tmp_path).contents()


def test_stl10_has_unlabelled_training_images(tmp_path):
    root = made(tmp_path, "stl10")
    rng = np.random.default_rng(0)
    written = rng.integers(0, 256, (6, 3, 96, 96), np.uint8)  # columns first, as the files have it
    for file, part in (("train_X", written[:2]), ("unlabeled_X", written[2:5]), ("test_X", written[5:])):
        (root / f"{file}.bin").write_bytes(part.tobytes())
    (root / "train_y.bin").write_bytes(bytes([1, 10]))
    (root / "test_y.bin").write_bytes(bytes([7]))
    (root / "class_names.txt").write_text("\n".join(f"c{i}" for i in range(10)))
    source = arrays.of_files("stl10", tmp_path)
    contents = source.contents()
    assert contents.labels.tolist() == [0, 9, -1, -1, -1, 6]
    assert contents.first_test == 5
    images = np.zeros((6, 3, 96, 96), np.uint8)
    source.fill(images, lambda done: None)
    assert np.array_equal(images, written.transpose(0, 1, 3, 2))
