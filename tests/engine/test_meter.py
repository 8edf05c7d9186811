"""Numbers wait on the device until they are read."""

from __future__ import annotations

import math

import pytest
import torch

from sslterm.engine.meter import Meter, first_not_finite, mean


def test_means_are_of_everything_read_in_the_epoch() -> None:
    meter = Meter()
    for value in (1.0, 2.0, 6.0):
        meter.add({"loss": torch.tensor(value), "top1": torch.tensor(0.5)})
    assert meter.waiting == 3
    assert [row["loss"] for row in meter.read()] == [1.0, 2.0, 6.0]
    meter.add({"loss": torch.tensor(3.0), "top1": torch.tensor(0.5)})
    meter.read()
    assert meter.means() == pytest.approx({"loss": 3.0, "top1": 0.5})


def test_a_stop_in_the_middle_remembers_the_sums() -> None:
    first, second = Meter(), Meter()
    first.add({"loss": torch.tensor(4.0)})
    first.read()
    second.load_state_dict(first.state_dict())
    second.add({"loss": torch.tensor(2.0)})
    second.read()
    assert second.means() == {"loss": 3.0}


def test_the_first_loss_that_is_no_number_is_found() -> None:
    rows = [{"loss": 1.0}, {"loss": math.inf}, {"loss": math.nan}]
    assert first_not_finite(rows) == 1
    assert first_not_finite(rows[:1]) is None


def test_nothing_read_has_no_mean() -> None:
    assert Meter().means() == {}
    assert mean([]) == {}
