"""Preset files: found, read and written. The shipped ones lie beside the package, or inside the wheel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomli
import tomli_w

from sslterm.presets.problems import PresetError, Problem, nearest
from sslterm.presets.resolving import salvage
from sslterm.presets.sections import Preset

SHIPPED = (Path(__file__).parents[1] / "shipped", Path(__file__).parents[2] / "presets")


def shipped() -> dict[str, Path]:
    """The presets that come with sslterm, by name: inside the wheel, or beside the package in a checkout."""
    folder = next((folder for folder in SHIPPED if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.toml"))} if folder else {}


def find(preset: str) -> Path:
    """The file of a preset given by path or shipped name. Raises FileNotFoundError with a sentence."""
    path = Path(preset)
    if path.is_file():
        return path
    known = shipped()
    if preset in known:
        return known[preset]
    if path.suffix == ".toml" and path.stem in known and path.parent.name in ("", "presets"):
        return known[path.stem]  # `presets/moco.toml` as the documentation writes it, from any directory
    raise FileNotFoundError(f"{preset}: no such file, nor a shipped preset{nearest(path.stem, known)}")


def load(path: Path, assignments: Iterable[str] = ()) -> Preset:
    """Read, override and resolve a preset file. Raises PresetError, OSError."""
    preset, problems = salvage(read_file(path), assignments)
    if problems:
        raise PresetError(str(path), problems)
    return preset


def read_file(path: Path) -> dict[str, Any]:
    """What a preset file says. Raises PresetError, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PresetError(str(path), [Problem("", "is not UTF-8 text; save it as UTF-8")]) from None
    return read(text, str(path))


def read(text: str, source: str = "preset") -> dict[str, Any]:
    """What a TOML text says. Raises PresetError with the line of a slip."""
    try:
        return tomli.loads(text)
    except (ValueError, RecursionError) as error:  # the latter: of lists a thousand deep
        raise PresetError(source, [Problem("", f"is not TOML: {error}")]) from None


def dump(preset: Preset) -> str:
    """The resolved preset as TOML: reading it again gives the same preset."""
    return tomli_w.dumps(preset.model_dump(mode="json", exclude_none=True))
