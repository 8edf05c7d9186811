"""A summary says where a run is and how well it does, in few reads, and bears whatever its files hold."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import summary
from sslterm.runs.directory import Run
from sslterm.runs.identity import Identity, host
from sslterm.runs.locks import Lock

CREATED = 1_795_000_000.0
GONE = {"pid": 4_000_000, "start": 1, "boot_id": "another", "host": host()}


def contents() -> dict[str, Any]:
    """The files of a run of two stages that finished, in a few words."""
    rows = [
        {"step": 8, "stage": "pretrain", "epoch": 2.0, "time": CREATED + 8, "train/loss": 2.5, "knn/top1": 0.5},
        {"step": 15, "stage": "probe", "epoch": 1.75, "time": CREATED + 15, "step/loss": 1.5, "optimizer/lr": 0.05},
        {"step": 16, "stage": "probe", "epoch": 2.0, "time": CREATED + 16, "step/loss": 1.4, "optimizer/lr": 0.04},
        {"step": 16, "stage": "probe", "epoch": 2.0, "time": CREATED + 17, "train/loss": 1.45, "valid/top1": 0.6,
         "images_per_second": 800.0},
    ]  # fmt: skip
    return {
        "run.json": {
            "schema": 1, "id": "ab", "created": CREATED, "host": host(), "seed": 5, "data": "shapes",
            "encoder": "conv4", "preset": {"file": "presets/mine.toml", "sha256": "0", "title": "Mine"},
            "stages": [
                {"name": "pretrain", "method": "simclr", "epochs": 2},
                {"name": "probe", "method": "supervised", "epochs": 2},
            ],
        },
        "resolved.toml": 'seed = 5\n[data]\nname = "shapes"\n[[stage]]\nname = "probe"\noptimizer = { lr = 0.05 }\n',
        "status.json": {
            "state": "finished", "attempt": 2, "job": "t", "started": CREATED + 1, "ended": CREATED + 20,
            "reason": None, "process": GONE,
        },
        "env.json": {"attempts": [{"attempt": 2, "device": "cuda", "device_name": "H200"}]},
        "notes.json": {"note": "good one", "tags": ["paper"]},
        "jobs/train/job.json": {
            "job": "t", "phase": "ended", "launched": CREATED, "ended": CREATED + 21, "device": "cuda:1",
            "worker": GONE, "supervisor": GONE, "exit": 0,
        },
        "jobs/train/heartbeat.json": {
            "job": "t", "phase": "ending", "stage": "probe", "stage_index": 1, "stages": 2, "epoch": 2, "epochs": 2,
            "step": 0, "steps": 4, "shown": {"loss": 1.45, "top1": 0.5, "valid/top1": 0.6},
            "images_per_second": 900.0, "left": 0.0, "time": CREATED + 18, "beat": 1.0, "due": None, "trouble": None,
        },
        "metrics/0001.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "checkpoints/latest.json": {"file": "probe-0002.pt"},
        "checkpoints/probe-0002.json": {
            "file": "probe-0002.pt", "stage": "probe", "epoch": 2, "metrics": {"train/loss": 1.45, "valid/loss": 1.3},
        },
        "checkpoints/best.json": {
            "pretrain": {"file": "pretrain-0002.pt", "metric": "knn/top1", "value": 0.5},
            "probe": {"file": "probe-0001.pt", "metric": "valid/top1", "value": 0.7},
        },
        "evaluations/probe-0001-head-test-12.json": {"metrics": {"top1": 0.65, "ece": 0.1}, "time": CREATED + 30},
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name, content in contents().items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Run(tmp_path / "mine")


def change(run: Run, name: str, **changes: Any) -> None:
    path = run.path / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


class TestWhatItSays:
    def test_of_a_run_that_is_over(self, run: Run) -> None:
        row = summary.summary(run)
        expected = {
            "name": "mine", "path": str(run.path), "state": "finished", "title": "Mine", "preset": "mine",
            "note": "good one", "tags": ["paper"], "data": "shapes", "encoder": "conv4", "seed": 5,
            "created": CREATED, "updated": CREATED + 21, "attempt": 2, "methods": "simclr → supervised",
            "method": "supervised", "stage": "probe", "epoch": 2, "epochs": 2, "best_metric": "valid/top1",
            "best_value": 0.7, "images_per_second": 900.0, "left": None, "device": "cuda:1", "device_name": "H200",
            "eval": {"top1": 0.65, "ece": 0.1},
        }  # fmt: skip
        assert {key: row[key] for key in expected} == expected
        assert row["best"]["pretrain"] == {"metric": "knn/top1", "value": 0.5, "file": "pretrain-0002.pt"}
        assert row["reason"]
        assert "sslterm eval" in row["advice"]
        assert row.keys() == summary.BLANK.keys()

    def test_the_last_metrics_are_this_stages_by_their_full_names(self, run: Run) -> None:
        assert summary.summary(run)["metrics"] == {
            "step/loss": 1.4, "optimizer/lr": 0.04, "train/loss": 1.45, "train/top1": 0.5, "valid/top1": 0.6,
        }  # fmt: skip

    def test_of_one_at_work_how_long_it_will_take(self, run: Run) -> None:
        me = Identity.mine().written()
        change(run, "status.json", state="running", ended=None, process=me)
        change(run, "jobs/train/job.json", phase="started", worker=me)
        due = time.monotonic() + 60
        change(run, "jobs/train/heartbeat.json", phase="training", left=100.0, time=time.time() - 10, due=due)
        with Lock(run.path / "jobs" / "train" / "lock"):
            row = summary.summary(run)
            assert row["state"] == "running"
            assert 85 < row["left"] <= 90
            assert row["left_of"] == "run"
            assert time.time() - row["updated"] < 20
            change(run, "jobs/train/heartbeat.json", stage="pretrain", stage_index=0)
            assert summary.summary(run)["left_of"] == "stage"

    def test_before_the_first_heartbeat_the_last_row_says_where_it_is(self, run: Run) -> None:
        (run.path / "jobs/train/heartbeat.json").write_text('{"phase": "preparing"}')
        row = summary.summary(run)
        assert (row["stage"], row["epoch"], row["images_per_second"]) == ("probe", 2, 800.0)

    def test_where_the_epochs_own_row_is_far_the_checkpoint_has_its_metrics(self, run: Run) -> None:
        step = {"step": 17, "stage": "probe", "epoch": 2.1, "step/loss": 1.3}
        with (run.metrics / "0001.jsonl").open("a") as file:
            file.writelines(json.dumps({**step, "step": number}) + "\n" for number in range(17, 1000))
        assert summary.summary(run)["metrics"]["valid/loss"] == 1.3

    def test_a_run_that_never_began_is_at_the_start_of_its_first_stage(self, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "run.json").write_text(json.dumps(contents()["run.json"]))
        row = summary.summary(Run(tmp_path / "new"))
        assert (row["stage"], row["method"], row["epoch"], row["epochs"]) == ("pretrain", "simclr", 0, 2)
        assert row["metrics"] == row["best"] == row["eval"] == {}

    def test_an_attempt_without_rows_yet_leaves_those_of_the_one_before(self, run: Run) -> None:
        (run.metrics / "0002.jsonl").write_text("")
        assert summary.last_rows(run.metrics)[-1]["step"] == 16

    def test_the_end_of_long_metrics_costs_no_more_than_that_of_short_ones(self, run: Run) -> None:
        row = json.dumps({"step": 5, "stage": "probe", "epoch": 1.0, "train/loss": 1.0}) + "\n"
        with (run.metrics / "0002.jsonl").open("w") as file:
            file.write(row * 400_000 + '{"step": 6, "torn')
        start = time.process_time()
        rows = summary.last_rows(run.metrics)
        assert time.process_time() - start < 0.1
        assert 100 < len(rows) < 1000
        assert rows[-1]["step"] == 5

    def test_not_a_number_is_kept_among_the_metrics(self, run: Run) -> None:
        change(run, "jobs/train/heartbeat.json", shown={"loss": "nan"})
        assert str(summary.summary(run)["metrics"]["train/loss"]) == "nan"


class TestSettings:
    def test_every_value_has_a_dotted_key(self, run: Run) -> None:
        assert summary.settings(run) == {
            "seed": 5, "data.name": "shapes", "stage.probe.name": "probe", "stage.probe.optimizer.lr": 0.05,
        }  # fmt: skip

    @pytest.mark.parametrize("text", ["", "a = ", "\0", "stage = 3", "stage = [1, {}]", "when = 2020-01-01"])
    def test_what_cannot_be_read_is_left_out(self, run: Run, text: str) -> None:
        (run.path / "resolved.toml").write_text(text)
        json.dumps(summary.settings(run))

    def test_no_file_no_settings(self, tmp_path: Path) -> None:
        assert summary.settings(Run(tmp_path)) == {}


def holds(row: dict[str, Any]) -> bool:
    """Whether a row is one that a list can show, an index keep and a filter ask."""
    json.dumps(row)
    texts = [row[key] for key in ("name", "state", "reason", "advice", "title", "note", "methods")]
    return row.keys() == summary.BLANK.keys() and all(isinstance(text, str) for text in texts) and bool(row["state"])


class TestDamage:
    @pytest.mark.parametrize("name", contents())
    def test_a_file_cut_anywhere_still_makes_a_row(self, run: Run, name: str) -> None:
        whole = (run.path / name).read_bytes()
        for end in range(len(whole)):
            (run.path / name).write_bytes(whole[:end])
            assert holds(summary.summary(run))

    @pytest.mark.parametrize("name", contents())
    @pytest.mark.parametrize("garbage", [b"", b"\0" * 999, b"\xff\xfe{", b"[" * 50_000, b'"\\ud800"', b"1e999", b"{}"])
    def test_garbage_still_makes_a_row(self, run: Run, name: str, garbage: bytes) -> None:
        (run.path / name).write_bytes(garbage)
        assert holds(summary.summary(run))

    @pytest.mark.parametrize("name", [name for name in contents() if name.endswith(".json")])
    @pytest.mark.parametrize(
        "value", ["1", "1e999", "-1", '""', '"x"', "[]", "[[]]", "{}", '{"a": {}}', "true", "null", "9" * 400]
    )
    def test_values_of_other_kinds_still_make_a_row(self, run: Run, name: str, value: str) -> None:
        said = json.loads((run.path / name).read_text())
        for key in said:
            (run.path / name).write_text(json.dumps({**said, key: "HERE"}).replace('"HERE"', value))
            assert holds(summary.summary(run))

    def test_a_damaged_run_json_is_corrupt_and_says_why(self, run: Run) -> None:
        (run.path / "run.json").write_text("{")
        row = summary.summary(run)
        assert row["state"] == "corrupt"
        assert "run.json" in row["reason"]
        assert row["note"] == "good one"

    def test_a_newer_schema_is_never_guessed_at(self, run: Run) -> None:
        change(run, "run.json", schema=99, data="of another kind")
        row = summary.summary(run)
        assert row["state"] == "newer"
        assert row["data"] is None

    def test_a_folder_where_a_file_should_be_and_the_other_way_round(self, run: Run) -> None:
        for name in ("status.json", "notes.json", "metrics/0001.jsonl", "jobs/train/heartbeat.json", "resolved.toml"):
            (run.path / name).unlink()
            (run.path / name).mkdir()
        (run.path / "evaluations").rename(run.path / "elsewhere")
        (run.path / "evaluations").write_text("")
        assert holds(summary.summary(run))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
    def test_a_pipe_among_the_metrics_keeps_nobody_waiting(self, run: Run) -> None:
        os.mkfifo(run.metrics / "0002.jsonl")
        assert summary.summary(run)["metrics"]

    @pytest.mark.parametrize("name", ["a [red]b[bold]", "🦊", "x" * 250, "tab\there", os.fsdecode(b"\xff\xfe")])
    def test_any_name_is_taken_as_it_is(self, run: Run, name: str) -> None:
        moved = Run(run.path.rename(run.path.with_name(name)))
        assert summary.summary(moved)["name"] == name
        assert holds(summary.summary(moved))
