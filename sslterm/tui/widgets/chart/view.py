"""Which part of the x axis is seen: zooming, panning, and staying at the end of a line that grows."""

from __future__ import annotations

from sslterm.tui.widgets.chart import scale

FEWEST = 4
"""Points, if they were evenly spread, that zooming leaves at least in sight."""


class View:
    """The part of the x axis that is seen; `zoomed` is None where that is all of it."""

    def __init__(self) -> None:
        self.zoomed: tuple[float, float] | None = None
        self.live = False
        self._extent: tuple[float, float] | None = None
        self._points = 0

    def data(self, extent: tuple[float, float] | None, live: bool, points: int) -> None:
        """There are other data now. A view that showed their end goes with it."""
        before, self._extent, self.live, self._points = self._extent, extent, live, points
        if self.zoomed is None or before is None:
            return
        if extent is None:
            self.zoomed = None
        elif self.zoomed[1] >= before[1]:
            onward = extent[1] - before[1]
            self.zoomed = (self.zoomed[0] + onward, self.zoomed[1] + onward)

    def zoom(self, factor: float, around: float | None) -> bool:
        """Nearer (above 1) or further away; around a place in sight, else the end of a live line, else the middle."""
        whole = self._whole()
        if whole is None:
            return False
        start, end = self.zoomed or whole
        if around is None or not start <= around <= end:
            around = end if self.live and end >= whole[1] else (start + end) / 2
        least = (whole[1] - whole[0]) * min(1.0, FEWEST / max(self._points, 1))
        span = max((end - start) / factor, least)
        share = (around - start) / (end - start)
        return self._put(around - share * span, span, whole)

    def pan(self, share: float) -> bool:
        """By a share of what is seen: positive to the right."""
        whole = self._whole()
        if whole is None or self.zoomed is None:
            return False
        start, end = self.zoomed
        return self._put(start + share * (end - start), end - start, whole)

    def reset(self) -> bool:
        """All of it."""
        before, self.zoomed = self.zoomed, None
        return before is not None

    def set(self, view: tuple[float, float] | None) -> None:
        """This part."""
        self.zoomed = view if view is None or view[0] < view[1] else None

    def _whole(self) -> tuple[float, float] | None:
        return None if self._extent is None else scale.x_range(*self._extent, self.live)

    def _put(self, start: float, span: float, whole: tuple[float, float]) -> bool:
        """See this much from there on, as far as there is anything."""
        before = self.zoomed
        if span >= (whole[1] - whole[0]) * (1 - 1e-9):
            self.zoomed = None
        else:
            start = min(max(start, whole[0]), whole[1] - span)
            self.zoomed = (start, start + span)
        return self.zoomed != before
