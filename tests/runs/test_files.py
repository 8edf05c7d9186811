"""Files are whole or not there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import pytest

from sslterm.runs.files import DamagedFile, read_json, sha256, write_json, write_text, write_whole


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_text(path, "old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_that_json_lacks_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"nan": math.nan, "list": [math.inf, -math.inf, 1.5]})
    said = read_json(path)
    assert math.isnan(float(said["nan"]))
    assert [float(value) for value in said["list"]] == [math.inf, -math.inf, 1.5]


@pytest.mark.parametrize("text", ["", "{", "3", "nul", '{"a": }'])
def test_what_is_no_table_is_damaged(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DamagedFile, match=r"a\.json"):
        read_json(path)


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
