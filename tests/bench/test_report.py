"""What a benchmark says, to people and to scripts."""

from __future__ import annotations

import json

import pytest

from sslterm.bench.report import Report, written
from sslterm.bench.timing import Figure


def report() -> Report:
    made = Report("views: 32 -> 32 pixels")
    made.add(Figure("torchvision", (2400.0, 2600.0), "views/s"))
    made.add(Figure("ours", (24_000.0, 26_000.0), "views/s"), beside="torchvision")
    made.notes.append("kornia is not installed")
    return made


def test_a_figure_stands_beside_its_reference() -> None:
    text = report().text()
    assert "25,000 views/s" in text
    assert "10.00x torchvision" in text
    assert "24,000 to 26,000" in text
    assert text.splitlines()[-1] == "kornia is not installed"


def test_scripts_get_every_value_and_what_it_was_held_against() -> None:
    said = json.loads(json.dumps(report().json()))
    first, second = said["figures"]
    assert (first["beside"], first["ratio"]) == (None, None)
    assert second["beside"] == "torchvision"
    assert second["ratio"] == pytest.approx(10.0)
    assert second["values"] == [24_000.0, 26_000.0]
    assert second["told_apart"] is True


@pytest.mark.parametrize(
    ("value", "text"), [(24_720.4, "24,720"), (99.95, "100.0"), (12.34, "12.3"), (3.8123, "3.81"), (0.0312, "0.0312")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert written(value) == text
