"""From `[data]` to a data set."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from conftest import write
from test_arrays import made, write_mnist

from sslterm.data import shapes
from sslterm.data.catalog import DataError
from sslterm.data.fetch import fetch
from sslterm.data.open import open_dataset
from sslterm.presets import Data

CPU = torch.device("cpu")
REAL = os.environ.get("SSLTERM_DATA")
real_data = [pytest.mark.real_data, pytest.mark.skipif(not REAL, reason="SSLTERM_DATA names no real data")]


def opened(data_dir, view_size=None, **said):
    return open_dataset(Data(**said), view_size, data_dir, progress=False)


@pytest.fixture
def no_network(monkeypatch):
    """Every request goes to a port where nobody listens."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_shapes_are_ready_without_any_file(tmp_path):
    data = opened(tmp_path / "new", images=200)
    assert (len(data), data.first_test, data.size, data.channels) == (240, 200, 32, 3)
    assert data.classes == shapes.CLASSES
    assert torch.equal(data.labels, torch.cat([torch.arange(200) % 10, torch.arange(40) % 10]))
    (train, test) = data.batches([torch.tensor([3, 1]), torch.tensor([200])], CPU)
    assert torch.equal(train, torch.from_numpy(shapes.draw(4, 32, part=0))[[3, 1]])
    assert torch.equal(test, torch.from_numpy(shapes.draw(1, 32, part=1)))
    assert train.dtype == torch.uint8


def test_shapes_come_in_any_size(tmp_path):
    assert opened(tmp_path, images=10, size=48).images.shape == (12, 3, 48, 48)


def test_writing_to_a_batch_or_to_the_images_never_reaches_the_cache(tmp_path):
    first = opened(tmp_path, images=10)
    first.images.zero_()
    assert opened(tmp_path, images=10).images.any()


def test_digits_are_resized_on_demand(tmp_path):
    assert opened(tmp_path, name="digits").images.shape == (1797, 1, 8, 8)
    data = opened(tmp_path, name="digits", size=16)
    assert data.images.shape == (1797, 1, 16, 16)
    assert data.first_test == len(data) == 1797


def test_mnist_is_opened_from_its_files(tmp_path):
    written = write_mnist(made(tmp_path, "mnist"))
    data = opened(tmp_path, name="mnist")
    assert (len(data), data.first_test, data.channels, data.size) == (40, 30, 1, 28)
    assert torch.equal(data.images[:, 0], torch.from_numpy(written))


def test_cifar10_is_opened_from_class_folders(tmp_path):
    for i, label in enumerate(("airplane", "automobile", "bird")):
        write(tmp_path / "cifar10" / "train" / label / "0000.jpg", seed=i, size=(32, 32))
        write(tmp_path / "cifar10" / "test" / label / "0000.png", seed=i, size=(32, 32))
    data = opened(tmp_path, name="cifar10", view_size=64)
    assert (data.name, data.size, data.first_test, len(data)) == ("cifar10", 32, 3, 6)


def test_a_folder_is_kept_at_the_size_of_the_views_unless_the_preset_says_another(class_folders):
    folder, home = str(class_folders), class_folders.parent
    assert opened(home, name="image_folder", folder=folder, view_size=10).size == 10
    assert opened(home, name="image_folder", folder=folder, view_size=10, size=9).size == 9
    assert opened(home, name="image_folder", folder="photos").size == 12
    write(class_folders / "train" / "cat" / "large.png", size=(50, 50))
    with pytest.raises(DataError, match=r"data\.size: the images of this folder differ in size"):
        opened(home, name="image_folder", folder="photos")


def test_a_copy_of_the_data_on_another_machine_is_the_same_data(class_folders, tmp_path):
    """Cached here, streamed there."""
    shutil.copytree(class_folders, tmp_path / "there" / "photos", copy_function=shutil.copyfile)
    here, again = (opened(tmp_path, 8, name="image_folder", folder="photos") for _ in range(2))
    there = opened(tmp_path / "there", 8, name="image_folder", folder="photos", stream="always")
    assert here.fingerprint == again.fingerprint == there.fingerprint
    write(tmp_path / "there" / "photos" / "train" / "cat" / "0.jpg", seed=999)
    changed = opened(tmp_path / "there", 8, name="image_folder", folder="photos")
    assert changed.fingerprint != here.fingerprint


