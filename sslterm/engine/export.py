"""An encoder in a file of its own: plain weights that other programs read, and what one must know to use them.

    kept = torch.load("encoder.pt", weights_only=True)
    network = torchvision.models.resnet18()
    network.load_state_dict(kept["state_dict"], strict=False)  # all but its classifier, fc

Resnets have torchvision's names. Tests load resnet18, 34 and 50 with the imagenet stem into torchvision's as above: all
but `fc` is there, nothing is left over, and with `fc = nn.Identity()` both say the same of images. So they do with
the cifar stem once `conv1` is `Conv2d(3, 64, 3, 1, 1, bias=False)` and `maxpool` is `nn.Identity()`. The other encoders
have names of our own (see `models/encoders.py`).
A preset begins with such a file as with a checkpoint: `weights = "encoder.pt"` in `[encoder]`.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from sslterm import __version__
from sslterm.engine.checkpoint import encoder_state
from sslterm.engine.evaluate import chosen, state_of
from sslterm.engine.weights import EXPORT_VERSION, EXPORTED
from sslterm.models.encoders import build_encoder, features
from sslterm.presets import Encoder
from sslterm.runs import Run, files

Exported = dict[str, Any]
"""`state_dict`, and beside it `kind`, `version`, `encoder` (as in presets), `features` (D), `channels`,
`normalisation` (mean, std, of), `origin` (run, checkpoint, sha256, stage, epoch), `sslterm`."""


def export(run: Run, wanted: str, to: Path) -> Exported:
    """Write the encoder of a checkpoint to `to`, whole or not at all, in place of what is there; gives back what it is.

    The suffix says the format: .pt for `torch.load(weights_only=True)`, .safetensors with all but the weights as JSON
    texts in its metadata. Raises RunError, RunNotFound, DamagedCheckpoint, OSError.
    """
    run.info()
    checkpoint = chosen(run, wanted)[-1]
    exported = taken(state_of(run, checkpoint))
    exported["origin"] = {
        "run": run.name,
        "checkpoint": Path(checkpoint.file).name,
        "sha256": checkpoint.sha256,
        "stage": checkpoint.stage,
        "epoch": checkpoint.epoch,
    }
    files.write_whole(to, as_torch(exported) if to.suffix == ".pt" else as_safetensors(exported))
    return exported


def taken(state: dict[str, Any]) -> Exported:
    """The encoder out of a checkpoint's state, once it is proved to fit the network that it is said to be."""
    settings = Encoder.model_validate({**state["encoder"], "weights": None})
    weights = {name: tensor.contiguous() for name, tensor in encoder_state(state).items()}
    channels = next(tensor.shape[1] for tensor in weights.values() if tensor.ndim == 4)
    network = build_encoder(settings, channels)
    network.load_state_dict(weights)
    return {
        "kind": EXPORTED,
        "version": EXPORT_VERSION,
        "sslterm": __version__,
        "encoder": {key: value for key, value in state["encoder"].items() if key != "weights"},  # whence it began
        "features": features(network),
        "channels": channels,
        "normalisation": state["normalisation"],
        "state_dict": weights,
    }


# ---------------------------------------------------------------- formats


def as_torch(exported: Exported) -> Callable[[BinaryIO], object]:
    """What writes a file for `torch.load`."""
    # torch's zip writer turns a full disk into a RuntimeError without a cause; a plain file says what happened.
    buffer = io.BytesIO()
    torch.save(exported, buffer)
    return lambda file: file.write(buffer.getbuffer())


TYPES = {torch.float32: "F32", torch.int64: "I64"}
"""What encoders are made of, in the words of safetensors."""


def as_safetensors(exported: Exported) -> Callable[[BinaryIO], object]:
    """What writes a file as https://github.com/huggingface/safetensors describes: the header's length, the header as
    JSON, then the tensors one after the other."""
    weights: dict[str, Tensor] = exported["state_dict"]
    metadata = {key: json.dumps(value) for key, value in exported.items() if key != "state_dict"}
    header: dict[str, Any] = {"__metadata__": {**metadata, "format": "pt"}}  # as everybody calls torch's names
    end = 0
    for name, tensor in weights.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)

    def write(file: BinaryIO) -> None:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in weights.values():
            file.write(tensor.numpy().tobytes())

    return write
