"""Reading the curves of a run, in a thread: those of a usual run are kept and continued, those of a very long one are
read anew when they change or others are seen, for all of them would fill the memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence

from sslterm.runs import Run, columns, metrics
from sslterm.tui.reckoning.curve import Curve

Choose = Callable[[Sequence[str]], Collection[str]]
"""Which of all metrics somebody sees just now."""


class CurveReader:
    """The curves of one run."""

    def __init__(self, run: Run, long: int) -> None:
        """`long` are the bytes of metrics from which on it is very long."""
        self._run, self._long = run, long
        self.names: tuple[str, ...] = ()
        """Every metric that there is."""
        self.seen: Choose | None = None
        """Of a very long run only these are read."""
        self._read: tuple[str, ...] = ()
        self._columns: columns.Columns | None = None
        self._files: list[tuple[int, int]] = []

    @property
    def long(self) -> bool:
        """Whether it is very long. Looks at the disk."""
        return sum(size for size, _ in self._look()) >= self._long

    def changed(self) -> bool:
        """Whether reading would give other curves than it did last."""
        files = self._look()
        before, self._files = self._files, files
        if sum(size for size, _ in files) >= self._long:
            return files != before or self._wanted() != self._read
        if self._columns is None:
            self._columns = columns.open(self._run.path)
            grew = True
        else:
            grew = self._columns.refresh()
        self.names = tuple(self._columns.names())
        return grew

    def read(self) -> dict[str, Curve]:
        """The curves as they are now."""
        if not self.long:
            found = self._columns or columns.open(self._run.path)
            self._columns, self.names = found, tuple(found.names())
            self._read = self.names
            return self._curves(found)
        with columns.open(self._run.path) as found:
            self._columns, self.names = None, tuple(found.names())
            self._read = self._wanted()
            return self._curves(found)

    def _curves(self, found: columns.Columns) -> dict[str, Curve]:
        read = {name: found.get(name) for name in self._read}
        return {name: Curve(one.step, one.epoch, one.time, one.value) for name, one in read.items()}

    def _wanted(self) -> tuple[str, ...]:
        if self.seen is None:
            return self.names
        wanted = self.seen(self.names)
        return tuple(name for name in self.names if name in wanted)

    def _look(self) -> list[tuple[int, int]]:
        """Bytes and times of the files of metrics."""
        found = []
        for path in metrics.segments(self._run.metrics):
            try:
                said = os.stat(path)
            except OSError:
                continue
            found.append((said.st_size, said.st_mtime_ns))
        return found
