"""What training runs on: torch, the devices it sees, and what bf16 is worth there. Only here is torch loaded."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from sslterm.doctor.finding import Finding, bad, counted, gib, good, note

DRIVER = Path("/proc/driver/nvidia/version")
PCI = Path("/sys/bus/pci/devices")
TRIALS, PAUSE = 5, 0.1
"""On a busy machine one trial alone would tell of the others' work; seconds between two of them."""
INSTALL = f"{sys.executable} -m pip install --upgrade torch torchvision"


def versions() -> Iterator[Finding]:
    """torch and torchvision, and whether one was built for the other."""
    try:
        torch = _torch()
    except Exception as error:
        yield bad("torch", f"torch cannot be loaded ({_first_line(error)})", INSTALL)
        return
    built = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
    fact = f"torch {torch.__version__}, built for {built if torch.version.cuda or torch.version.hip else 'the CPU'}"
    wanted = _wanted_torch()
    if wanted and wanted != str(torch.__version__).split("+")[0]:
        yield bad("torch", f"{fact}; this torchvision {_vision()} was made for torch {wanted}", INSTALL)
        return
    try:
        _load("torchvision")
    except Exception as error:
        yield bad("torch", f"{fact}; torchvision {_vision()} cannot be loaded ({_first_line(error)})", INSTALL)
    else:
        yield good("torch", f"{fact}; torchvision {_vision()} fits it")


def _torch() -> Any:
    return _load("torch")


def _load(name: str) -> ModuleType:
    """A module, without what it may print while it loads."""
    import importlib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _vision() -> str:
    try:
        return metadata.version("torchvision")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _wanted_torch() -> str | None:
    """The one version of torch that this torchvision can be loaded with."""
    try:
        asked = metadata.requires("torchvision") or []
    except metadata.PackageNotFoundError:
        return None
    found = (re.match(r"torch\s*\(?==\s*([\d.]+)", line) for line in asked)
    return next((match.group(1) for match in found if match), None)


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


# ---------------------------------------------------------------- devices


def devices() -> Iterator[Finding]:
    """Every device that could train, each tried."""
    try:
        torch = _torch()
    except Exception:
        return  # has been said
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for place in range(count):
        yield _gpu(torch, place)
    if not count:
        yield from _no_gpu(torch, [_first_line(warning.message) for warning in said])
    if torch.backends.mps.is_available():
        yield good("device", f"mps: the GPU of this Apple {platform.machine()}")
    yield good("device", _cpu(torch))


def _gpu(torch: Any, place: int) -> Finding:
    name = f"cuda:{place}"
    try:
        facts = torch.cuda.get_device_properties(place)
        free, total = torch.cuda.mem_get_info(place)
        assert (torch.ones(8, device=name) * 2).sum().item() == 16
    except Exception as error:
        fix = "see nvidia-smi: is it in use, is its driver new enough? Else install the torch that is built for it"
        return bad("device", f"{name} cannot compute ({_first_line(error)})", fix)
    finally:
        torch.cuda.empty_cache()
    text = f"{name}: {facts.name}, {gib(free)} of {gib(total)} free, driver {_driver()}"
    if free < total / 2:
        return note("device", f"{text}: somebody else uses it", "see who in nvidia-smi, or choose another --device")
    return good("device", text)


def _driver(file: Path = DRIVER) -> str:
    """`570.86.15`."""
    try:
        found = re.search(r"\b\d{3}\.\d+(\.\d+)?\b", file.read_text(errors="replace"))
    except OSError:
        found = None
    return found.group() if found else "of unknown version"


def _no_gpu(torch: Any, said: list[str]) -> Iterator[Finding]:
    """A GPU that is there but not seen is worth a word; none at all is not."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not _has_nvidia():
        return
    if hidden is not None and hidden.strip() in ("", "-1"):
        yield note("device", "CUDA_VISIBLE_DEVICES hides all GPUs", "unset CUDA_VISIBLE_DEVICES")
    elif torch.version.cuda is None:
        yield bad("device", "there is an NVIDIA GPU, and this torch was built without CUDA", INSTALL)
    elif not DRIVER.exists():
        yield bad("device", "there is an NVIDIA GPU, and its driver is not loaded", "install NVIDIA's driver")
    else:
        why = f" ({said[0]})" if said else ""
        fix = f"install a driver for CUDA {torch.version.cuda}, or a torch that is built for this one"
        yield bad("device", f"torch sees none of the NVIDIA GPUs, driver {_driver()}{why}", fix)


def _has_nvidia() -> bool:
    """A driver, or a card on the bus (vendor 10de, class 03: display)."""
    if DRIVER.exists():
        return True
    for device in PCI.iterdir() if PCI.is_dir() else ():
        try:
            if (device / "vendor").read_text().strip() == "0x10de" and "0x03" in (device / "class").read_text():
                return True
        except OSError:
            continue
    return False


def _cpu(torch: Any) -> str:
    name, flags = _cpu_facts()
    words = [f"cpu: {name}", f"torch computes in {counted(torch.get_num_threads(), 'thread')}"]
    words.append(f"with {torch.backends.cpu.get_cpu_capability()}")
    kinds = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "bf16": "BF16"}
    products = [word for flag, word in kinds.items() if flag in flags]
    words.append(f"bf16 products by {' and '.join(products)}" if products else "no bf16 products of its own")
    return ", ".join(words)


def _cpu_facts(file: Path = Path("/proc/cpuinfo")) -> tuple[str, set[str]]:
    """The name that the CPU gives itself, and what it can do."""
    try:
        lines = [line.split(":", 1) for line in file.read_text(errors="replace").splitlines() if ":" in line]
    except OSError:
        lines = []
    said = {key.strip(): value.strip() for key, value in lines}
    name = said.get("model name") or platform.processor() or platform.machine()
    return name, set((said.get("flags") or said.get("Features") or "").split())


def precision() -> Iterator[Finding]:
    """What `precision = "auto"` comes to on the device that `auto` comes to."""
    try:
        _torch()
    except Exception:
        return  # has been said
    from sslterm.engine.device import pick_device, pick_precision

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        device = pick_device("auto")
        trials = [pick_precision("auto", device)]
        while len(trials) < TRIALS:
            time.sleep(PAUSE)
            trials.append(pick_precision("auto", device))
    last = trials[-1]
    agreeing = sum(trial.name == last.name for trial in trials)
    if agreeing == TRIALS:
        yield good("precision", f"on {device} auto means {last.name}: {last.why}")
    else:
        text = f"on {device} auto meant {last.name} in {agreeing} of {TRIALS} trials: the machine is busy, or both are"
        yield note("precision", f"{text} about as fast", "where runs must be alike: --set precision=fp32, or bf16")
