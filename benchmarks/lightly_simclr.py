"""SimCLR on ResNet-18 as lightly 1.6's own CIFAR-10 benchmark trains it, beside sslterm, on this machine.

    pip install lightly
    python benchmarks/lightly_simclr.py

Theirs: PIL images, SimCLRTransform without blur in a DataLoader with a worker per core, their ResNet, projection head
and NT-Xent loss, SGD. Ours: the same recipe from presets/simclr.toml, with what sslterm chooses here. `data`: two views
of every image, and nothing else. `step`: everything, from images to changed weights. They take turns; images are made
up, for nobody looks at what is learned. (lightly was last released as 1.6; other versions may work, too.)
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
import torch
from PIL import Image

from sslterm import presets
from sslterm.bench.report import Report
from sslterm.bench.step import Whole
from sslterm.bench.timing import Figure, in_turns
from sslterm.bench.views import photographs
from sslterm.data import pool
from sslterm.data.dataset import MemoryDataset
from sslterm.engine import chance
from sslterm.engine.device import pick_precision, prepare
from sslterm.engine.stage import StageInTraining, Subject
from sslterm.engine.weights import Normalisation

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
CPU = torch.device("cpu")
EPOCH = 8
"""Batches in a turn: an epoch of their loader, so that what its workers made beforehand counts for little."""


class Pictures(torch.utils.data.Dataset[Any]):
    """PIL images with a transform, as LightlyDataset gives them."""

    def __init__(self, images: torch.Tensor, transform: Any) -> None:
        self.pictures = [Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy())) for image in images]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        return self.transform(self.pictures[index])


class Theirs:
    """lightly's benchmark model, and the loader that feeds it."""

    def __init__(self, images: torch.Tensor, batch: int) -> None:
        from lightly.loss import NTXentLoss
        from lightly.models import ResNetGenerator
        from lightly.models.modules.heads import SimCLRProjectionHead
        from lightly.transforms import SimCLRTransform

        transform = SimCLRTransform(input_size=32, cj_strength=0.5, gaussian_blur=0.0)
        self.loader = torch.utils.data.DataLoader(
            Pictures(images, transform), batch, shuffle=True, drop_last=True, num_workers=pool.cores(),
            persistent_workers=True,
        )  # fmt: skip
        whole = ResNetGenerator("resnet-18")
        backbone = torch.nn.Sequential(*list(whole.children())[:-1], torch.nn.AdaptiveAvgPool2d(1))
        self.model = torch.nn.Sequential(backbone, torch.nn.Flatten(), SimCLRProjectionHead(512, 512, 128))
        self.loss = NTXentLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.06, momentum=0.9, weight_decay=5e-4)

    def data(self) -> None:
        for _ in self.loader:
            pass

    def step(self) -> None:
        for first, second in self.loader:
            loss = self.loss(self.model(first), self.model(second))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss.item()  # as their loop logs it


class Ours:
    """What `sslterm run presets/simclr.toml` does in a step."""

    def __init__(self, images: torch.Tensor, batch: int) -> None:
        preset = presets.load(presets.find("simclr"))
        stage = preset.stage[0].model_copy(update={"batch_size": batch})
        preset = preset.model_copy(update={"stage": (stage,)})
        prepare(CPU)
        classes, everyone = tuple("0123456789"), torch.arange(len(images))
        dataset = MemoryDataset("made up", classes, everyone % 10, len(images), 3, 32, MEAN, STD, "0", images)
        subject = Subject(dataset, {"train": everyone}, Normalisation(MEAN, STD, "made up"), CPU)
        self.stage = StageInTraining(preset, 0, subject, pick_precision("auto", CPU))
        self.whole, self.images, self.batch = Whole(self.stage), images, batch

    def data(self) -> None:
        draw = chance.generator(0, "bench")
        for images in self.images.split(self.batch):
            for view in self.stage.views:
                view(images, draw)

    def step(self) -> None:
        for _ in range(EPOCH):
            self.whole.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    try:
        import lightly
    except ImportError:
        sys.exit("lightly is not installed: pip install lightly")
    images = photographs(given.batch * EPOCH, 32)
    theirs, ours = Theirs(images, given.batch), Ours(images, given.batch)
    report = Report(
        f"lightly {lightly.__version__}: SimCLR, ResNet-18, batch {given.batch}, {given.rounds} rounds;"
        f" ours in {ours.stage.precision.name}"
    )
    for what in ("data", "step"):
        taken = in_turns({"lightly": getattr(theirs, what), "sslterm": getattr(ours, what)}, given.rounds)
        names = {name: f"{name}, {what}" for name in taken}
        report.add(Figure(names["lightly"], tuple(len(images) / t for t in taken["lightly"]), "images/s"))
        times = tuple(len(images) / t for t in taken["sslterm"])
        report.add(Figure(names["sslterm"], times, "images/s"), beside=names["lightly"])
    print(report.text())


if __name__ == "__main__":
    main()
