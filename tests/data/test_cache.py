"""The cache: decoded once, whole or not at all, one builder at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import write

from sslterm.data import cache
from sslterm.data.cache import open_cache
from sslterm.data.catalog import DataError
from sslterm.data.folders import open_folder
from sslterm.data.source import Drawn


def opened(folder, size=12):
    return open_cache(open_folder("image_folder", folder), size, folder.parent, progress=False)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".sslterm").glob("*") if path.is_dir())


def built(folder: Path) -> int:
    """When the one cache of this data directory was written."""
    return (folder / ".sslterm" / entries(folder)[0] / "images.npy").stat().st_mtime_ns


def test_images_are_decoded_once(class_folders):
    first = opened(class_folders)
    when = built(class_folders.parent)
    second = opened(class_folders)
    assert built(class_folders.parent) == when
    assert np.array_equal(first.images, second.images)
    assert first.images.shape == (24, 3, 12, 12)
    assert first.labels.tolist() == second.labels.tolist() == [*[0] * 6, *[1] * 6, *[2] * 6, 0, 0, 1, 1, 2, 2]
    assert isinstance(second.images, np.memmap)


def test_a_changed_source_is_decoded_anew_and_the_old_cache_removed(class_folders):
    before = opened(class_folders)
    old = before.images.copy()
    write(class_folders / "train" / "cat" / "0.jpg", seed=999)
    after = opened(class_folders)
    assert len(entries(class_folders.parent)) == 1
    assert not np.array_equal(after.images[0], old[0])
    assert np.array_equal(before.images, old), "who still maps the old cache keeps it"


def test_other_sizes_and_other_folders_live_side_by_side(class_folders):
    opened(class_folders)
    opened(class_folders, size=8)
    open_cache(open_folder("image_folder", class_folders / "train"), 12, class_folders.parent, progress=False)
    assert len(entries(class_folders.parent)) == 3


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        ("meta.json", lambda data: data[: len(data) // 2]),
        ("meta.json", lambda data: b"[1, 2]"),
        ("meta.json", lambda data: data.replace(b'"count": 24', b'"count": 25')),
        ("images.npy", lambda data: data[:-1]),
        ("images.npy", lambda data: b""),
        ("labels.npy", lambda data: data[:-8]),
    ],
)
def test_a_torn_cache_is_built_anew(file, spoil, class_folders):
    whole = opened(class_folders).images.copy()
    path = class_folders.parent / ".sslterm" / entries(class_folders.parent)[0] / file
    path.write_bytes(spoil(path.read_bytes()))
    assert np.array_equal(opened(class_folders).images, whole)
    meta = json.loads((path.parent / "meta.json").read_text())
    assert meta["count"] == 24


def test_a_failed_build_leaves_nothing_behind(class_folders):
    path = class_folders / "train" / "dog" / "3.png"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train/dog/3\.png is broken"):
        opened(class_folders)
    assert entries(class_folders.parent) == []


def test_what_a_dead_builder_left_is_removed(class_folders):
    left = class_folders.parent / ".sslterm" / "image_folder-12-0123456789ab.xyz.part"
    left.mkdir(parents=True)
    opened(class_folders)
    assert not left.exists()


def test_mean_and_spread_are_those_of_the_training_images(class_folders):
    cached = opened(class_folders)
    training = cached.images[:18].astype(np.float64) / 255
    assert np.allclose(cached.meta["mean"], training.mean((0, 2, 3)), atol=1e-12)
    assert np.allclose(cached.meta["std"], training.std((0, 2, 3)), atol=1e-12)


def test_images_of_one_colour_have_a_spread_to_divide_by():
    assert cache.statistics(np.full((3, 1, 4, 4), 7, np.uint8))[1] == [1 / 255]


def test_two_processes_that_prepare_at_once_build_one_cache(tmp_path):
    program = (
        "import sys; from pathlib import Path; from sslterm.data import shapes\n"
        "from sslterm.data.cache import open_cache; from sslterm.data.source import Drawn\n"
        "drawn = shapes.draw; calls = []\n"
        "shapes.draw = lambda *a: (calls.append(a), drawn(*a))[1]\n"
        "cached = open_cache(Drawn(3000, 32), 32, Path(sys.argv[1]), False)\n"
        "print(len(calls), int(cached.images.astype('int64').sum()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate()[0].split() for process in both]
    assert sorted(calls for calls, _ in said) == ["0", "0", "4"], "one draws, the others wait for it"
    assert len({total for _, total in said}) == 1
    assert len(entries(tmp_path)) == 1


def test_where_the_data_directory_is_read_only_the_users_cache_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    read_only = Path("/proc/sslterm")  # not even root may write there
    if not Path("/proc").is_dir() or os.access("/proc/self/nothing", os.W_OK):
        pytest.skip("this system has no /proc")
    open_cache(Drawn(10, 8), 8, read_only, progress=False)
    assert [path.name[:9] for path in (tmp_path / "own" / "sslterm").iterdir() if path.is_dir()] == ["shapes-8-"]


def test_nowhere_to_write_is_a_sentence(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/sslterm")
    with pytest.raises(DataError, match=r"neither .* nor .* can be written"):
        open_cache(Drawn(10, 8), 8, Path("/proc/sslterm"), progress=False)


def test_no_space_is_a_sentence_that_says_how_much_is_needed(tmp_path):
    with pytest.raises(DataError, match=r"need 38,654,7\d\d MB in .* MB are free"):
        open_cache(Drawn(40_000, 16_384), 16_384, tmp_path, progress=False)
    assert entries(tmp_path) == []
