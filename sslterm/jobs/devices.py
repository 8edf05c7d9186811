"""Which devices this machine has, found out without torch: the queue must not cost what training costs."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Device:
    """One device that can be taken: `name` for people, `key` for its lock, and what makes a process use it."""

    name: str
    key: str
    environment: dict[str, str] = field(default_factory=dict)


CPU = Device("cpu", "cpu")


def candidates(wanted: str) -> list[Device]:
    """The devices that `auto`, `cpu`, `cuda`, `cuda:1` or `mps` may mean here, in the order in which to try them."""
    gpus = _gpus()
    if wanted == "auto":
        if gpus:
            return gpus
        return [Device("mps", "mps")] if _apple() else [CPU]
    if wanted == "cuda":
        return gpus or [Device("cuda", "cuda-0")]
    if wanted.startswith("cuda:"):
        known = next((gpu for gpu in gpus if gpu.name == wanted), None)
        return [Device(wanted, known.key if known else wanted.replace(":", "-"))]
    return [Device(wanted, wanted)]


def _gpus() -> list[Device]:
    """The NVIDIA GPUs that this process may see. `cuda:0` is the first visible one, its lock that of the real one."""
    folder = Path("/proc/driver/nvidia/gpus")
    count = len(list(folder.iterdir())) if folder.is_dir() else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    real = [str(index) for index in range(count)]
    if count and visible is not None:
        real = [word.strip() for word in visible.split(",") if word.strip() and word.strip() != "-1"]
    return [
        Device(f"cuda:{place}", f"cuda-{name.replace('/', '-')}", {"CUDA_VISIBLE_DEVICES": name})
        for place, name in enumerate(real)
    ]


def _apple() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def used_by_others(device: Device) -> bool:
    """Whether somebody else's process computes on it, as far as the driver tells (nvidia-ml-py, where installed)."""
    if not device.key.startswith("cuda-"):
        return False
    try:
        import pynvml  # type: ignore[import-not-found, unused-ignore]

        pynvml.nvmlInit()
        try:
            number = device.key.removeprefix("cuda-")
            handle = (
                pynvml.nvmlDeviceGetHandleByIndex(int(number))
                if number.isdigit()
                else pynvml.nvmlDeviceGetHandleByUUID(number)
            )
            return bool(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no library, no driver, no such device: then the locks alone decide
        return False
