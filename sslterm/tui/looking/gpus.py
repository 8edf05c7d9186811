"""How busy the GPUs are: asked of NVML where its library is installed, else of `nvidia-smi`; nothing without either.

For threads only. Whatever goes wrong means that nothing is known.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

LONGEST = 3.0
"""Seconds that `nvidia-smi` may take; a driver in trouble lets it hang."""
ASKED = "index,uuid,name,utilization.gpu,memory.used,memory.total"
GIB = 1024**3


@dataclass(frozen=True)
class Gpu:
    """One GPU, by its number and its name for ever; None is not known."""

    index: str
    uuid: str
    model: str
    busy: float | None
    used: float | None
    total: float | None
    """GiB."""

    def means(self, word: str) -> bool:
        """Whether a word of CUDA_VISIBLE_DEVICES is this one."""
        return word == self.index or (word.startswith("GPU-") and self.uuid.startswith(word))


def look() -> list[Gpu] | None:
    """Every GPU of this machine; None where nobody can be asked."""
    found = _by_library()
    return found if found is not None else _by_command()


def _by_library() -> list[Gpu] | None:
    try:
        import pynvml  # type: ignore[import-not-found, unused-ignore]

        pynvml.nvmlInit()
        try:
            return [_gpu(pynvml, place) for place in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no library, no driver, or one that will not say
        return None


def _gpu(nvml: object, place: int) -> Gpu:
    ask = vars(nvml)
    one = ask["nvmlDeviceGetHandleByIndex"](place)
    memory, rates = ask["nvmlDeviceGetMemoryInfo"](one), ask["nvmlDeviceGetUtilizationRates"](one)
    uuid, model = (_text(ask[f"nvmlDeviceGet{what}"](one)) for what in ("UUID", "Name"))
    return Gpu(str(place), uuid, short(model), float(rates.gpu), memory.used / GIB, memory.total / GIB)


def _text(said: str | bytes) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def _by_command() -> list[Gpu] | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    try:
        done = subprocess.run(
            [command, f"--query-gpu={ASKED}", "--format=csv,noheader,nounits"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=LONGEST,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read(done.stdout) if done.returncode == 0 else None


def read(table: str) -> list[Gpu]:
    """What `nvidia-smi` said, a GPU a line; values that it does not know are `[N/A]`."""
    found = []
    for line in table.splitlines():
        words = [word.strip() for word in line.split(",")]
        if len(words) == len(ASKED.split(",")):
            index, uuid, model = words[:3]
            busy, used, total = map(_number, words[3:])
            found.append(Gpu(index, uuid, short(model), busy, _gib(used), _gib(total)))
    return found


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _gib(mebibytes: float | None) -> float | None:
    return None if mebibytes is None else mebibytes / 1024


MAKERS = ("NVIDIA", "GeForce", "Tesla", "Quadro", "Laptop", "GPU", "Graphics", "Device")


def short(model: str) -> str:
    """`NVIDIA H200` is H200 to its friends."""
    words = [word for word in model.split() if word not in MAKERS]
    return " ".join(words)[:16] or model[:16]
