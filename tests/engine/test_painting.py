"""What a method paints between epochs is kept in the run, and can be looked at."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from staging import in_training
from test_tensorboard import events

from sslterm import methods, presets
from sslterm.engine.painting import paint
from sslterm.engine.pictures import asking
from sslterm.engine.train import train
from sslterm.runs import Run, RunNotFound, files, painted
from sslterm.runs.create import create

CODE = '''
import torch
from torch import nn
from sslterm.methods.base import Method

class Brush(Method):
    """Paints its images, the negative of them, and five squares that change with each step."""
    def __init__(self, encoder, settings, facts):
        super().__init__(encoder, settings, facts)
        self.one = nn.Linear(encoder.features, 1)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, batch):
        return {"loss": self.one(self.encoder(batch.views[0])).square().mean()}

    def after_step(self, progress):
        self.steps += 1

    def pictures(self, images):
        squares = torch.full((5, *images.shape[1:]), torch.nan)
        return {"image": images, "negative": -images, "squares": squares.nan_to_num(self.steps.item() / 50)}
'''


@pytest.fixture
def brush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """`[method]` of a method that paints."""
    (tmp_path / "brush.py").write_text(CODE)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    return {"name": "brush"}


@pytest.fixture
def run(brush: dict[str, Any], small: dict[str, Any], runs_dir: Path, data_dir: Path) -> Run:
    """A run of three epochs that painted in the second and at its end."""
    small["monitor"]["pictures"] = 2
    made = create(
        runs_dir, presets.resolve({**small, "method": brush, "epochs": 3}), source=Path(__file__), name="painter"
    )
    train(made, device="cpu", data_dir=data_dir)
    return made


def test_a_painting_is_the_images_brought_back_to_pixels(
    brush: dict[str, Any], small: dict[str, Any], data_dir: Path
) -> None:
    stage = in_training({**small, "method": brush}, data_dir)
    made = paint(stage)
    assert made is not None
    (images, negatives, squares) = made.painting.rows
    assert (images, negatives, squares) == (("image", 8), ("negative", 8), ("squares", 5))
    assert set(made.painting.images) <= set(stage.subject.parts["valid"].tolist())
    pixels = np.asarray(Image.open(io.BytesIO(made.png)))
    left, top = made.painting.corner(0, 3)
    (kept,) = stage.subject.dataset.batches([torch.tensor([made.painting.images[3]])], torch.device("cpu"))
    assert (pixels[top : top + 16, left : left + 16] == kept[0].permute(1, 2, 0).numpy()).all()


def test_nothing_is_painted_by_a_method_that_does_not(small: dict[str, Any], data_dir: Path) -> None:
    assert paint(in_training({**small, "method": {"name": "simclr"}}, data_dir)) is None


def test_training_paints_as_often_as_it_is_told_and_at_the_end(run: Run) -> None:
    assert [(one.stage, one.epoch, one.total_steps) for one in painted.listed(run)] == [
        ("brush", 2, 8),
        ("brush", 3, 12),
    ]
    assert sorted(path.name for path in run.painted.glob("*.png")) == ["brush-0002.png", "brush-0003.png"]


def test_tensorboard_gets_them_too(run: Run) -> None:
    (path,) = (run.path / "tensorboard").iterdir()
    told = [
        (e.step, v.tag, v.image.encoded_image_string) for e in events(path) for v in e.summary.value if v.image.width
    ]
    assert [(step, tag) for step, tag, _ in told] == [(8, "painted/brush"), (12, "painted/brush")]
    assert told[1][2] == (run.painted / "brush-0003.png").read_bytes()


def test_a_sheet_shows_the_newest_first_and_nothing_twice(run: Run) -> None:
    answer = asking.painted(run, None, 8)
    assert answer["title"] == "painter · stage brush · painted in 2 epochs"
    rows = [row["caption"] for row in answer["rows"]]
    assert rows == ["epoch 3 · image", "epoch 3 · negative", "epoch 3 · squares", "epoch 2 · squares"]
    first = painted.listed(run)[0]
    assert [tile["image"] for tile in answer["rows"][0]["tiles"]] == list(first.images)
    assert {tile["image"] for tile in answer["rows"][2]["tiles"]} == {None}


def test_what_was_shown_before_is_found_without_torch(run: Run) -> None:
    answer = asking.painted(run, None, 8)
    code = f"""
import sys
from pathlib import Path
from sslterm.engine.pictures import asking
from sslterm.runs import Run
print(asking.painted(Run(Path({str(run.path)!r})), None, 8)["sheet"], "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{answer['sheet']} False\n"


def test_what_is_damaged_is_passed_over(run: Run) -> None:
    (run.painted / "brush-0003.png").write_bytes(b"no picture")
    rows = [row["caption"] for row in asking.painted(run, "brush", 8)["rows"]]
    assert rows == ["epoch 2 · image", "epoch 2 · negative", "epoch 2 · squares"]
    (run.painted / "brush-0002.json").write_text('{"stage": 1}')
    with pytest.raises(RunNotFound, match="no painting there can be read"):
        asking.painted(run, "brush", 8)


def test_where_nothing_was_painted_it_is_said_who_paints(run: Run) -> None:
    with pytest.raises(RunNotFound, match="--stage brash: painted nothing; did you mean brush"):
        asking.painted(run, "brash", 8)
    for path in run.painted.iterdir():
        path.unlink()
    with pytest.raises(RunNotFound, match="nothing was painted"):
        asking.painted(run, None, 8)


def test_a_full_disk_does_not_end_training(
    brush: dict[str, Any], small: dict[str, Any], runs_dir: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, write: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(painted, "files", type("Full", (), {**vars(files), "write_whole": staticmethod(full)}))
    run = create(runs_dir, presets.resolve({**small, "method": brush}), source=Path(__file__), name="full")
    train(run, device="cpu", data_dir=data_dir)
    assert run.status()["state"] == "finished"
    assert "brush-0002.png could not be written (No space left on device)" in run.log.read_text()
