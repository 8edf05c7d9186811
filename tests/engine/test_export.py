"""Exported encoders: plain weights that torchvision reads, that say what they are, and that a preset begins with."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sslterm import presets
from sslterm.engine.checkpoint import DamagedCheckpoint, encoder_state, load
from sslterm.engine.export import as_torch, export, taken
from sslterm.engine.progress import Progress
from sslterm.engine.train import train
from sslterm.engine.weights import adopt, exported, origin
from sslterm.models.encoders import build_encoder, input_channels
from sslterm.models.split_batch_norm import split_batch_norm
from sslterm.runs import Run, RunError, RunNotFound, checkpoints
from sslterm.runs.create import create

SMALL: dict[str, Any] = {
    "batch_size": 64,
    "precision": "fp32",
    "epochs": 1,
    "data": {"name": "digits", "train": 256, "valid": 64, "test": 64},
    "encoder": {"name": "conv4"},
    "monitor": {"every": 0},
    "method": {"name": "simclr"},
}


def trained(folder: Path, data_dir: Path, name: str, **changes: Any) -> Run:
    source = folder / "source.toml"
    source.write_text("")
    run = create(folder / "runs", presets.resolve({**SMALL, **changes}), source=source, name=name)
    train(run, device="cpu", data_dir=data_dir, progress=Progress())
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Run:
    return trained(tmp_path_factory.mktemp("export"), data_dir, "a")


def weights(run: Run) -> dict[str, Tensor]:
    """The encoder in a run's last checkpoint."""
    return encoder_state(load(run.checkpoints / checkpoints.listed(run)[-1].file))


def test_torch_reads_it_without_running_code_and_it_says_what_it_is(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "encoder.pt"
    export(run, "best", file)
    kept = torch.load(file, weights_only=True)
    own = weights(run)
    assert list(kept["state_dict"]) == list(own)
    assert all(torch.equal(kept["state_dict"][name], own[name]) for name in own)
    checkpoint = checkpoints.listed(run)[-1]
    state = load(run.checkpoints / checkpoint.file)
    assert {key: value for key, value in kept.items() if key not in ("state_dict", "sslterm")} == {
        "kind": "sslterm encoder",
        "version": 1,
        "encoder": presets.Encoder(name="conv4").model_dump(exclude={"weights"}),
        "features": 128,
        "channels": 1,
        "normalisation": state["normalisation"],
        "origin": {
            "run": "a", "checkpoint": checkpoint.file, "sha256": checkpoint.sha256, "stage": "simclr", "epoch": 1,
        },
    }  # fmt: skip


def test_a_safetensors_file_is_as_its_specification_says(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "encoder.safetensors"
    export(run, "best", file)
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert length % 8 == 0
    said = header.pop("__metadata__")
    assert all(isinstance(text, str) for text in said.values())
    assert json.loads(said["encoder"])["name"] == "conv4"
    own, at = weights(run), 0
    assert list(header) == list(own)
    for name, facts in header.items():
        begin, end = facts["data_offsets"]
        assert begin == at
        kind = {"F32": np.float32, "I64": np.int64}[facts["dtype"]]
        read = np.frombuffer(tensors[begin:end], kind).reshape(facts["shape"])
        assert (read == own[name].numpy()).all()
        at = end
    assert at == len(tensors)


# ---------------------------------------------------------------- torchvision


def state_of(name: str, stem: str, splits: int = 0) -> tuple[nn.Module, dict[str, Any]]:
    """A fresh encoder whose batch norm has seen images, and the part of a checkpoint that tells of it."""
    settings = presets.Encoder.model_validate({"name": name, "stem": stem})
    torch.manual_seed(0)
    encoder = build_encoder(settings, input_channels(settings, 3))
    if splits:
        split_batch_norm(encoder, splits)
    encoder(torch.rand(4, 3, 32, 32))
    method = {f"encoder.{key}": value for key, value in encoder.state_dict().items()}
    return encoder.eval(), {
        "encoder": settings.model_dump(mode="json"),
        "method": {**method, "projector.0.weight": torch.zeros(1)},
        "normalisation": {"mean": [0.5], "std": [0.2], "of": "nothing"},
    }


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize("stem", ["imagenet", "cifar"])
def test_a_resnet_is_torchvisions(name: str, stem: str, tmp_path: Path) -> None:
    from torchvision.models import get_model

    ours, state = state_of(name, stem)
    file = tmp_path / "encoder.pt"
    with file.open("wb") as opened:
        as_torch(taken(state))(opened)
    kept = torch.load(file, weights_only=True)
    theirs: Any = get_model(name)
    assert kept["features"] == theirs.fc.in_features
    if stem == "cifar":
        theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    loaded = theirs.load_state_dict(kept["state_dict"], strict=False)
    assert (loaded.missing_keys, loaded.unexpected_keys) == (["fc.weight", "fc.bias"], [])
    theirs.fc = nn.Identity()
    theirs.load_state_dict(kept["state_dict"])
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(images), ours(images))


def test_moco_whose_batch_norm_is_split_leaves_a_plain_one() -> None:
    from torchvision.models import resnet18

    ours, state = state_of("resnet18", "imagenet", splits=2)
    theirs: Any = resnet18()
    theirs.load_state_dict(taken(state)["state_dict"], strict=False)
    theirs.fc = nn.Identity()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(images), ours(images))


