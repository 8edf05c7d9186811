"""Run directories: made whole, found by what people call them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sslterm import presets
from sslterm.runs import Run, RunError, RunNotFound, find, list_runs
from sslterm.runs.create import create
from sslterm.runs.files import write_json


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text('epochs = 3\n[method]\nname = "simclr"\n')
    return path


def made(runs_dir: Path, source: Path, name: str | None = None) -> Run:
    return create(runs_dir, presets.load(source), source=source, name=name, argv=["sslterm", "run"])


class TestCreating:
    def test_a_run_holds_what_was_asked_for_and_what_applies(self, runs_dir: Path, source: Path) -> None:
        run = made(runs_dir, source)
        assert (run.path / "preset.toml").read_bytes() == source.read_bytes()
        assert run.preset() == presets.load(source)
        assert run.info()["argv"] == ["sslterm", "run"]
        assert run.name.endswith("_mine")

    def test_two_runs_of_one_minute_have_two_names(self, runs_dir: Path, source: Path) -> None:
        assert len({made(runs_dir, source).name for _ in range(3)}) == 3

    def test_a_taken_name_is_refused(self, runs_dir: Path, source: Path) -> None:
        made(runs_dir, source, "mine")
        with pytest.raises(RunError, match="there is a run of this name"):
            made(runs_dir, source, "mine")

    @pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "-x", "", "a\x1b[2J", "x" * 2000, "last", "a\\b"])
    def test_a_name_that_could_do_harm_is_refused(self, runs_dir: Path, source: Path, name: str) -> None:
        with pytest.raises(RunError, match="a run's name"):
            made(runs_dir, source, name)
        assert not runs_dir.exists() or not list_runs(runs_dir)

    def test_nothing_is_left_beside_the_run(self, runs_dir: Path, source: Path) -> None:
        run = made(runs_dir, source, "mine")
        assert [p.name for p in runs_dir.iterdir()] == [run.name]

    @pytest.mark.skipif(os.geteuid() != 0 and not os.access("/proc", os.R_OK), reason="needs a place that refuses")
    def test_a_place_that_refuses_is_a_sentence(self, source: Path) -> None:
        with pytest.raises(RunError, match="a run cannot be made here"):
            made(Path("/proc/nowhere"), source)


class TestFinding:
    def test_by_path_name_prefix_and_last(self, runs_dir: Path, source: Path) -> None:
        first, second = made(runs_dir, source, "alpha"), made(runs_dir, source, "beta-1")
        for reference in (str(second.path), "beta-1", "be", "last"):
            assert find(reference, runs_dir) == second
        assert find("alpha", runs_dir) == first

    def test_the_date_in_front_may_be_left_out(self, runs_dir: Path, source: Path) -> None:
        run = made(runs_dir, source)
        made(runs_dir, source, "other")
        assert find("mine", runs_dir) == run

    def test_a_prefix_of_two_is_refused_with_both(self, runs_dir: Path, source: Path) -> None:
        made(runs_dir, source, "moco-a1")
        made(runs_dir, source, "moco-a2")
        with pytest.raises(RunNotFound, match="moco-a1, moco-a2"):
            find("moco", runs_dir)

    def test_an_unknown_run_names_the_nearest(self, runs_dir: Path, source: Path) -> None:
        made(runs_dir, source, "moco-a1")
        with pytest.raises(RunNotFound, match="did you mean moco-a1"):
            find("moko-a1", runs_dir)

    def test_no_runs_yet_says_how_to_start(self, runs_dir: Path) -> None:
        with pytest.raises(RunNotFound, match="sslterm run quickstart"):
            find("last", runs_dir)

    def test_last_passes_over_a_damaged_run(self, runs_dir: Path, source: Path) -> None:
        whole = made(runs_dir, source, "whole")
        (runs_dir / "zzz").mkdir()
        (runs_dir / "zzz" / "run.json").write_text("{")
        assert find("last", runs_dir) == whole


class TestReadingDamage:
    @pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01", "[" * 100_000])
    def test_a_damaged_run_json_is_a_sentence(self, runs_dir: Path, source: Path, text: str) -> None:
        run = made(runs_dir, source)
        (run.path / "run.json").write_text(text)
        with pytest.raises(RunError, match=r"run\.json"):
            run.info()

    def test_a_newer_schema_is_never_guessed_at(self, runs_dir: Path, source: Path) -> None:
        run = made(runs_dir, source)
        info: dict[str, Any] = json.loads((run.path / "run.json").read_text())
        write_json(run.path / "run.json", {**info, "schema": 99})
        with pytest.raises(RunError, match="newer sslterm"):
            run.info()

    def test_a_missing_resolved_preset_is_a_sentence(self, runs_dir: Path, source: Path) -> None:
        run = made(runs_dir, source)
        (run.path / "resolved.toml").unlink()
        with pytest.raises(RunError, match="cannot be used without it"):
            run.preset()
