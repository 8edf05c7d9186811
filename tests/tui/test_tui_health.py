"""Alarms: what ails a run is said in plain words with a remedy, and healthy runs of every method are left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sslterm.tui.reckoning.health import STALL, Stage, alarm

NOISE = np.random.default_rng(0)
EPOCHS = np.arange(200)


def noisy(values: Any, size: float = 0.01) -> Any:
    values = np.asarray(values, float)
    return values * (1 + size * NOISE.standard_normal(len(values)))


def stage(method: str, loss: Any, name: str = "pretrain", **more: Any) -> Stage:
    """`knn`, `valid`, `std`, `codes` and `lr` by their short names."""
    names = {"knn": "knn/top1", "valid": "valid/top1", "std": "health/std", "lr": "optimizer/lr"}
    names["codes"] = "tokenizer/codes_used"
    curves = {"train/loss": np.asarray(loss, float)}
    curves |= {names[key]: np.asarray(values, float) for key, values in more.items()}
    if "std" in more:
        curves["health/std_healthy"] = np.full(len(more["std"]), 0.088)
    return Stage(name, method, curves)


COSINE = 0.5 * (1 + np.cos(np.pi * EPOCHS / 200))
LEARNING = 0.85 - 0.5 * np.exp(-EPOCHS / 40)
FALLING = 2 + 5 * np.exp(-EPOCHS / 30)
HEALTHY = {
    "rotation, as measured": stage(
        "rotation",
        [1.009, 0.854, 0.789, 0.743, 0.707, 0.684],
        knn=[0.294, 0.309, 0.303, 0.292, 0.243, 0.245],
        std=[0.012, 0.013, 0.013, 0.011, 0.013, 0.013],
    ),
    "moco, as measured": stage(
        "moco",
        [7.075, 7.034, 6.859, 6.643, 6.457, 6.323, 6.201, 6.108, 6.014, 6.008],
        knn=[0.321, 0.372, 0.4, 0.398, 0.402, 0.41, 0.423, 0.439, 0.43, 0.429],
        std=[0.036, 0.045, 0.048, 0.056, 0.061, 0.064, 0.069, 0.071, 0.074, 0.077],
    ),
    "simclr": stage("simclr", noisy(FALLING), knn=noisy(LEARNING), lr=COSINE),
    "simclr that is nearly over": stage("simclr", [*FALLING[:110], *[2.13] * 90], lr=COSINE),
    # The queue of 65,536 keys is random at first: easy to tell apart, then ever harder until it is full.
    "moco, whose queue fills": stage("moco", 11.1 - 10.2 * np.exp(-np.arange(12) / 5)),
    "moco, whose queue fills at once": stage("moco", [0.9, 3.1, 8.2, 8.3, 8.25, 8.1]),
    "moco, whose queue fills in steps": stage("moco", [2.0, 1.95, 4.0, 6.0, 7.5, 8.0, 8.1], knn=[0.3, 0.31, 0.35] * 2),
    # The loss falls while the network agrees with itself, rises while images begin to differ, then falls slowly.
    "byol": stage(
        "byol",
        noisy(0.2 + 1.5 * np.exp(-EPOCHS / 2) + 0.6 * (1 - np.exp(-EPOCHS / 10)) - 0.001 * EPOCHS),
        knn=noisy(LEARNING, 0.005),
    ),
    "byol, whose loss rises for long": stage("byol", np.linspace(0.1, 0.9, 100), knn=LEARNING[:100]),
    "simsiam": stage(
        "simsiam",
        -0.95 + 0.9 * np.exp(-EPOCHS / 3) + 0.15 * (1 - np.exp(-EPOCHS / 20)),
        knn=noisy(LEARNING, 0.005),
        std=[0.06] * 200,
    ),
    "simsiam without looks": stage("simsiam", -0.95 + 0.15 * (1 - np.exp(-EPOCHS / 20))),
    "supervised": stage("supervised", noisy(1.8 * np.exp(-EPOCHS / 25) + 0.3), valid=noisy(LEARNING), std=[0.09] * 200),
    "supervised, whose rate falls in stairs": stage(
        "supervised",
        noisy(np.repeat([1.2, 0.7, 0.6], [60, 60, 80]) - 0.002 * EPOCHS),
        lr=np.repeat([0.1, 0.01, 0.001], [60, 60, 80]),
    ),
    "warm-up, in which the loss rises a little": stage("simclr", [5.54, 5.56, 5.57, 5.55, 5.5, 5.3]),
    "a bump": stage("supervised", [2.0, 1.6, 1.4, 2.3, 2.2, 1.5, 1.3]),
    "one look at nothing": stage("simsiam", [-0.5], std=[0.0001]),
    "a spread that comes back": stage("simclr", [6.0, 5.0, 4.0], std=[0.0005, 0.001, 0.004]),
    "a tokenizer, as measured": stage("tokenizer", [0.39, 0.16, 0.12, 0.11], codes=[0.9, 0.96, 0.97, 0.97]),
    "a tokenizer whose codes are yet to be found": stage("tokenizer", [0.9, 0.6, 0.4], codes=[0.02, 0.11, 0.5]),
    "nothing yet": Stage("pretrain", "simclr", {}),
    "no loss yet": stage("simclr", []),
    "one epoch": stage("simclr", [1.0]),
    "a loss of zero": stage("supervised", np.zeros(300)[:30]),
    "looks without a loss": Stage("pretrain", "", {"health/std": np.ones(3), "health/std_healthy": np.zeros(3)}),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_is_left_alone_at_every_epoch(name: str) -> None:
    whole = HEALTHY[name]
    epochs = max((len(values) for values in whole.curves.values()), default=0)
    for until in range(1, epochs + 1):
        curves = {key: values[:until] for key, values in whole.curves.items()}
        assert alarm([Stage(whole.name, whole.method, curves)]) is None, until


FLAT = noisy(np.full(60, 2.0), 0)
AILING = {
    "the loss is nan at epoch 3 of pretrain: a smaller optimizer.lr": stage("moco", [3, 2, math.nan]),
    "the loss is inf": stage("moco", [3, 2, math.inf]),
    "pretrain collapsed: the spread of z is 0.0002 (healthy: about 0.088)": stage(
        "simsiam", [-0.9, -0.99, -1.0], std=[0.05, 0.0003, 0.0002]
    ),
    "pretrain diverges: the loss was 4.000 after the first epoch, 2.000 at best, and is 20.000": stage(
        "simclr", [4, 2, 3, 9, 12, 20]
    ),
    "pretrain diverges: the loss was 1.800": stage("supervised", [1.8, 1.5, 1.4, 2.1, *[2.303] * 40]),
    "pretrain diverges: the loss was 4.600": stage("simclr", [4.6, 9, 40, 300, 900, 1000]),
    "the codes of pretrain are dead: held-out images use 1.4% of them": stage(
        "tokenizer", [0.9, 0.6, 0.5], codes=[0.02, 0.014, 0.014]
    ),
    "pretrain stalls: no gain in the loss or knn/top1 for 20 epochs": stage(
        "simclr", [*FALLING[:40], *np.full(STALL + 1, 4.0)], knn=[*LEARNING[:40], *[0.5] * (STALL + 1)]
    ),
    "pretrain stalls: no gain in knn/top1": stage("byol", FLAT, knn=[*LEARNING[:30], *[0.4] * 30]),
}


@pytest.mark.parametrize("ails", AILING)
def test_what_ails_a_run_is_said_with_a_remedy(ails: str) -> None:
    said = alarm([AILING[ails]])
    assert said is not None
    assert said.startswith(ails)
    assert "optimizer.lr" in said


def test_losses_of_two_stages_are_not_compared() -> None:
    pretrained = stage("rotation", [1.0, 0.8, 0.7], knn=[0.3, 0.31, 0.32])
    assert alarm([pretrained, stage("supervised", [2.3, 2.2, 2.1, 2.0], "probe", valid=[0.2, 0.3, 0.4, 0.5])]) is None


def test_a_stage_that_builds_on_a_collapsed_one_is_not_trusted() -> None:
    collapsed = stage("simsiam", [-0.9, -1, -1], std=[0.01, 0.0002, 0.0002])
    said = alarm([collapsed, stage("supervised", [2.3, 2.3], "probe")])
    assert said is not None
    assert said.startswith("pretrain collapsed")


def test_what_was_built_on_dead_codes_is_not_trusted() -> None:
    dead = stage("tokenizer", [0.9, 0.6], "tokenizer", codes=[0.01, 0.01])
    said = alarm([dead, stage("beit", [0.2, 0.1, 0.1])])
    assert said is not None
    assert said.startswith("the codes of tokenizer are dead")


def test_what_does_not_work_any_more_cannot_stall() -> None:
    stalled = stage("simclr", [*FALLING[:40], *np.full(STALL + 1, 4.0)])
    assert alarm([stalled]) is not None
    assert alarm([stalled], working=False) is None
    assert alarm([]) is None
