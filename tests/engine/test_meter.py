"""Numbers wait on the device until they are read."""

from __future__ import annotations

import math

import pytest
import torch

from sslterm.engine.meter import Meter, first_not_finite, mean


def read(meter: Meter) -> list[dict[str, float]]:
    """Everything, at once."""
    meter.send()
    return [row for rows, _ in meter.arrived(wait=True) for row in rows]


def test_means_are_of_everything_read_in_the_epoch() -> None:
    meter = Meter()
    for value in (1.0, 2.0, 6.0):
        meter.add({"loss": torch.tensor(value), "top1": torch.tensor(0.5)})
    assert meter.waiting == 3
    assert [row["loss"] for row in read(meter)] == [1.0, 2.0, 6.0]
    meter.add({"loss": torch.tensor(3.0), "top1": torch.tensor(0.5)})
    read(meter)
    assert meter.means() == pytest.approx({"loss": 3.0, "top1": 0.5})


class Slow:
    """As a GPU's event: not yet, until it is waited for."""

    there = False

    def query(self) -> bool:
        return self.there

    def synchronize(self) -> None:
        self.there = True


def test_what_has_not_come_is_not_waited_for_and_comes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Slow] = []

    def under_way(numbers: torch.Tensor) -> tuple[torch.Tensor, Slow]:
        events.append(Slow())
        return numbers, events[-1]

    monkeypatch.setattr("sslterm.engine.meter._under_way", under_way)
    meter = Meter()
    for value in (1.0, 2.0, 6.0):
        meter.add({"loss": torch.tensor(value)})
        meter.send(f"after {value:g}")
    assert meter.waiting == 0
    assert meter.arrived(wait=False) == []
    assert meter.means() == {}
    events[1].there = True
    assert meter.arrived(wait=False) == []  # the second never before the first
    events[0].there = True
    assert meter.arrived(wait=False) == [([{"loss": 1.0}], "after 1"), ([{"loss": 2.0}], "after 2")]
    assert meter.means() == {"loss": 1.5}
    assert meter.arrived(wait=True) == [([{"loss": 6.0}], "after 6")]
    assert meter.means() == {"loss": 3.0}


def test_a_checkpoint_never_forgets_what_is_still_under_way() -> None:
    meter = Meter()
    meter.add({"loss": torch.tensor(1.0)})
    with pytest.raises(AssertionError):
        meter.state_dict()
    meter.send()
    with pytest.raises(AssertionError):
        meter.state_dict()
    meter.arrived(wait=True)
    assert meter.state_dict() == {"sums": {"loss": 1.0}, "steps": 1}


def test_a_stop_in_the_middle_remembers_the_sums() -> None:
    first, second = Meter(), Meter()
    first.add({"loss": torch.tensor(4.0)})
    read(first)
    second.load_state_dict(first.state_dict())
    second.add({"loss": torch.tensor(2.0)})
    read(second)
    assert second.means() == {"loss": 3.0}


def test_the_first_loss_that_is_no_number_is_found() -> None:
    rows = [{"loss": 1.0}, {"loss": math.inf}, {"loss": math.nan}]
    assert first_not_finite(rows) == 1
    assert first_not_finite(rows[:1]) is None


def test_nothing_read_has_no_mean() -> None:
    assert Meter().means() == {}
    assert mean([]) == {}
