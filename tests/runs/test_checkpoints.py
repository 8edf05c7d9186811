"""Checkpoints are chosen, checked and described without opening a tensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import Run, RunNotFound, checkpoints, files
from sslterm.runs.checkpoints import Checkpoint


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "a")
    run.checkpoints.mkdir(parents=True)
    for place, (stage, index, epoch, step) in enumerate(
        [("pretrain", 0, 10, 0), ("pretrain", 0, 20, 0), ("probe", 1, 5, 0), ("probe", 1, 5, 3)]
    ):
        name = f"{stage}-{epoch:04d}" + (f"+{step:05d}" if step else "") + ".pt"
        (run.checkpoints / name).write_bytes(b"weights" + bytes([place]))
        described = Checkpoint(
            file=name, stage=stage, stage_index=index, epoch=epoch, step=step, total_steps=place, ended=False,
            time=0.0, size=8, sha256=files.sha256(run.checkpoints / name), metrics={"knn/top1": 0.5},
        )  # fmt: skip
        checkpoints.describe(run.checkpoints, described)
    marked = {"pretrain": {"file": "pretrain-0010.pt"}, "probe": {"file": "probe-0005.pt"}}
    checkpoints.point(run, "best", marked)
    return run


def test_they_are_listed_in_the_order_of_training(run: Run) -> None:
    assert [c.file for c in checkpoints.listed(run)] == [
        "pretrain-0010.pt", "pretrain-0020.pt", "probe-0005.pt", "probe-0005+00003.pt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "file"),
    [
        ("last", "probe-0005+00003.pt"),
        ("best", "probe-0005.pt"),
        ("20", "pretrain-0020.pt"),
        ("5", "probe-0005.pt"),
        ("pretrain-10", "pretrain-0010.pt"),
        ("probe-0005.pt", "probe-0005.pt"),
        ("pretrain-0020", "pretrain-0020.pt"),
    ],
)
def test_they_are_chosen_by_what_people_say(run: Run, wanted: str, file: str) -> None:
    assert [c.file for c in checkpoints.chosen(run, wanted)] == [file]


@pytest.mark.parametrize(
    ("wanted", "files"),
    [
        ("20,best", ["pretrain-0020.pt", "probe-0005.pt"]),
        ("probe-0005.pt, 5,pretrain-0010,best,", ["probe-0005.pt", "pretrain-0010.pt"]),
        ("20,all", ["pretrain-0020.pt", "pretrain-0010.pt", "probe-0005.pt", "probe-0005+00003.pt"]),
    ],
)
def test_of_several_each_is_chosen_once_in_the_order_they_were_named(run: Run, wanted: str, files: list[str]) -> None:
    assert [c.file for c in checkpoints.chosen(run, wanted)] == files


@pytest.mark.parametrize("wanted", ["20,77", ",", ""])
def test_one_that_is_not_there_spoils_the_list(run: Run, wanted: str) -> None:
    with pytest.raises(RunNotFound, match="there are pretrain-0010"):
        checkpoints.chosen(run, wanted)


@pytest.mark.parametrize("said", [{"pretrain": {"file": "pretrain-0010.pt"}}, {"probe": {"file": "gone.pt"}}, {}])
def test_where_the_newest_stage_has_no_best_its_last_stands_in(run: Run, said: dict[str, object]) -> None:
    checkpoints.point(run, "best", said)
    assert checkpoints.chosen(run, "best")[0].file == "probe-0005+00003.pt"


@pytest.mark.parametrize(("name", "value"), [("epoch", "1"), ("file", None), ("metrics", []), ("size", "big")])
def test_a_description_of_odd_types_hides_one_checkpoint_not_all(run: Run, name: str, value: object) -> None:
    path = run.checkpoints / "probe-0005.json"
    files.write_json(path, {**files.read_json(path), name: value})
    assert len(checkpoints.listed(run)) == 3


def test_an_unknown_one_lists_those_there_are(run: Run) -> None:
    with pytest.raises(RunNotFound, match="pretrain-0010, pretrain-0020"):
        checkpoints.chosen(run, "77")


def test_damage_is_found_by_size_and_by_digest(run: Run) -> None:
    first = checkpoints.listed(run)[0]
    path = run.checkpoints / first.file
    assert checkpoints.damage(run, first) is None
    path.write_bytes(b"wEights\x00")
    assert "sha256 differs" in str(checkpoints.damage(run, first))
    path.write_bytes(b"wei")
    assert "3 of 8 bytes" in str(checkpoints.damage(run, first))
    path.unlink()
    assert "cannot be read" in str(checkpoints.damage(run, first))


def test_the_newest_good_one_passes_over_the_damaged(run: Run) -> None:
    for name in ("probe-0005+00003.pt", "probe-0005.pt"):
        (run.checkpoints / name).write_bytes(b"cut")
    good, wrong = checkpoints.newest_good(run)
    assert good is not None
    assert good.file == "pretrain-0020.pt"
    assert len(wrong) == 2


def test_a_damaged_description_hides_one_checkpoint_not_all(run: Run) -> None:
    (run.checkpoints / "probe-0005.json").write_text("{")
    assert len(checkpoints.listed(run)) == 3


def test_a_description_cannot_point_out_of_the_run(run: Run) -> None:
    first = checkpoints.listed(run)[0]
    files.write_json(run.checkpoints / "evil.json", {**replace(first, file="../../etc/passwd").__dict__})
    assert len(checkpoints.listed(run)) == 4


@pytest.mark.parametrize("name", ["x" * 2000 + ".pt", "probe-0005.json", "", "pretrain-0010.pt"])
def test_a_description_speaks_of_the_file_beside_it_and_no_other(run: Run, name: str) -> None:
    path = run.checkpoints / "probe-0005.json"
    files.write_json(path, {**files.read_json(path), "file": name})
    assert len(checkpoints.listed(run)) == 3


class TestWhatIsBestOfThoseLeft:
    @pytest.mark.parametrize(
        ("metric", "values", "best"),
        [
            ("knn/top1", (0.5, 0.7, 0.6), 1),
            ("valid/loss", (0.5, 0.7, 0.6), 0),
            ("knn/top1", ("nan", 0.1, "inf"), 1),
            ("knn/top1", (0.7, 0.7, 0.7), 0),
        ],
    )
    def test_it_is_the_best_by_the_same_metric(self, run: Run, metric: str, values: tuple[Any, ...], best: int) -> None:
        first = checkpoints.listed(run)[0]
        there = [replace(first, file=f"{place}.pt", metrics={metric: value}) for place, value in enumerate(values)]
        checkpoints.point(run, "best", {"pretrain": {"file": "gone.pt", "metric": metric, "value": 9.0}})
        said = checkpoints.best_left(run, there)
        assert said == {"pretrain": {"file": f"{best}.pt", "metric": metric, "value": values[best]}}

    def test_a_stage_in_which_nothing_was_measured_has_none(self, run: Run) -> None:
        checkpoints.point(run, "best", {"pretrain": {"file": "gone.pt", "metric": "valid/top1"}, "probe": 3})
        assert checkpoints.best_left(run, checkpoints.listed(run)) == {}
