"""What a list shows of checkpoints: descriptions, pointers and evaluations in one row each, whatever the files hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import Run, checkpoints, files, inventory
from sslterm.runs.wholeness import CHANGED, GONE, VERIFIED, Finding, Verifier

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
ALWAYS, NEVER = (lambda: True), (lambda: False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    shutil.copytree(RECORDED, tmp_path / "a")
    return Run(tmp_path / "a")


def row_of(run: Run) -> dict[str, Any]:
    (row,) = inventory.rows(run)
    return row


class TestRows:
    def test_a_row_says_all_and_can_be_printed(self, run: Run) -> None:
        row = row_of(run)
        assert (row["run"], row["file"], row["epoch"], row["best"], row["latest"]) == (
            "a", "supervised-0002.pt", 2, True, True,
        )  # fmt: skip
        assert row["path"] == str(run.checkpoints / "supervised-0002.pt")
        assert row["metrics"]["knn/top1"] == 0.94
        plain, flipped = row["evaluations"]
        assert (plain["protocol"], plain["split"], plain["augmented"], plain["n"]) == ("head", "test", "", 359)
        assert flipped["augmented"] == "flip"
        assert flipped["top1"] == pytest.approx(0.9499, abs=1e-4)
        assert json.loads(json.dumps(row)) == row

    def test_answers_about_another_file_of_that_name_do_not_count(self, run: Run) -> None:
        path = run.checkpoints / "supervised-0002.json"
        files.write_json(path, {**files.read_json(path), "sha256": "0" * 64})
        assert row_of(run)["evaluations"] == []

    def test_of_one_question_asked_twice_the_newest_answer_counts(self, run: Run) -> None:
        path = sorted(run.evaluations.glob("*.json"))[0]
        said = files.read_json(path)
        for name, time, top1 in (("newer", said["time"] + 9, 0.25), ("older", said["time"] - 9, 0.75)):
            files.write_json(
                run.evaluations / f"{name}.json", {**said, "time": time, "metrics": {**said["metrics"], "top1": top1}}
            )
        assert sorted(one["top1"] for one in row_of(run)["evaluations"])[0] == 0.25
        assert len(row_of(run)["evaluations"]) == 2

    @pytest.mark.parametrize(
        "odd", [{"metrics": 3}, {"checkpoint": []}, {"tta": "yes"}, {"tta": {"scales": 7}}, {"split": None}, {"n": "x"}]
    )
    def test_answers_of_odd_kinds_are_borne(self, run: Run, odd: dict[str, Any]) -> None:
        for path in run.evaluations.glob("*.json"):
            files.write_json(path, {**files.read_json(path), **odd})
        assert len(inventory.rows(run)) == 1

    def test_a_run_that_is_gone_has_none(self, run: Run) -> None:
        shutil.rmtree(run.path)
        assert inventory.rows(run) == []

    def test_pointers_of_odd_kinds_mark_nothing(self, run: Run) -> None:
        (run.checkpoints / "best.json").write_text('{"supervised": {"file": ["x"]}, "probe": 3}')
        assert not row_of(run)["best"]


class TestWholeness:
    def test_a_file_is_read_once_and_again_only_when_it_changed(self, run: Run) -> None:
        row, verifier = row_of(run), Verifier()
        assert verifier.known(row) is None
        assert verifier.read(row, ALWAYS) == VERIFIED == verifier.known(row)
        content = bytearray(Path(row["path"]).read_bytes())
        content[1000] ^= 1
        Path(row["path"]).write_bytes(content)
        assert verifier.known(row) is None
        assert verifier.read(row, ALWAYS) == Finding("damaged", row["size"]) == verifier.known(row)
        verifier.forget(row["path"])
        assert verifier.known(row) is None

    def test_another_size_is_damage_without_reading(self, run: Run) -> None:
        row = row_of(run)
        Path(row["path"]).write_bytes(b"cut")
        assert Verifier().known(row) == Finding("damaged", 3)

    def test_nobody_reads_on_where_nobody_wants_to_know(self, run: Run) -> None:
        verifier = Verifier()
        assert verifier.read(row_of(run), NEVER) is None
        assert verifier.known(row_of(run)) is None

    def test_a_file_that_went_away_is_gone_and_not_damaged(self, run: Run) -> None:
        row = row_of(run)
        Path(row["path"]).unlink()
        assert Verifier().known(row) == Verifier().read(row, ALWAYS) == GONE

    def test_a_file_that_was_written_anew_with_its_description_is_not_damaged(self, run: Run) -> None:
        row, path = row_of(run), run.checkpoints / "supervised-0002.json"
        Path(row["path"]).write_bytes(b"another epoch")
        files.write_json(path, {**files.read_json(path), "sha256": "1" * 64, "size": 13})
        assert Verifier().known(row) == Verifier().read(row, ALWAYS) == CHANGED

    def test_a_folder_in_its_place_is_damage_with_a_reason(self, run: Run) -> None:
        row = row_of(run)
        Path(row["path"]).unlink()
        Path(row["path"]).mkdir()
        found = Verifier().read(row, ALWAYS)
        assert found is not None
        assert found.problem

    def test_it_agrees_with_what_the_command_says(self, run: Run) -> None:
        (described,) = checkpoints.listed(run)
        assert checkpoints.damage(run, described) is None
        Path(row_of(run)["path"]).write_bytes(b"cut")
        assert "3 of 406,101 bytes" in str(checkpoints.damage(run, described))
