"""The table of known data sets, asked without torch."""

import subprocess
import sys

import pytest

from sslterm.data import catalog
from sslterm.data.catalog import KNOWN, DataError


def test_the_table_loads_neither_torch_nor_numpy():
    program = (
        "import sys, sslterm.data.catalog; print(sorted({'torch', 'numpy', 'PIL', 'torchvision'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_every_data_set_of_the_readme_is_known():
    assert set(KNOWN) == {
        "shapes", "digits", "cifar10", "cifar100", "mnist", "fashion_mnist", "stl10", "image_folder",
    }  # fmt: skip


def test_what_is_made_by_code_is_always_present(tmp_path):
    assert catalog.present("shapes", tmp_path / "nothing")
    assert catalog.present("digits", tmp_path / "nothing")
    assert catalog.where("shapes", tmp_path) == tmp_path / ".sslterm"


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "mnist", "fashion_mnist", "stl10"])
def test_archives_or_unpacked_files_make_a_data_set_present(name, tmp_path):
    assert not catalog.present(name, tmp_path)
    for kind in (KNOWN[name].archives, KNOWN[name].unpacked):
        home = tmp_path / kind[-1].replace("/", "_")
        for file in kind:
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            (home / file).touch()
        assert catalog.present(name, home)
        assert catalog.unpacked(name, home) == (kind is KNOWN[name].unpacked)


def test_class_folders_are_cifar10_too(tmp_path):
    (tmp_path / "cifar10" / "train").mkdir(parents=True)
    assert not catalog.present("cifar10", tmp_path)
    (tmp_path / "cifar10" / "test").mkdir()
    assert catalog.present("cifar10", tmp_path)
    assert catalog.where("cifar10", tmp_path) == tmp_path / "cifar10"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(DataError, match=r"data\.name: 'cifar' is no data set; did you mean cifar10\?"):
        catalog.known("cifar")


def test_what_is_missing_says_which_file_goes_where(tmp_path):
    text = str(catalog.missing("mnist", tmp_path, "no network"))
    assert "train-images-idx3-ubyte.gz" in text
    assert "MNIST/raw" in text
    assert str(tmp_path) in text
