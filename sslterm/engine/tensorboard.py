"""The same metrics as TensorBoard events, for people who like TensorBoard; our own screens do not read them.

Nothing here may end, stall or interrupt a training run. tensorboardX's own writer would: its thread dies of a full disk
and its queue then blocks for ever. So we only let it encode, write ourselves, and stop after the first failure.
"""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Any

FLUSH_SECONDS = 5.0
"""Events wait so long in memory, for a write a step would be felt on a network disk."""


class TensorBoard:
    """One event file of scalars and pictures; `failed` says why there are none (or no more of them), in a sentence."""

    failed: str | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[bytes] = []
        self._flushed = time.monotonic()
        try:
            from tensorboardX.proto.event_pb2 import Event
            from tensorboardX.record_writer import masked_crc32c

            self._event, self._checksum = Event, masked_crc32c
            now = time.time()
            folder.mkdir(parents=True, exist_ok=True)
            # TensorBoard knows the file by how its name begins, and reads an attempt's file after those before it.
            name = f"events.out.tfevents.{now:.6f}.{socket.gethostname()}"
            self._file = (folder / name).open("xb", buffering=0)
            self._keep(Event(wall_time=now, file_version="brain.Event:2"))
            self._flush()
        except Exception as error:  # besides a disk's: protobuf refuses, in several ways, what other versions generated
            self._give_up(error)

    def write(self, step: int, values: dict[str, float]) -> None:
        """One value a name at a step; it need not be finite."""
        if self.failed or not values:
            return
        event = self._event(wall_time=time.time(), step=step)
        for name, value in values.items():
            event.summary.value.add(tag=name, simple_value=value)
        self._take(event)

    def picture(self, step: int, name: str, png: bytes, width: int, height: int) -> None:
        """A PNG of three channels."""
        if self.failed:
            return
        event = self._event(wall_time=time.time(), step=step)
        image = event.summary.value.add(tag=name).image
        image.width, image.height, image.colorspace, image.encoded_image_string = width, height, 3, png
        self._take(event)

    def _take(self, event: Any) -> None:
        self._keep(event)
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush()

    def _keep(self, event: Any) -> None:
        """A TFRecord: length, checksum of the length, event, checksum of the event."""
        content: bytes = event.SerializeToString()
        length = struct.pack("<Q", len(content))
        checksums = [struct.pack("<I", self._checksum(part)) for part in (length, content)]
        self._waiting += [length, checksums[0], content, checksums[1]]

    def _flush(self) -> None:
        content = b"".join(self._waiting)
        self._waiting.clear()
        self._flushed = time.monotonic()
        try:
            while content:  # a disk that fills up takes a part first, and refuses the rest
                content = content[self._file.write(content) :]
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        why = (isinstance(error, OSError) and error.strerror) or error
        self.failed = f"{self._folder}: events for TensorBoard could not be written ({why}); training goes on without"

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self.failed:
            self._flush()
        try:
            if hasattr(self, "_file"):
                self._file.close()
        except OSError as failure:
            self._give_up(failure)
