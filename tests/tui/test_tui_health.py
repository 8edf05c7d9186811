"""Alarms: what ails a run is said in plain words, and healthy runs are left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sslterm.tui.health import STALL, alarm

FALLING = np.geomspace(8, 2, 60)


def curves(loss: Any = FALLING, std: Any = None) -> dict[str, Any]:
    found = {"train/loss": np.asarray(loss, float)}
    if std is not None:
        found |= {"health/std": np.asarray(std, float), "health/std_healthy": np.full(len(std), 0.044)}
    return found


@pytest.mark.parametrize(
    ("ails", "known"),
    [
        ("the loss is nan at epoch 3", curves([3, 2, math.nan])),
        ("the loss is inf", curves([3, 2, math.inf])),
        ("collapsed: the spread of z fell to 0.0002 (healthy: about 0.044)", curves(std=[0.04, 0.0002])),
        ("diverges: the loss rose from 2.000 to 9.000", curves([4, 2, 3, 9])),
        (f"stalls: the loss has not fallen for {STALL + 5} epochs", curves([*FALLING, *[2.01] * (STALL + 5)])),
    ],
)
def test_what_ails_a_run_is_said(ails: str, known: dict[str, Any]) -> None:
    assert (alarm(known) or "").startswith(ails)


@pytest.mark.parametrize(
    "known",
    [
        {},
        curves([]),
        curves([1.0]),
        curves(),
        curves(std=[0.001, 0.04]),
        curves([2, 2.5, 2.2]),
        {"health/std": np.ones(3)},
    ],
)
def test_a_healthy_run_is_left_alone(known: dict[str, Any]) -> None:
    assert alarm(known) is None
