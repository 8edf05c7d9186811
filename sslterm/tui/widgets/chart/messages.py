"""What a chart tells: where its crosshair went, and which part of the x axis is seen. The last word counts."""

from __future__ import annotations

from textual.message import Message
from textual.widget import Widget


class CrosshairMoved(Message, namespace="line_chart"):
    """The crosshair is somewhere else; x None: it is gone. Other charts follow with `show_crosshair`."""

    def __init__(self, chart: Widget, x: float | None) -> None:
        super().__init__()
        self.chart, self.x = chart, x

    @property
    def control(self) -> Widget:
        """Which chart."""
        return self.chart

    def can_replace(self, message: Message) -> bool:
        """Of the same chart."""
        return isinstance(message, CrosshairMoved) and message.chart is self.chart


class ViewChanged(Message, namespace="line_chart"):
    """Another part of the x axis is shown; view None: all of it. Other charts follow with `set_view`."""

    def __init__(self, chart: Widget, view: tuple[float, float] | None) -> None:
        super().__init__()
        self.chart, self.view = chart, view

    @property
    def control(self) -> Widget:
        """Which chart."""
        return self.chart

    def can_replace(self, message: Message) -> bool:
        """Of the same chart."""
        return isinstance(message, ViewChanged) and message.chart is self.chart