@pytest.mark.parametrize(("name", "width"), [("mobilenet_v3_small", 576), ("tinyvgg-bn", 256), ("conv4", 128)])
def test_the_others_keep_our_names(name: str, width: int) -> None:
    ours, state = state_of(name, "cifar")
    kept = taken(state)
    assert list(kept["state_dict"]) == list(ours.state_dict())
    assert kept["features"] == width


# ---------------------------------------------------------------- beginning with one


def test_a_preset_begins_with_it_as_with_the_checkpoint(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "encoder.pt"
    export(run, "best", file)
    state = origin(str(file), tmp_path)
    assert state is not None
    settings = presets.Encoder(name="conv4")
    encoder = build_encoder(settings, 1)
    adopt(encoder, state, settings)
    own = weights(run)
    assert all(torch.equal(value, own[name]) for name, value in encoder.state_dict().items())
    with pytest.raises(RunError, match="the checkpoint holds conv4 with the cifar stem, the preset asks for resnet18"):
        adopt(encoder, state, presets.Encoder(name="resnet18"))


def test_a_vit_begins_with_patches_of_its_own_size_only() -> None:
    settings = presets.Encoder(name="vit-micro", stem="imagenet", patch=4)
    encoder = build_encoder(settings, 3)
    state = {
        "method": {f"encoder.{name}": weight for name, weight in encoder.state_dict().items()},
        "encoder": {"name": "vit-micro", "stem": "cifar"},
    }
    adopt(encoder, state, settings)
    with pytest.raises(
        RunError, match="holds vit-micro with patches of 4 pixels, the preset asks for vit-micro with p"
    ):
        adopt(encoder, state, presets.Encoder(name="vit-micro", patch=8))


def test_a_last_layer_travels_with_the_encoder_and_begins_no_other(tmp_path: Path, data_dir: Path) -> None:
    narrow = trained(tmp_path, data_dir, "narrow", encoder={"name": "conv4", "features": 24})
    file = tmp_path / "encoder.pt"
    kept = export(narrow, "best", file)
    assert (kept["features"], kept["channels"], kept["encoder"]["features"]) == (24, 1, 24)
    state = origin(str(file), tmp_path)
    assert state is not None
    for settings in (presets.Encoder(name="conv4", features=24), presets.Encoder(name="conv4")):
        encoder = build_encoder(settings, 1)
        if settings.features:
            adopt(encoder, state, settings)
            assert encoder(torch.zeros(2, 1, 8, 8)).shape == (2, 24)
        else:
            with pytest.raises(RunError, match="and a last layer of 24 features, the preset asks for conv4 with the"):
                adopt(encoder, state, settings)


def test_a_run_trains_on_from_it(run: Run, tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "encoder.pt"
    export(run, "best", file)
    begun = {
        key: trained(
            tmp_path, data_dir, key,
            encoder={"name": "conv4", "weights": str(weights)}, data={**SMALL["data"], "normalise": "weights"},
            method={"name": "supervised", "train": "head"},
        )
        for key, weights in {"exported": file, "checkpoint": run.checkpoints / "simclr-0001.pt"}.items()
    }  # fmt: skip
    own = weights(run)
    for one in begun.values():
        assert all(torch.equal(value, own[name]) for name, value in weights(one).items())
        assert load(one.checkpoints / "supervised-0001.pt")["normalisation"]["of"] == "digits"


def test_other_files_are_none(run: Run, tmp_path: Path) -> None:
    assert exported(run.checkpoints / "simclr-0001.pt") is None
    foreign = tmp_path / "foreign.pt"
    torch.save({"state_dict": {}}, foreign)
    with pytest.raises(DamagedCheckpoint, match="is no sslterm checkpoint"):
        origin(str(foreign), tmp_path)
    foreign.write_bytes(b"nonsense")
    with pytest.raises(DamagedCheckpoint, match="cannot be loaded as a checkpoint"):
        origin(str(foreign), tmp_path)


# ---------------------------------------------------------------- what goes wrong


def test_a_damaged_checkpoint_is_not_exported_and_what_was_there_stays(run: Run, tmp_path: Path) -> None:
    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")))
    path = copy.checkpoints / "simclr-0001.pt"
    path.write_bytes(path.read_bytes()[:-1])
    file = tmp_path / "encoder.pt"
    file.write_text("mine")
    with pytest.raises(DamagedCheckpoint, match="is damaged"):
        export(copy, "best", file)
    assert file.read_text() == "mine"
    with pytest.raises(RunNotFound, match="no checkpoint '7'"):
        export(copy, "7", file)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy", "encoder.pt"]


def test_a_full_disk_leaves_no_half_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export(run, "best", tmp_path / "encoder.pt")
    assert not list(tmp_path.iterdir())
