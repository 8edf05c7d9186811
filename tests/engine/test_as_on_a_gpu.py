"""A step as it would run on a GPU, as far as a machine without one can tell: nothing there meets what is on the CPU,
and nothing has to be known here of what is computed there.

Tensors on the pretended GPU have sizes and no numbers: whoever asks them for one, by `.item()` or a boolean mask,
fails. What is on the CPU is computed as ever, for a view's draws are made there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from staging import in_training
from told import TINY, encoder_of
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch._subclasses.fake_tensor import unset_fake_temporarily as really
from torch.utils._pytree import tree_leaves

from sslterm.engine import looking, step
from sslterm.engine.knn import knn_probabilities
from sslterm.engine.optim import clip
from sslterm.engine.stage import StageInTraining
from sslterm.methods import find

GPU = torch.device("cuda:0")
VIEWS = {
    "crop": "resized", "area": [0.3, 1.0], "flip": 0.5, "jitter": 0.8, "brightness": 0.4, "contrast": 0.4,
    "saturation": 0.4, "hue": 0.1, "gray": 0.2, "blur": 0.3, "solarize": 0.2, "rotate": 10.0, "translate": 0.1,
    "quarter_turns": True,
}  # fmt: skip


class PretendedGPU(FakeTensorMode):
    """What touches the GPU is pretended, all else is computed."""

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten._pin_memory.default:
            return args[0]
        if any(map(on_the_gpu, tree_leaves((args, kwargs)))):
            return super().__torch_dispatch__(func, types, args, kwargs)
        with really():
            return func(*args, **kwargs)


def on_the_gpu(leaf: Any) -> bool:
    return isinstance(leaf, FakeTensor) or (isinstance(leaf, torch.device) and leaf.type == "cuda")


def stage_of(name: str, small: dict[str, Any], data_dir: Path, **said: Any) -> StageInTraining:
    """On the CPU still; its only stage, or the one behind what it needs."""
    one = {"name": name, "method": {"name": name, **TINY[name]}}
    before = find(name).needs
    first = [{"name": before, "method": {"name": before, **TINY[before]}}] if before else []
    written = {**small, "batch_size": 24, "encoder": encoder_of(name), "views": VIEWS, **said, "stage": [*first, one]}
    stage = in_training(written, data_dir, index=len(first))
    looking.before_epoch(stage)
    return stage


def moved(stage: StageInTraining) -> StageInTraining:
    """To the pretended GPU, as Subject and StageInTraining move it."""
    stage.subject.device = GPU
    stage.labels = stage.labels.to(GPU)
    stage.method._apply(
        lambda tensor: torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device=GPU)
    )
    dataset: Any = stage.subject.dataset
    object.__setattr__(dataset, "_resident", {GPU: dataset.images.to(GPU)})
    stage.method.train()
    return stage


def steps(stage: StageInTraining) -> int:
    """All of the epoch, but the way back, for which torch wants a real GPU. Gives back how many there were."""
    count = 0
    for views, places in step.steps_left(stage):
        assert all(view.device == GPU for view in views)
        batch = step.batch_of(stage, views, places)
        for turn in stage.method.turns():
            report = turn(batch)
            assert all(value.device == GPU for value in report.values())
        stage.method.after_step(0.5)
        count += 1
    return count


@pytest.mark.parametrize("name", TINY)
def test_nothing_is_on_two_devices_and_nothing_is_waited_for(name: str, small: dict[str, Any], data_dir: Path) -> None:
    stage = stage_of(name, small, data_dir)
    with PretendedGPU():
        assert steps(moved(stage)) == stage.steps > 1


def test_views_that_are_streamed_padded_or_local_are_made_there(small: dict[str, Any], data_dir: Path) -> None:
    views = {"crop": "padded", "flip": 0.5, "local": {"count": 2, "crop": "resized", "area": [0.1, 0.3]}}
    stage = stage_of("dino", small, data_dir, views=views)
    with PretendedGPU():
        moved(stage)
        object.__setattr__(stage.subject.dataset, "_resident", {GPU: None})  # as where it has no room
        assert steps(stage) == stage.steps


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "lars"])
def test_weights_move_there(optimizer: str, small: dict[str, Any], data_dir: Path) -> None:
    stage = stage_of("byol", small, data_dir, optimizer={"name": optimizer, "lr": 0.1, "weight_decay": 1e-4})
    with PretendedGPU():
        moved(stage)
        for weight in stage.method.parameters():
            weight.grad = torch.empty_like(weight) if weight.requires_grad else None
        clip(stage.method.trained().values(), 1.0)
        for _ in range(2):
            stage.optimizer.step()


def test_neighbours_vote_there() -> None:
    bank, queries, labels = torch.randn(40, 8), torch.randn(30, 8), torch.arange(40) % 4 - 1
    with PretendedGPU():
        votes = knn_probabilities(bank.to(GPU), labels, queries.to(GPU), 3, k=5, chunk=7)
        assert (votes.device, votes.shape) == (GPU, (30, 3))


def test_who_asked_would_be_noticed() -> None:
    with PretendedGPU(), pytest.raises(DataDependentOutputException):
        torch.empty(3, device=GPU).sum().item()


def test_who_mixed_would_be_noticed() -> None:
    with PretendedGPU(), pytest.raises(RuntimeError, match="on the same device"):
        torch.empty(3, device=GPU) + torch.ones(3)
