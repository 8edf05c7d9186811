"""What a method looks at between epochs, and when. Whatever it draws is a function of the place, so that a resumed run
sees the same."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from sslterm.engine import chance
from sslterm.engine.features import outputs
from sslterm.engine.stage import StageInTraining


class StageLook:
    """Some of a stage's images, as evaluation sees them."""

    def __init__(self, stage: StageInTraining, indices: Tensor) -> None:
        self.stage, self.indices = stage, indices

    def outputs(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """What a function of the method says of them, (B, C, S, S) -> (B, K): float32 (N, K) on the CPU."""
        stage = self.stage
        return outputs(
            function, stage.method, stage.subject.dataset, self.indices, stage.plain, stage.subject.device,
            precision=stage.precision.name,
        )  # fmt: skip

    def restart(self, part: nn.Module) -> None:
        """Forget what the optimizer remembers of a part."""
        for weight in part.parameters():
            self.stage.optimizer.state.pop(weight, None)


def before_epoch(stage: StageInTraining) -> None:
    """Give the method its look at all images that it will train on."""
    chance.begin(stage.subject.device, stage.preset.seed, "before epoch", stage.index, stage.epoch)
    stage.method.before_epoch(StageLook(stage, stage.indices))


def measure(stage: StageInTraining) -> dict[str, float]:
    """What the method itself finds worth a chart, from images that it does not train on where there are any."""
    seed, parts = stage.preset.seed, stage.subject.parts
    held_out = parts["valid"] if len(parts["valid"]) else stage.indices
    chance.begin(stage.subject.device, seed, "measure", stage.index, stage.epoch)
    look = StageLook(stage, chance.sample(held_out, stage.preset.monitor.queries, seed, "queries"))
    return stage.method.measure(look)
