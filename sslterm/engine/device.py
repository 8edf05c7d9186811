"""Where training runs and in which precision: chosen by looking, never by a flag that may be wrong."""

from __future__ import annotations

import platform
import resource
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

import torch
from torch import nn

from sslterm.data.memory import keep_large_blocks
from sslterm.errors import UsageError

PrecisionName = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Precision:
    """What products are computed in, and why."""

    name: PrecisionName
    why: str

    def on(self, device: torch.device) -> torch.autocast:
        """The context in which a forward pass runs."""
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.name == "bf16")


def pick_device(wanted: str) -> torch.device:
    """`auto`, `cpu`, `cuda`, `cuda:1` or `mps`. Raises UsageError with a sentence."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = wanted.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and (kind != "cuda" or not number.isdigit())):
        raise UsageError(f"--device {wanted}: no such device; use auto, cpu, cuda, cuda:1 or mps")
    if kind == "cuda":
        if not torch.cuda.is_available():
            raise UsageError(
                f"--device {wanted}: torch sees no CUDA device here; use --device cpu, or check the driver"
            )
        count = torch.cuda.device_count()
        if number and int(number) >= count:
            raise UsageError(f"--device {wanted}: there {'is' if count == 1 else 'are'} {count}, counted from cuda:0")
        return torch.device("cuda", int(number) if number else torch.cuda.current_device())
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: torch sees no Apple GPU here; use --device cpu")
    return torch.device(kind)


def prepare(device: torch.device) -> None:
    """Settings of the whole process that training on this device gains from."""
    if device.type == "cuda":
        torch.cuda.set_device(device)  # for whatever asks for the device or the stream at hand
        # TF32 stays off for products of matrices: the views' resampling must be the same on every device.
        torch.backends.cudnn.benchmark = True
    if device.type == "cpu":
        keep_large_blocks()


def pick_precision(wanted: str, device: torch.device) -> Precision:
    """What `precision` means here. `auto` takes bf16 where a short trial says that it is faster."""
    if wanted == "fp32":
        return Precision("fp32", "the preset says so")
    if wanted == "bf16":
        return Precision("bf16", "the preset says so")
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Precision("bf16", "the GPU computes bf16 itself")
        return Precision("fp32", "the GPU does not compute bf16 itself")
    if device.type == "mps":
        return Precision("fp32", "bf16 is not tried on Apple GPUs")
    slow, fast = _trial()
    if slow >= 1.2 * fast:
        return Precision("bf16", f"{slow / fast:.1f} times as fast as fp32 in a trial")
    return Precision("fp32", f"bf16 took {fast / slow:.1f} times as long in a trial")


def _trial() -> tuple[float, float]:
    """Seconds of one forward and backward pass, in fp32 and in bf16, through a convolution of the size that encoders
    are made of.

    A matrix product alone would mislead: there are CPUs whose bf16 products are fast and convolutions slow. The two
    take turns, and the shortest of each counts, so that another process does not decide.
    """
    state = torch.get_rng_state()
    layer = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1))
    layer = layer.to(memory_format=torch.channels_last)
    images = torch.rand(16, 64, 16, 16).to(memory_format=torch.channels_last)
    torch.set_rng_state(state)  # a look at the clock must not change what is drawn later
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(14):
        bf16 = bool(turn % 2)
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = layer(images).float().square().mean()
        loss.backward()
        times[bf16].append(time.perf_counter() - began)
    return min(times[False][1:]), min(times[True][1:])


def settle(device: torch.device) -> None:
    """Wait until all that was asked of a device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reckoning(device: torch.device) -> torch.device:
    """Where features are compared: on a CUDA device, else on the CPU."""
    return device if device.type == "cuda" else torch.device("cpu")


def most_memory(device: torch.device) -> float:
    """MiB that this process took at most so far: of the GPU, else of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def environment(device: torch.device, precisions: dict[str, Precision]) -> dict[str, Any]:
    """What ran where, and each stage in which precision: for `env.json`."""
    packages = {}
    for name in ("torch", "torchvision", "numpy", "pydantic", "scikit-learn", "textual", "typer", "tensorboardX"):
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    facts: dict[str, Any] = {
        "time": time.time(),
        "argv": sys.argv,
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu",
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "precision": {stage: {"name": chosen.name, "why": chosen.why} for stage, chosen in precisions.items()},
        "packages": packages,
    }
    if device.type == "cuda":
        facts["cuda"] = torch.version.cuda
    return facts
