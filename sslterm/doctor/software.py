"""Which Python, which sslterm, and whether the packages that it needs are there."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from sslterm.doctor.finding import Finding, bad, good, note

OLDEST = (3, 11)


def python() -> Iterator[Finding]:
    """The interpreter."""
    fact = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST:
        yield bad("python", f"{fact}: too old", f"install Python {'.'.join(map(str, OLDEST))} or newer")
    else:
        yield good("python", fact)
    if not (sys.platform.startswith("linux") or sys.platform == "darwin"):
        yield note("python", f"{sys.platform} is not tried: sslterm is made for Linux and works on macOS")


def installation() -> Iterator[Finding]:
    """The sslterm that answers here, and the one that the shell would start."""
    import sslterm

    folder = Path(sslterm.__file__).resolve().parent
    yield good("sslterm", f"sslterm {sslterm.__version__} in {folder}")
    command = shutil.which("sslterm")
    if command is None:
        yield note("sslterm", "the shell finds no command sslterm", f"call it as: {sys.executable} -m sslterm")
    elif Path(command).parent.resolve() != Path(sys.executable).parent.resolve():
        yield note(
            "sslterm",
            f"the shell's sslterm is {command}, and the Python that runs now is another one: {sys.executable}",
            "activate the environment that you mean",
        )
    installed = _version("sslterm")
    if installed not in (None, sslterm.__version__):
        yield note(
            "sslterm", f"installed as version {installed}, yet its code says {sslterm.__version__}", "install it anew"
        )


def packages(distribution: str = "sslterm") -> Iterator[Finding]:
    """Whether all that `distribution` asks for is installed, and new enough."""
    try:
        asked = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        yield note(
            "packages",
            f"{distribution} is not installed but runs from a folder: what it needs cannot be looked up",
            "in that folder: pip install -e .",
        )
        return
    needed = dict(_least(line) for line in asked if "extra ==" not in line)
    lacking = {name: least for name, least in needed.items() if not _enough(_version(name), least)}
    for name, least in lacking.items():
        has = _version(name)
        yield bad(
            "packages",
            f"{name} {has} is too old: {least} or newer is needed" if has else f"{name} is not installed",
            f"{sys.executable} -m pip install '{name}>={least}'",
        )
    if not lacking:
        shown = ", ".join(f"{name} {_version(name)}" for name in needed if name in ("textual", "typer", "pydantic"))
        told = f" ({shown})" if shown else ""
        yield good("packages", f"all {len(needed)} that {distribution} needs are here{told}")
    yield from _nvml()


def _nvml() -> Iterator[Finding]:
    """Only where there is an NVIDIA driver does its library matter."""
    if Path("/proc/driver/nvidia/version").exists() and _version("nvidia-ml-py") is None:
        yield note(
            "packages",
            "nvidia-ml-py is not installed: the queue cannot see which GPUs other people's programs use",
            f"{sys.executable} -m pip install nvidia-ml-py",
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _least(requirement: str) -> tuple[str, str]:
    """`('textual', '1.0')` of `textual<9,>=1.0`."""
    name = re.match(r"[\w.-]+", requirement)
    least = re.search(r">=\s*([\d.]+)", requirement)
    assert name, f"{requirement} is a requirement"
    return name.group(), least.group(1) if least else "0"


def _enough(version: str | None, least: str) -> bool:
    return version is not None and _numbers(version) >= _numbers(least)


def _numbers(version: str) -> list[int]:
    """`[2, 15]` of `2.15.0+cpu`: zeros at the end say nothing."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in found.group().split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
