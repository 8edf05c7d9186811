"""Filters: which runs a line of words means, and what is said where it means nothing."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from sslterm.errors import UsageError
from sslterm.runs.filters import Filter, FilterError
from sslterm.runs.summary import BLANK

MOCO: dict[str, Any] = {
    **BLANK,
    "name": "2026-11-22_1403_moco",
    "state": "running",
    "title": "MoCo",
    "note": "with a long queue",
    "tags": ["paper", "Seed sweep"],
    "preset": "moco",
    "data": "cifar10",
    "encoder": "resnet18",
    "seed": 3,
    "created": time.time() - 3 * 3600,
    "methods": "moco → supervised",
    "method": "supervised",
    "stages": [
        {"name": "pretrain", "method": "moco", "epochs": 200},
        {"name": "probe", "method": "supervised", "epochs": 30},
    ],
    "stage": "probe",
    "epoch": 12,
    "best": {
        "pretrain": {"metric": "knn/top1", "value": 0.82, "file": "pretrain-0180.pt"},
        "probe": {"metric": "valid/top1", "value": 0.84, "file": "probe-0011.pt"},
    },
    "metrics": {
        "train/loss": 0.5,
        "train/top1": 0.83,
        "valid/top1": 0.8,
        "health/rank": 60.0,
        "step/loss": float("nan"),
    },
    "eval": {"top1": 0.835},
    "device": "cuda:1",
    "device_name": "NVIDIA H200",
    "cfg": {
        "data.name": "cifar10",
        "monitor.every": 1,
        "stage.pretrain.optimizer.lr": 0.06,
        "stage.pretrain.optimizer.nesterov": False,
        "stage.pretrain.views.area": [0.08, 1.0],
        "stage.probe.optimizer.lr.head": 1e-3,
        "stage.probe.optimizer.lr.layer4": 1e-5,
        "stage.probe.schedule.name": "cosine",
    },
}


def fits(text: str, row: dict[str, Any] = MOCO) -> bool:
    return Filter(text).fits(row)


class TestWords:
    def test_nothing_means_every_run(self) -> None:
        assert fits("")
        assert fits("  ", BLANK)

    @pytest.mark.parametrize(
        "text", ["moco", "MOCO", "1403", "long", "sweep", '"long queue"', "2026*moco", "moco paper"]
    )
    def test_a_bare_word_is_found_in_what_people_called_it(self, text: str) -> None:
        assert fits(text)

    @pytest.mark.parametrize("text", ["byol", "cifar10", '"queue long"', "moco byol", "1403*x"])
    def test_and_not_elsewhere(self, text: str) -> None:
        assert not fits(text)

    def test_names_of_any_kind_can_be_asked_for(self) -> None:
        for name in ("a [red]b[/red]", "🦊 of 100 €", "x" * 300, "b(1)", "a-b-c", "a:b"):
            assert Filter(f'"{name}"').fits({**BLANK, "name": name})
        assert Filter("b(1)").fits({**BLANK, "name": "b(1)"})


class TestLogic:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("moco -byol", True), ("-moco", False), ("--moco", True), ("- byol", True),
            ("byol | moco", True), ("byol|moco", True), ("byol | simclr", False),
            ("moco byol | paper", True), ("byol paper | moco simclr", False), ("moco (byol | paper)", True),
            ("-(moco | byol)", False), ("-(byol simclr)", True), ("((moco))", True), ("(tag:paper)(moco)", True),
            ("state:failed|state:running", True), ("-note:debug state:running", True),
        ],
    )  # fmt: skip
    def test_spaces_bind_tighter_than_bars(self, text: str, expected: bool) -> None:
        assert fits(text) is expected


class TestComparisons:
    @pytest.mark.parametrize(
        "text",
        [
            "state:running", "state:r*", "state!=failed", "name:moco", "name:2026*", "name=2026-11-22_1403_moco",
            "method:moco", "method:supervised", "method!=byol", "data:cifar10", "data:CIFAR*", "encoder:resnet18",
            "preset:moco", "stage:probe", "tag:paper", 'tag:"seed sweep"', "tag!=draft", "note:queue", "note:*",
            'note:"a long"', "device:cuda", "device:cuda:1", "device:h200", "title=moco", "seed:3", "seed=3.0",
            "seed<4", "epoch>=12", "epoch<=12", "age<1d", "age>90m", "age<0.5w",
        ],
    )  # fmt: skip
    def test_what_fits(self, text: str) -> None:
        assert fits(text)

    @pytest.mark.parametrize(
        "text",
        [
            "state:failed", "state!=running", "name=moco", "method:moc", "data:cifar", "data=cifar*", "tag:pap",
            "tag!=paper", "method!=moco", "note=queue", "stage:pretrain", "seed:30", "seed>3", "age>1d", "host:here",
        ],
    )  # fmt: skip
    def test_what_does_not(self, text: str) -> None:
        assert not fits(text)

    @pytest.mark.parametrize(
        "comparison",
        [
            "note:x",
            "data!=x",
            "seed<1",
            "seed>=0",
            "age<1d",
            "metric.knn>0",
            "metric.knn!=0",
            "cfg.a.b:1",
            "eval.top1<1",
        ],
    )
    def test_what_is_missing_fits_no_comparison_and_so_its_negation(self, comparison: str) -> None:
        row = {**BLANK, "cfg": {}}
        assert not fits(comparison, row)
        assert fits(f"-{comparison}", row)


class TestMetrics:
    @pytest.mark.parametrize(
        "text",
        [
            "metric.knn>0.8", "metric.knn/top1=0.82", "metric.valid=0.84", "metric.valid/top1>0.83", "metric.loss<1",
            "metric.acc>0.8", "metric.top1>=0.83", "metric.rank>50", "metric.health/rank:60", "metric.step/loss:nan",
            "eval.top1>0.83",
        ],
    )  # fmt: skip
    def test_the_best_is_asked_for_and_where_there_is_none_the_last(self, text: str) -> None:
        assert fits(text)

    def test_nan_is_neither_more_nor_less(self) -> None:
        assert not fits("metric.step/loss<1 | metric.step/loss>=1")

    def test_the_best_loss_is_the_least(self) -> None:
        best = {"a": {"metric": "valid/loss", "value": 2.0}, "b": {"metric": "valid/loss", "value": 1.0}}
        assert fits("metric.valid/loss=1", {**BLANK, "best": best})


class TestSettings:
    @pytest.mark.parametrize(
        "text",
        [
            "cfg.optimizer.lr>=0.01", "cfg.stage.pretrain.optimizer.lr=6e-2", "cfg.optimizer.nesterov:false",
            "cfg.data.name:cifar10", "cfg.monitor.every=1", "cfg.views.area:0.08", "cfg.schedule.name:cos*",
            "cfg.stage.probe.optimizer.lr<1e-4", "cfg.stage.probe.optimizer.lr.head=0.001",
        ],
    )  # fmt: skip
    def test_of_the_run_of_any_stage_or_of_one(self, text: str) -> None:
        assert fits(text)

    @pytest.mark.parametrize(
        "text",
        [
            "cfg.optimizer.lr>0.1", "cfg.stage.probe.optimizer.lr>=0.01", "cfg.optimizer.nesterov>-1", "cfg.data:mnist",
            "cfg.optimizer.l:0.06", "cfg.optimizer.lr!=0.06",
        ],
    )  # fmt: skip
    def test_and_not_of_another(self, text: str) -> None:
        assert not fits(text)

    def test_a_row_without_them_has_them_read_from_the_run(self, tmp_path: Path) -> None:
        (tmp_path / "resolved.toml").write_text("[optimizer]\nlr = 0.3\n")
        row = {**BLANK, "path": str(tmp_path)}
        assert fits("cfg.optimizer.lr>0.2", row)
        assert not fits("cfg.optimizer.lr>0.3", row)
        assert "cfg" not in row

    def test_a_slip_is_pointed_out_where_no_run_fits(self) -> None:
        with pytest.raises(FilterError, match=r"asks for cfg\.optimiser\.lr.*did you mean cfg\.optimizer\.lr\?"):
            Filter("cfg.optimiser.lr>0").look_for_slips(["data.name", "stage.pretrain.optimizer.lr"])
        Filter("cfg.method.queue>0").look_for_slips(["data.name", "stage.pretrain.optimizer.lr"])
        Filter("cfg.optimizer.lr>9").look_for_slips(["stage.pretrain.optimizer.lr"])


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("state:running metod:moco", "at character 15: 'metod:moco' asks for metod.*did you mean method?"),
            ("state:runing", "did you mean running?"),
            ("knn>0.8", "did you mean metric.knn?"),
            ("optimizer.lr>1", "did you mean cfg.optimizer.lr?"),
            ("colour:red", "which no run has; there are state, name"),
            ("cfg.:1", "asks for cfg., which no run has"),
            ("note:", "says nothing after :"),
            ("seed>three", "compares with 'three', which is no number"),
            ("name>b", "compares texts by order; use name: or name="),
            ("age<2", "is no age; say it as in age<90m"),
            ("age:2d", "asks for an exact age"),
            ('moco "a b', "at character 6: '\"a b' has a quotation mark that is never closed"),
            ("(a | b", "at character 1: '(' opens a bracket that is never closed"),
            ("a)", "at character 2: ')' closes a bracket that was never opened"),
            ("a | | b", "at character 5: '|' has no words before it"),
            ("| a", "at character 1: '|' has no words"),
            ("a |", "at character 3: '|' has no words"),
            ("()", "has no words"),
            ("a -", "at character 3: '-' says that something is not wanted, but not what"),
            ("(" * 9000, "more than 200 words"),
            ("-" * 9000 + "a", "more than 200 words"),
        ],
    )
    def test_a_sentence_says_where_and_what_would_be_right(self, text: str, sentence: str) -> None:
        with pytest.raises(FilterError) as error:
            Filter(text)
        for part in sentence.split(".*"):
            assert part in str(error.value)
        assert isinstance(error.value, UsageError)

    def test_every_text_is_understood_or_refused(self) -> None:
        pieces = [
            "a",
            "state:",
            '"',
            "(",
            ")",
            "|",
            "-",
            ">",
            "=",
            "!",
            "cfg.",
            " ",
            "*",
            "metric.knn>1",
            "\0",
            "🦊",
            "\\",
        ]
        for first in pieces:
            for second in pieces:
                for third in pieces:
                    text = first + second + third
                    with contextlib.suppress(FilterError):
                        Filter(text).fits(MOCO)

    def test_the_longest_filter_is_tried_without_a_complaint(self) -> None:
        assert fits("(" * 99 + "moco" + ")" * 99)
        assert fits("-" * 198 + "moco")
