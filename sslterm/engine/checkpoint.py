"""Checkpoints as the learner writes and reads them: copied aside within the step, written by a thread."""

from __future__ import annotations

import contextlib
import errno
import io
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslterm.runs import Run, RunError, checkpoints, crash, files
from sslterm.runs.checkpoints import Checkpoint

FORMAT = 1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DamagedCheckpoint(RunError):
    """A checkpoint that cannot be loaded; the text says which and why."""


def copied(state: Any) -> Any:
    """The same state where it is, no longer tied to what training changes next. Nothing waits for a GPU."""
    return _each(state, lambda tensor: tensor.detach().clone())


def on_the_cpu(state: Any) -> Any:
    """The same state on the CPU."""
    return _each(state, lambda tensor: tensor.cpu())


def _each(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The state with every tensor in it changed."""
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, dict):
        return {key: _each(value, change) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(_each(value, change) for value in state)
    return state


def _behind_training() -> contextlib.AbstractContextManager[Any]:
    """Where copies from a GPU wait for what was asked of it until now, and for nothing that is asked later."""
    if not torch.cuda.is_initialized():
        return contextlib.nullcontext()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    return torch.cuda.stream(stream)


PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each new try to write a checkpoint that training cannot end without."""

Describe = Callable[[int, str], Checkpoint]
Work = tuple[dict[str, Any], contextlib.AbstractContextManager[Any], Describe, Callable[[], None]]


class CheckpointWriter:
    """Writes one checkpoint at a time while training goes on.

    Where the disk is full, training goes on too: the checkpoints before stay whole, `trouble` says what is wrong, and
    the next checkpoint is the next try. Only where training ends is a checkpoint worth waiting for (`settle`).
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.trouble: str | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._unwritten: Work | None = None

    def write(self, state: dict[str, Any], describe: Describe, then: Callable[[], None]) -> None:
        """Copy `state` and write it in the background; `describe(size, sha256)` says what stands beside it, and `then`
        runs once both are on disk (to set pointers and delete what is no longer wanted).
        """
        self.finish()
        try:
            aside = copied(state)
        except torch.cuda.OutOfMemoryError:  # no room for a second one beside it: training waits for the first
            aside = copied(on_the_cpu(state))
        self._start(({"format": FORMAT, **aside}, _behind_training(), describe, then))

    def settle(self) -> None:
        """Until what was given last is on disk, with some more tries. Raises RunError where it cannot be written."""
        for pause in (*PAUSES, None):
            self.finish()
            if self._unwritten is None:
                return
            if pause is None:
                break
            time.sleep(pause)
            self._start(self._unwritten)
        assert isinstance(self._failure, OSError)
        full = self._failure.errno in FULL
        raise RunError(
            f"{self.trouble}; the checkpoints before it are whole. {'Make room' if full else 'Mend that'}, then"
            f" continue with `sslterm resume {self.run.path}`"
        ) from self._failure

    def finish(self) -> None:
        """Until nothing is being written any more, whether it could be or not. Raises what is no fault of the disk."""
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        if self._failure is None:
            self.trouble = None
        elif isinstance(self._failure, OSError):
            where = self._failure.filename or self.run.checkpoints
            self.trouble = f"{where}: the checkpoint could not be written ({self._failure.strerror})"
        else:
            raise self._failure

    def _start(self, work: Work) -> None:
        self._failure, self._unwritten = None, work
        self._thread = threading.Thread(target=self._guarded, args=work, name="checkpoint")
        self._thread.start()

    def _guarded(
        self,
        state: dict[str, Any],
        behind: contextlib.AbstractContextManager[Any],
        describe: Describe,
        then: Callable[[], None],
    ) -> None:
        try:
            with behind:
                here = on_the_cpu(state)
            save(self.run.checkpoints, here, describe)
            then()
        except BaseException as error:
            self._failure = error
        else:
            self._unwritten = None


def save(folder: Path, state: dict[str, Any], describe: Describe) -> Checkpoint:
    """Write a checkpoint, then its description: one without the other is not counted as a checkpoint."""
    path = folder / describe(0, "").file
    # torch's zip writer turns a full disk into a RuntimeError without a cause; a plain file says what happened.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    files.write_whole(path, lambda file: file.write(buffer.getbuffer()))
    crash.point("checkpoint.undescribed")
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
