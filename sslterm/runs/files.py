"""Files that are whole or not there: written aside, flushed to disk, then renamed."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sslterm.runs import crash


class DamagedFile(ValueError):
    """A file that cannot be what it should be; the text says which and why."""


def write_whole(path: Path, write: Callable[[BinaryIO], object], lasting: bool = True) -> None:
    """Let `write` fill a file beside `path`, then rename it: a reader sees the old file or the new one, never a part.

    What is not `lasting` (a heartbeat) need not survive a power cut, and so is not flushed to the disk. Raises OSError;
    then what stood at `path` is untouched and nothing is left beside it.
    """
    aside = path.with_name(f".{path.name[:100]}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with aside.open("wb") as file:
            crash.point("opened", path)
            write(file)
            crash.point("written", path)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        crash.point("synced", path)
        aside.replace(path)
        crash.point("renamed", path)
        if lasting:
            sync_folder(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> list[Path]:
    """Delete the half-written files that killed processes left in a folder, but not those being written just now."""
    left = [path for path in folder.glob(".*.tmp") if not _being_written(path)]
    for path in left:
        path.unlink(missing_ok=True)
    return left


def _being_written(path: Path) -> bool:
    """Whether a process lives that has the number in the file's name, see `write_whole`."""
    number = path.name.split(".")[-3]
    if not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """`text` as UTF-8, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, value: Any, lasting: bool = True) -> None:
    """`value` as JSON, whole or not at all; NaN and infinities become text, for JSON has none."""
    text = json.dumps(finite(value), indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()), lasting)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises DamagedFile with a sentence, FileNotFoundError."""
    try:
        value = json.loads(_content(path))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFile(f"{path}: cannot be read ({_cause(error)})") from None
    if not isinstance(value, dict):
        raise DamagedFile(f"{path}: holds {type(value).__name__} where a table is expected")
    return value


def _content(path: Path) -> bytes:
    """All of a file. A pipe in its place makes nobody wait."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        return file.read() or b""


def read_or_nothing(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is none that can be read."""
    try:
        return read_json(path)
    except (FileNotFoundError, DamagedFile):
        return {}


def _cause(error: Exception) -> str:
    return "not JSON" if isinstance(error, ValueError) else str(error)


def finite(value: Any) -> Any:
    """The same value with `nan`, `inf` and `-inf` as text, which `float()` reads back."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    import hashlib  # not above: a list of runs needs none, and it takes milliseconds to load

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
