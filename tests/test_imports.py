"""What is loaded when: nothing heavy before it is needed. Each check is a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torch._dynamo", "torchvision", "numpy", "textual", "sklearn", "scipy", "PIL", "tensorboardX")


def loaded_after(code: str) -> set[str]:
    probe = f"{code}\nimport sys; print('\\n'.join(n for n in {HEAVY} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if line in HEAVY}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["eval", "--help"], ["presets"], ["--version"], ["ls"], ["queue"]]
)
def test_help_and_lists_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['sslterm', *{arguments}]\n"
        "from sslterm.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert loaded_after(code) == set()


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_preset_that_is_not_there_is_missed_before_anything_heavy_is_loaded(command: str) -> None:
    code = (
        f"import sys; sys.argv = ['sslterm', '{command}', 'nowhere.toml']\n"
        "from sslterm.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 3, end.code"
    )
    assert loaded_after(code) == set()


READERS = [
    "presets",
    "runs",
    "runs.index",
    "jobs.launch",
    "jobs.supervisor",
    "follow",
    "data.catalog",
    "tables",
    "doctor",
]


@pytest.mark.parametrize("module", [f"sslterm.{name}" for name in READERS])
def test_what_readers_need_loads_nothing_heavy(module: str) -> None:
    assert loaded_after(f"import {module}") == set()


def test_the_learner_loads_torchvision_only_where_an_encoder_needs_it() -> None:
    resnet = (
        "import sslterm.engine.train, sslterm.engine.evaluate; from sslterm import presets;"
        "from sslterm.models.encoders import build_encoder; build_encoder(presets.Encoder(name='resnet18'), 3)"
    )
    assert not loaded_after(resnet) & {"torch._dynamo", "torchvision", "textual", "sklearn"}


def test_a_step_of_training_does_not_load_torchs_compiler() -> None:
    step = (
        "import torch; from sslterm.engine.optimizers import Adam; weight = torch.nn.Parameter(torch.ones(3));"
        "weight.grad = torch.ones(3); Adam([{'params': [weight]}], (0.9, 0.99)).step()"
    )
    assert "torch._dynamo" not in loaded_after(step)
