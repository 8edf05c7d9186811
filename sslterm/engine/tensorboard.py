"""The same metrics as TensorBoard events, for people who like TensorBoard; our own screens do not read them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType


class TensorBoard:
    """Writes scalars to a folder of event files."""

    def __init__(self, folder: Path) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), flush_secs=30)

    def write(self, step: int, values: dict[str, float]) -> None:
        """One value a name at a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()
