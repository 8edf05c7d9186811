"""What a method may look at between epochs, and what it may change there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from staging import in_training

from sslterm import methods, presets
from sslterm.engine import looking
from sslterm.engine.monitor import look
from sslterm.engine.stage import StageInTraining, inherit
from sslterm.engine.step import batches_of, epoch_order, one_step, steps_left
from sslterm.engine.train import train
from sslterm.runs import RunError, metrics
from sslterm.runs.create import create

CODE = '''
import torch
from torch import nn
from sslterm.methods.base import Method

class Asking(Method):
    """Learns by turns, looks before epochs, draws some images more often, measures."""
    def __init__(self, encoder, settings, facts):
        super().__init__(encoder, settings, facts)
        self.one, self.other = nn.Linear(encoder.features, 1), nn.Linear(encoder.features, 1)
        self.register_buffer("seen", torch.zeros(facts.images))
        self.register_buffer("drawn", torch.zeros(facts.images))

    def turns(self):
        return (lambda batch: self.turn(self.one, batch, "first"), lambda batch: self.turn(self.other, batch, "second"))

    def turn(self, head, batch, name):
        self.drawn += 0.5 * batch.indices.bincount(minlength=len(self.drawn))
        loss = head(self.encoder(batch.views[0]).detach()).square().mean() + 1
        return {"loss": loss, name: loss.detach()}

    def before_epoch(self, look):
        self.seen.copy_(look.outputs(lambda images: images.mean((1, 2, 3))[:, None])[:, 0] + torch.rand(()))
        nn.init.ones_(self.one.weight)
        look.restart(self.one)

    def shares(self):
        return (torch.arange(len(self.seen)) % 2).float()

    def measure(self, look):
        return {"asking/images": float(len(look.outputs(lambda images: images.flatten(1))))}
'''


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that uses all there is between steps."""
    (tmp_path / "asking.py").write_text(CODE)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])


@pytest.fixture
def stage_of(data_dir: Path) -> Callable[[dict[str, Any]], StageInTraining]:
    """Makes a stage before its first step."""
    return lambda written: in_training(written, data_dir)


@pytest.mark.usefixtures("asking")
class TestAMethodThatAsks:
    def test_sees_each_of_its_images_as_evaluation_does(
        self, small: dict[str, Any], stage_of: Callable[..., StageInTraining]
    ) -> None:
        stage = stage_of({**small, "method": {"name": "asking"}})
        looking.before_epoch(stage)
        plain = stage.plain(next(batches_of(stage, [torch.arange(stage.facts.images)]))).mean((1, 2, 3))
        assert len(stage.method.seen) == len(stage.indices) == stage.facts.images
        assert (stage.method.seen - plain).std() < 1e-6  # but for the one number that was drawn

    def test_draws_the_same_whenever_the_epoch_begins(
        self, small: dict[str, Any], stage_of: Callable[..., StageInTraining]
    ) -> None:
        first, second = (stage_of({**small, "method": {"name": "asking"}}) for _ in range(2))
        looking.before_epoch(first)
        torch.rand(7)
        looking.before_epoch(second)
        assert torch.equal(first.method.seen, second.method.seen)
        first.epoch = 1
        looking.before_epoch(first)
        assert not torch.equal(first.method.seen, second.method.seen)

    def test_draws_images_by_their_shares(
        self, small: dict[str, Any], stage_of: Callable[..., StageInTraining]
    ) -> None:
        stage = stage_of({**small, "method": {"name": "asking"}})
        order = epoch_order(stage)
        assert all((places % 2 == 1).all() for places in order)
        assert len(order) == stage.steps
        assert all(map(torch.equal, order, epoch_order(stage)))

    def test_learns_turn_by_turn_and_knows_which_images(
        self, small: dict[str, Any], stage_of: Callable[..., StageInTraining]
    ) -> None:
        stage = stage_of({**small, "method": {"name": "asking"}})
        views, places = next(steps_left(stage))
        weights = [head.weight.clone() for head in (stage.method.one, stage.method.other)]
        one_step(stage, views, places)
        assert not torch.equal(stage.method.one.weight, weights[0])
        assert not torch.equal(stage.method.other.weight, weights[1])
        assert torch.equal(stage.method.drawn, torch.bincount(places, minlength=stage.facts.images).float())
        stage.meter.send()
        ((row,), _) = stage.meter.arrived(wait=True)[0]
        assert row["loss"] == pytest.approx(row["first"] + row["second"])

    def test_lets_the_optimizer_forget_a_part(
        self, small: dict[str, Any], stage_of: Callable[..., StageInTraining]
    ) -> None:
        stage = stage_of({**small, "method": {"name": "asking"}})
        one_step(stage, *next(steps_left(stage)))
        looking.before_epoch(stage)
        assert stage.method.one.weight not in stage.optimizer.state
        assert stage.method.other.weight in stage.optimizer.state

    def test_measures_on_images_that_it_does_not_train_on(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        said = presets.resolve({**small, "method": {"name": "asking"}, "epochs": 1})
        run = create(runs_dir, said, source=Path(methods.__path__[-1]) / "asking.py", name="asks")
        train(run, device="cpu", data_dir=data_dir)
        (row,) = (row for row in metrics.read(run.metrics) if "asking/images" in row)
        assert row["asking/images"] == said.data.valid


def test_a_stage_that_leaves_the_encoder_alone_measures_all_the_same(
    small: dict[str, Any], stage_of: Callable[[dict[str, Any]], StageInTraining]
) -> None:
    method = {"name": "tokenizer", "codes": 16, "code_dim": 4, "width": 8}
    stage = stage_of({**small, "method": method, "encoder": {"name": "vit-micro"}})
    assert set(look(stage)) == {"tokenizer/error", "tokenizer/perplexity", "tokenizer/codes_used"}


def test_what_the_stage_before_left_is_taken_over_or_missed(
    small: dict[str, Any], stage_of: Callable[..., StageInTraining], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of({**small, "method": {"name": "simclr"}})
    left = {**stage.state(), "method_name": "tokenizer", "stage": "codes"}
    monkeypatch.setattr(type(stage.method), "needs", "projector")
    other = stage_of({**small, "seed": 1, "method": {"name": "simclr"}}).method
    inherit(other, left)
    assert all(map(torch.equal, other.projector.state_dict().values(), stage.method.projector.state_dict().values()))
    assert not torch.equal(next(other.encoder.parameters()), next(stage.method.encoder.parameters()))
    without = {**left, "method": {key: value for key, value in left["method"].items() if "projector" not in key}}
    with pytest.raises(RunError, match="stage codes left holds no projector that fits"):
        inherit(other, without)
