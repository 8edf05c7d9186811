"""A run that has been trained and evaluated, once for all tests of pictures; and a copy of it to be hurt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pictured import evaluated, made, preset

from sslterm.engine.progress import Progress
from sslterm.engine.train import train
from sslterm.runs import Run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Run:
    """A run that has been evaluated by its head."""
    run = made(tmp_path_factory.mktemp("trained"), preset())
    train(run, device="cpu", data_dir=data_dir, progress=Progress())
    evaluated(run, data_dir)
    return run


@pytest.fixture
def run(trained: Run, tmp_path: Path) -> Run:
    """A copy of it, to be hurt."""
    return Run(Path(shutil.copytree(trained.path, tmp_path / "runs" / "a")))
