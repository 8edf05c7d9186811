"""What the views of a step are does not depend on what is made beside them, nor on where an epoch is taken up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from staging import in_training

from sslterm.engine import step
from sslterm.engine.stage import StageInTraining
from sslterm.engine.step import Seen, steps_left

VIEWS = {
    "crop": "resized", "area": [0.3, 1.0], "flip": 0.5, "jitter": 0.8, "brightness": 0.4, "contrast": 0.4,
    "saturation": 0.4, "hue": 0.1, "gray": 0.2, "blur": 0.3, "solarize": 0.2, "second": {"blur": 0.0},
    "local": {"count": 2, "area": [0.1, 0.3]},
}  # fmt: skip


@pytest.fixture
def stage(small: dict[str, Any], data_dir: Path) -> StageInTraining:
    """Five steps of SwAV with two local views."""
    written = {**small, "batch_size": 24, "method": {"name": "swav"}, "views": VIEWS}
    return in_training(written, data_dir)


def left(stage: StageInTraining) -> list[tuple[Seen, torch.Tensor]]:
    return list(steps_left(stage))


@pytest.mark.parametrize("together", [2, 3, 5])
def test_several_steps_at_once_are_the_same_views(
    stage: StageInTraining, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = left(stage)
    monkeypatch.setattr(step, "steps_at_once", lambda _: together)
    beside = left(stage)
    assert len(alone) == len(beside) == 5
    for (views, places), (others, same) in zip(alone, beside, strict=True):
        assert torch.equal(places, same)
        assert [tuple(view.shape) for view in views] == [(24, 3, 16, 16)] * 2 + [(24, 3, 8, 8)] * 2
        for view, other in zip(views, others, strict=True):
            torch.testing.assert_close(view, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("together", [1, 2])
@pytest.mark.parametrize("begun", [1, 2, 4])
def test_an_epoch_that_is_taken_up_goes_on_with_the_very_same(
    stage: StageInTraining, together: int, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "steps_at_once", lambda _: together)
    whole = left(stage)
    stage.step = begun
    for (views, places), (others, same) in zip(whole[begun:], left(stage), strict=True):
        assert torch.equal(places, same)
        assert all(map(torch.equal, views, others))


def test_as_many_go_together_as_memory_is_meant_for(stage: StageInTraining) -> None:
    assert step.steps_at_once(stage) == 1  # a CPU likes small pieces
    stage.subject.device = torch.device("cuda")
    assert step.steps_at_once(stage) == stage.steps
    stage.stage = stage.stage.model_copy(update={"batch_size": 20_000})
    of_a_step = 4 * 20_000 * 3 * (2 * 16**2 + 2 * 8**2)
    assert step.steps_at_once(stage) == step.AHEAD // of_a_step == 1


def test_a_batch_says_how_far_the_stage_is(stage: StageInTraining) -> None:
    views, places = left(stage)[2]
    stage.epoch, stage.step = 1, 2
    batch = step.batch_of(stage, views, places)
    assert (batch.step, batch.progress) == (7, 1.4 / stage.stage.epochs)
