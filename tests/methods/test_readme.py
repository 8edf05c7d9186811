"""The README's worked example is a method: found by its name, checked, trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from sslterm import methods, presets
from sslterm.engine.train import train
from sslterm.runs import metrics
from sslterm.runs.create import create

README = Path(methods.__file__).with_name("README.md")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example in a folder of its own that methods are looked for in, too."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "align_uniform.py").write_text(code)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])


@pytest.mark.usefixtures("example")
def test_it_trains_and_learns(runs_dir: Path, data_dir: Path, small: dict[str, Any]) -> None:
    said = {**small, "method": {"name": "align_uniform", "projection_dim": 16}, "views": {"flip": 0.5}, "epochs": 4}
    run = create(runs_dir, presets.resolve(said), source=README, name="example")
    train(run, device="cpu", data_dir=data_dir)
    losses = [row["train/loss"] for row in metrics.read(run.metrics) if "train/loss" in row]
    assert losses[-1] < losses[0]


@pytest.mark.usefixtures("example")
def test_its_loss_is_the_papers() -> None:
    kind = methods.find("align_uniform")
    module = __import__(kind.__module__, fromlist=["uniformity"])
    z = torch.nn.functional.normalize(torch.randn(6, 4), dim=1)
    pairs = [torch.exp(-2 * (z[i] - z[j]).square().sum()) for i in range(6) for j in range(i)]
    torch.testing.assert_close(module.uniformity(z), torch.stack(pairs).mean().log())
    assert module.alignment(z, -z).item() == pytest.approx(4.0)
