"""What `sslterm check` says: the classic mistakes, each by name."""

from __future__ import annotations

from typing import Any

import pytest

from sslterm import presets
from sslterm.engine.check import check, problems
from sslterm.presets import PresetError

SIMCLR = {"name": "simclr"}


def said(written: dict[str, Any]) -> dict[str, str]:
    return {problem.key: problem.text for problem in problems(presets.resolve(written))}


@pytest.mark.parametrize("name", sorted(presets.shipped()))
def test_every_shipped_preset_can_run_without_a_warning(name: str) -> None:
    path = presets.shipped()[name]
    assert [str(problem) for problem in check(presets.load(path), str(path))] == []


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown method": ({"method": {"name": "simclrr"}}, "method.name", "did you mean simclr?"),
    "an unknown knob": (
        {"method": {"name": "byol", "teacher_momentun": 0.9}},
        "method.teacher_momentun",
        "did you mean",
    ),
    "an unknown data set": ({"method": SIMCLR, "data": {"name": "cifar"}}, "data.name", "did you mean cifar10?"),
    "a folder unsaid": (
        {"method": SIMCLR, "data": {"name": "image_folder"}},
        "data.folder",
        "say where the images are",
    ),
    "one image for all": ({"method": SIMCLR, "data": {"train": 1}}, "data.train", "write 1.0 for all"),
    "a queue that the batch does not divide": (
        {"method": {"name": "moco", "queue": 1000}, "batch_size": 256},
        "method",
        "no multiple of the 256 keys",
    ),
    "split batch norm that does not divide": (
        {"method": {"name": "moco", "bn_splits": 7, "queue": 512}, "batch_size": 256},
        "method",
        "bn_splits = 7 does not divide",
    ),
    "batch norm with a batch too small": (
        {"method": SIMCLR, "batch_size": 8},
        "batch_size",
        "batch norm sees 8 images at a time",
    ),
    "a frozen part in the optimizer": (
        {"method": {"name": "supervised", "train": "head"}, "optimizer": {"lr": {"layer4": 1e-5, "head": 1e-3}}},
        "optimizer.lr.layer4",
        "no trained part has this name",
    ),
    "an unknown part": (
        {"method": {"name": "supervised", "train": ["layer9"]}},
        "method.train",
        "'layer9' is no part of this network",
    ),
    "statistics of another data set than the weights'": (
        {
            "method": SIMCLR,
            "data": {"name": "cifar10"},
            "encoder": {"name": "resnet18", "stem": "imagenet", "weights": "imagenet"},
        },
        "data.normalise",
        "another data set than the weights' own",
    ),
    "imagenet weights on a cifar stem": (
        {"method": SIMCLR, "encoder": {"weights": "imagenet"}, "data": {"normalise": "weights"}},
        "encoder.stem",
        'made for stem = "imagenet"',
    ),
    "a plateau stepped by step": (
        {"method": {"name": "supervised"}, "schedule": {"name": "plateau", "per": "step"}},
        "schedule.per",
        "steps once an epoch",
    ),
    "a step schedule that never falls": (
        {"method": SIMCLR, "epochs": 10, "schedule": {"name": "step", "every": 30}},
        "schedule.every",
        "never falls",
    ),
    "a warm-up that never ends": (
        {"method": SIMCLR, "epochs": 5, "schedule": {"warmup": 10.0}},
        "schedule.warmup",
        "all of 5",
    ),
    "a metric that nobody measures": (
        {"method": SIMCLR, "early_stopping": {"patience": 3}},
        "early_stopping.metric",
        "'valid/top1' is not measured in this stage",
    ),
    "jitter without strength": ({"method": SIMCLR, "views": {"jitter": 0.8}}, "views.jitter", "changes nothing"),
    "strength without jitter": ({"method": SIMCLR, "views": {"hue": 0.1}}, "views.jitter", "never change"),
    "a range that falls": ({"method": SIMCLR, "views": {"area": [0.9, 0.2]}}, "views.area", "must rise"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_names(case: str) -> None:
    written, key, text = CASES[case]
    assert text in said(written)[key]


def test_errors_and_warnings_come_together() -> None:
    written = {"method": {"name": "moco", "queue": 1000}, "views": {"jitter": 0.8, "area": [0.9, 0.2]}}
    with pytest.raises(PresetError) as caught:
        check(presets.resolve(written), "mine.toml")
    assert {p.key for p in caught.value.problems} == {"method", "views.jitter", "views.area"}
    assert "mine.toml: views.area" in str(caught.value)


def test_a_warning_does_not_keep_a_preset_from_running() -> None:
    found = check(presets.resolve({"method": SIMCLR, "batch_size": 8}), "mine.toml")
    assert [problem.warning for problem in found] == [True]
