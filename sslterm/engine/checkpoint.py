"""Checkpoints as the learner writes and reads them: copied aside within the step, written by a thread."""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslterm.runs import Run, RunError, checkpoints, files
from sslterm.runs.checkpoints import Checkpoint

FORMAT = 1


class DamagedCheckpoint(RunError):
    """A checkpoint that cannot be loaded; the text says which and why."""


def copied(state: Any) -> Any:
    """The same state on the CPU, no longer tied to what training changes next."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: copied(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(copied(value) for value in state)
    return state


class CheckpointWriter:
    """Writes one checkpoint at a time while training goes on; a failure is raised at the next call."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def write(
        self, state: dict[str, Any], describe: Callable[[int, str], Checkpoint], then: Callable[[], None]
    ) -> None:
        """Copy `state` and write it in the background; `describe(size, sha256)` says what stands beside it, and `then`
        runs once both are on disk (to set pointers and delete what is no longer wanted).

        Raises RunError where the write before this one failed.
        """
        self.wait()
        state = {"format": FORMAT, **copied(state)}
        self._thread = threading.Thread(target=self._guarded, args=(state, describe, then), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Until what was given is on disk. Raises RunError where it could not be written."""
        if self._thread:
            self._thread.join()
            self._thread = None
        failure, self._failure = self._failure, None
        if isinstance(failure, OSError):
            full = failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise RunError(
                f"{failure.filename or self.run.checkpoints}: the checkpoint could not be written ({failure.strerror});"
                f" the ones before it are whole. {'Make room' if full else 'Mend that'}, then resume the run"
            ) from failure
        if failure:
            raise failure

    def finish(self) -> None:
        """Until nothing is being written any more, whether it could be or not."""
        if self._thread:
            self._thread.join()

    def _guarded(
        self, state: dict[str, Any], describe: Callable[[int, str], Checkpoint], then: Callable[[], None]
    ) -> None:
        try:
            save(self.run.checkpoints, state, describe)
            then()
        except BaseException as error:
            self._failure = error


def save(folder: Path, state: dict[str, Any], describe: Callable[[int, str], Checkpoint]) -> Checkpoint:
    """Write a checkpoint, then its description: one without the other is not counted as a checkpoint."""
    path = folder / describe(0, "").file
    # torch's zip writer turns a full disk into a RuntimeError without a cause; a plain file says what happened.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    files.write_whole(path, lambda file: file.write(buffer.getbuffer()))
    checkpoint = describe(path.stat().st_size, files.sha256(path))
    checkpoints.describe(folder, checkpoint)
    return checkpoint


def load(path: Path) -> dict[str, Any]:
    """The state in a checkpoint file, on the CPU. Never runs code from it. Raises DamagedCheckpoint."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DamagedCheckpoint(f"{path}: is not there") from None
    except Exception as error:  # torch raises a dozen kinds for a cut or foreign file
        reason = str(error).strip().split("\n")[0][:120]
        raise DamagedCheckpoint(f"{path}: cannot be loaded as a checkpoint ({reason})") from None
    if not isinstance(state, dict) or "method" not in state:
        raise DamagedCheckpoint(f"{path}: is no sslterm checkpoint; it holds no method")
    if state.get("format") != FORMAT:
        raise DamagedCheckpoint(f"{path}: written by another version of sslterm (format {state.get('format')})")
    return state


def open_checkpoint(run: Run, checkpoint: Checkpoint) -> dict[str, Any]:
    """A run's checkpoint, once it is proved to be what was written. Raises DamagedCheckpoint."""
    problem = checkpoints.damage(run, checkpoint)
    if problem:
        raise DamagedCheckpoint(problem)
    return load(run.checkpoints / checkpoint.file)


def encoder_state(state: dict[str, Any]) -> dict[str, Tensor]:
    """The encoder's weights out of a checkpoint's method."""
    prefix = "encoder."
    return {key.removeprefix(prefix): value for key, value in state["method"].items() if key.startswith(prefix)}
