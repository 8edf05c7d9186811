"""What several tests need: one thread (parallel test processes must not fight), a small preset, a place for runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
# A terminal of one's own: no colour, no width that depends on who runs the tests.
os.environ.update(NO_COLOR="1", TERM="dumb", COLUMNS="100")


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than cores, for many tests wait for processes, terminals and signals."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: begun last, they would keep one worker long after the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for the whole session: shapes are drawn once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def small() -> dict[str, Any]:
    """A preset without its method: trains in a second, four steps an epoch."""
    return {
        "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32, "labeled": 0.5},
        "encoder": {"name": "tinyvgg-a"},
        "monitor": {"log_every": 2, "bank": 64, "queries": 32},
        "epochs": 2,
        "batch_size": 32,
    }
