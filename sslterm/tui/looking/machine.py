"""What this machine is doing: who holds its devices, how busy they are, and whether there is room on the disk.

Looked at in a thread; `sslterm queue` and `nvidia-smi` tell the same.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from sslterm.jobs import queue
from sslterm.jobs.devices import CPU, Device, candidates
from sslterm.runs import locks
from sslterm.tui.looking import gpus
from sslterm.tui.looking.gpus import GIB, Gpu

EVERY = 2.0
"""Seconds between two looks, at least."""
PATIENCE = 60.0
"""Seconds until GPUs are asked again that did not answer."""
LITTLE = 1 << 30
"""Bytes that are too few for a checkpoint or two."""


@dataclass(frozen=True)
class Held:
    """A device, how many of our runs hold it, and how it fares where that is known."""

    device: Device
    runs: int = 0
    gpu: Gpu | None = None


@dataclass(frozen=True)
class Machine:
    """This machine, at one moment."""

    devices: Sequence[Held] = ()
    cpu: int = 0
    """Per cent, of all cores."""
    used: int = 0
    total: int = 0
    """GiB of memory."""
    trouble: str = ""
    """What keeps runs from being saved, as a sentence."""


class MachineSeen(Message):
    """The machine does something else than before."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine


class ThisMachine:
    """What a watch over this machine looks at."""

    def __init__(
        self,
        runs_dir: Path,
        ask_gpus: Callable[[], list[Gpu] | None] = gpus.look,
        candidates: Callable[[str], list[Device]] = candidates,
    ) -> None:
        self.runs_dir = runs_dir
        self._ask_gpus, self._candidates = ask_gpus, candidates
        self.asleep = False
        """Whether nobody sees it, so that GPUs need not be asked."""
        self._looked = False
        self._at = self._gpus_at = 0.0
        self._gpus: list[Gpu] = []
        self._last = Machine()

    def __call__(self) -> Message | None:
        now = time.monotonic()
        if self.asleep or (self._looked and now - self._at < EVERY):
            return None
        self._at = now
        seen = self._look()
        if seen == self._last:
            return None
        self._last = seen
        return MachineSeen(seen)

    def _look(self) -> Machine:
        import psutil  # not above: the first screen does not wait for it

        memory = psutil.virtual_memory()
        busy = psutil.cpu_percent(None if self._looked else 0.1)  # since the last look
        self._looked = True
        used = memory.total - memory.available
        return Machine(self._devices(), round(busy), round(used / GIB), round(memory.total / GIB), self._trouble())

    def _devices(self) -> tuple[Held, ...]:
        devices = self._candidates("auto")
        there = {device.key: self._runs_on(device) for device in [*devices, CPU]}
        if there[CPU.key] and CPU not in devices:
            devices = [*devices, CPU]
        asked = self._asked() if any(device.key.startswith("cuda-") for device in devices) else []
        return tuple(
            Held(device, there[device.key], next((gpu for gpu in asked if gpu.means(_number(device))), None))
            for device in devices
        )

    def _runs_on(self, device: Device) -> int:
        """How many hold a place on it."""
        return sum(locks.held(path) for path in (self.runs_dir / queue.HOME / "devices").glob(f"{device.key}-*.lock"))

    def _asked(self) -> list[Gpu]:
        if time.monotonic() >= self._gpus_at:
            found = self._ask_gpus()
            self._gpus_at = time.monotonic() + (PATIENCE if found is None else 0.0)
            self._gpus = [] if found is None else [_rounded(gpu) for gpu in found]
        return self._gpus

    def _trouble(self) -> str:
        """A directory that is not there is told of by whoever looks for runs in it."""
        try:
            free = shutil.disk_usage(self.runs_dir).free
        except OSError:
            return ""
        if free >= LITTLE:
            return ""
        return f"the disk of {self.runs_dir} is nearly full ({free / 2**20:,.0f} MiB left): runs cannot be saved"


def _number(device: Device) -> str:
    """What CUDA_VISIBLE_DEVICES would say."""
    return device.environment.get("CUDA_VISIBLE_DEVICES", device.key.removeprefix("cuda-"))


def _rounded(gpu: Gpu) -> Gpu:
    """To what is shown, so that nothing is told that nobody sees."""
    used, total = (None if value is None else float(round(value)) for value in (gpu.used, gpu.total))
    return Gpu(gpu.index, gpu.uuid, gpu.model, gpu.busy, used, total)
