"""What killed processes left of runs half made or half deleted goes; what is being made just now stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sslterm import presets
from sslterm.runs import aside
from sslterm.runs.create import create

DEAD = 999_999_999
"""A number that no process has."""


def folder(runs_dir: Path, name: str, age: float = 0.0) -> Path:
    path = runs_dir / name
    (path / "checkpoints").mkdir(parents=True)
    (path / "checkpoints" / "a.pt").write_bytes(b"weights")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize("kind", [aside.NEW, aside.GONE])
def test_only_what_the_dead_left_goes(kind: str, runs_dir: Path) -> None:
    mine = folder(runs_dir, aside.name(kind))
    dead = folder(runs_dir, aside.name(kind).replace(f"-{os.getpid()}-", f"-{DEAD}-"))
    assert aside.sweep(runs_dir) == [dead]
    assert list(runs_dir.iterdir()) == [mine]


def test_folders_of_earlier_versions_go_too(runs_dir: Path) -> None:
    old = [folder(runs_dir, f".new-{DEAD}-1f2e3d4c"), folder(runs_dir, ".gone-0123456789abcdef", 2 * aside.LONG)]
    young = folder(runs_dir, ".gone-fedcba9876543210")
    assert sorted(aside.sweep(runs_dir)) == sorted(old)
    assert list(runs_dir.iterdir()) == [young]


def test_makers_on_other_machines_are_given_a_day(runs_dir: Path) -> None:
    young = folder(runs_dir, f".new-else-where-{DEAD}-1f2e3d4c")
    old = folder(runs_dir, f".new-else-where-{DEAD}-aaaaaaaa", 2 * aside.LONG)
    assert aside.sweep(runs_dir) == [old]
    assert list(runs_dir.iterdir()) == [young]


@pytest.mark.parametrize("name", [".new-stuff", ".gone-fishing", ".newer", "new-1-1f2e3d4c", ".new-x-1f2e3d4", "a"])
def test_what_is_named_otherwise_is_not_ours(name: str, runs_dir: Path) -> None:
    path = folder(runs_dir, name, 9 * aside.LONG)
    assert aside.sweep(runs_dir) == []
    assert (path / "checkpoints" / "a.pt").exists()


def test_a_link_is_neither_followed_nor_deleted(runs_dir: Path, tmp_path: Path) -> None:
    precious = folder(tmp_path, "precious")
    runs_dir.mkdir()
    (runs_dir / f".gone-{DEAD}-1f2e3d4c").symlink_to(precious)
    (runs_dir / f".new-{DEAD}-1f2e3d4c").write_text("a file")
    assert aside.sweep(runs_dir) == []
    assert (precious / "checkpoints" / "a.pt").exists()


def test_a_place_that_is_not_there_has_nothing_left_in_it(tmp_path: Path) -> None:
    assert aside.sweep(tmp_path / "none") == []


def test_the_next_run_sweeps(runs_dir: Path, tmp_path: Path) -> None:
    folder(runs_dir, f".new-{DEAD}-1f2e3d4c")
    source = tmp_path / "source.toml"
    source.write_text("")
    create(runs_dir, presets.resolve({"method": {"name": "simclr"}}), source=source, name="a")
    assert [path.name for path in runs_dir.iterdir()] == ["a"]


def test_repair_sweeps_and_says_so(runs_dir: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.toml"
    source.write_text("")
    create(runs_dir, presets.resolve({"method": {"name": "simclr"}}), source=source, name="a")
    left = folder(runs_dir, f".gone-{DEAD}-1f2e3d4c")
    command = [sys.executable, "-m", "sslterm", "repair", "a", "--runs-dir", str(runs_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{left.name}: a run half made or half deleted, left behind by a killed process; deleted\n"
    assert [path.name for path in runs_dir.iterdir()] == ["a"]