def test_arrays_are_known_by_what_their_files_hold(tmp_path):
    write_mnist(made(tmp_path / "here", "mnist"))
    shutil.copytree(tmp_path / "here" / "MNIST", tmp_path / "there" / "MNIST", copy_function=shutil.copyfile)
    here, there = (opened(tmp_path / place, name="mnist") for place in ("here", "there"))
    assert here.fingerprint == there.fingerprint
    labels = tmp_path / "there" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    content = labels.read_bytes()
    labels.write_bytes(content[:-1] + bytes([(content[-1] + 1) % 10]))
    assert opened(tmp_path / "there", name="mnist").fingerprint != here.fingerprint


def test_a_grey_folder_keeps_one_channel(tmp_path):
    for i in range(3):
        write(tmp_path / "scans" / f"{i}.png", seed=i, mode="L")
    data = opened(tmp_path, name="image_folder", folder="scans")
    assert (data.channels, data.classes, data.labels.tolist()) == (1, (), [-1, -1, -1])


def test_an_image_folder_without_folder_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"data\.folder: is missing"):
        opened(tmp_path, name="image_folder")


def test_an_unknown_data_set_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"did you mean shapes\?"):
        opened(tmp_path, name="shape")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("cifar10", "cifar-10-python.tar.gz goes into the data directory itself"),
        ("cifar100", "cifar-100-python.tar.gz goes"),
        ("mnist", "train-labels-idx1-ubyte.gz, .* go into MNIST/raw"),
        ("fashion_mnist", "go into FashionMNIST/raw"),
        ("stl10", "stl10_binary.tar.gz goes"),
    ],
)
def test_without_network_and_files_one_sentence_says_which_file_goes_where(name, file, tmp_path, capfd):
    with pytest.raises(DataError, match=rf"data\.name: {name} is not in .* could not be downloaded .* {file}") as told:
        opened(tmp_path, name=name)
    assert "\n" not in str(told.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_network")
def test_what_is_there_is_not_fetched_again(tmp_path):
    write_mnist(made(tmp_path, "mnist"))
    fetch("mnist", tmp_path)
    fetch("shapes", tmp_path)
    fetch("digits", tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_batches_are_the_same(tmp_path):
    data, order = opened(tmp_path, images=100), [torch.tensor([5, 2]), torch.tensor([110])]
    device = torch.device("cuda")
    for here, there in zip(data.batches(order, CPU), data.batches(order, device), strict=True):
        assert there.device.type == "cuda"
        assert torch.equal(here, there.cpu())


class TestRealData:
    pytestmark = real_data

    @pytest.fixture
    def data_dir(self, tmp_path):
        """The real files, in a data directory of our own, so that the cache is built here."""
        for name in ("cifar10", "MNIST", "BCCD"):
            if (Path(REAL) / name).exists():
                (tmp_path / name).symlink_to(Path(REAL) / name)
        return tmp_path

    def test_mnist_is_the_real_one(self, data_dir):
        data = opened(data_dir, name="mnist")
        assert (len(data), data.first_test) == (70_000, 60_000)
        assert torch.bincount(data.labels[:60_000]).tolist() == [
            5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
        ]  # fmt: skip
        assert data.mean == pytest.approx((0.1307,), abs=5e-5)
        assert data.std == pytest.approx((0.3081,), abs=5e-5)

    @pytest.mark.slow
    def test_cifar10_is_the_real_one(self, data_dir):
        data = opened(data_dir, name="cifar10")
        assert (len(data), data.first_test, data.size, data.channels) == (60_000, 50_000, 32, 3)
        assert data.classes[:3] == ("airplane", "automobile", "bird")
        assert set(torch.bincount(data.labels[:50_000]).tolist()) == {5000}
        assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=2e-3)
        assert data.std == pytest.approx((0.2470, 0.2435, 0.2616), abs=2e-3)

    def test_microscope_images_are_resized(self, data_dir):
        data = opened(data_dir, name="image_folder", folder="BCCD", view_size=32)
        assert (len(data), data.classes, data.size) == (364, (), 32)
