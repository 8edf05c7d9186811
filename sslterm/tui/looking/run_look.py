"""Looking at one run for its screen, in a thread: what is drawn is made ready there, of ten million points too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from textual.message import Message

from sslterm.runs import Run
from sslterm.runs.state import ALIVE
from sslterm.tui.looking.watch import OneRun, RunSeen, Sight
from sslterm.tui.reckoning import axes, health
from sslterm.tui.reckoning.axes import Axis
from sslterm.tui.reckoning.run_curves import CHARTS, Drawing, drawings, lines_of


@dataclass(frozen=True)
class Drawn:
    """The charts of a run at one moment, on one axis."""

    axis: Axis
    charts: Sequence[Drawing] = ()
    marks: Sequence[tuple[float, str]] = ()
    """Where later stages begin."""
    alarm: str | None = None


class RunDrawn(Message):
    """The run is other than it was, or was asked for on another axis. `problem` says why it cannot be looked at."""

    def __init__(self, sight: Sight, drawn: Drawn, problem: str | None) -> None:
        super().__init__()
        self.sight, self.drawn, self.problem = sight, drawn, problem


class RunLook:
    """What a watch over a run looks at; `axis` says on which axis it is wanted just now, `in_sight` which charts are.

    Of a run with millions of points only the lines that are in sight are kept in memory.
    """

    def __init__(self, run: Run, axis: Callable[[], Axis], in_sight: Callable[[], Collection[str]]) -> None:
        self._look = OneRun(run, seen=self._wanted)
        self._axis, self._in_sight = axis, in_sight
        self._sight: Sight | None = None
        self._problem: str | None = None
        self._drawn = Drawn(axis())

    def __call__(self) -> Message | None:
        axis = self._axis()
        if axis != self._drawn.axis:
            self._look.again()
        message = self._look()
        if not isinstance(message, RunSeen):
            return message
        if message.problem is None or self._sight is None:  # otherwise there may be no curves; what is drawn stays
            self._drawn = drawn(message.sight, axis)
        self._sight, self._problem = replace(message.sight, curves={}), message.problem
        return RunDrawn(self._sight, self._drawn, self._problem)

    def _wanted(self, names: Sequence[str]) -> Collection[str]:
        """What alarms look at, and the charts that are in sight; before it is known which those are, the first ones."""
        titles = self._in_sight() or [group[0] for group in CHARTS if group[0] in names][:2]
        return health.JUDGED | lines_of(titles)


def drawn(sight: Sight, axis: Axis) -> Drawn:
    """All that is to be seen of the curves."""
    stages = axes.stages_of(sight.curves.values())
    names = [str(stage["name"]) for stage in sight.row["stages"]]
    trained = [
        health.Stage(name, str(stage["method"]), axes.values_of(sight.curves, stages, number))
        for number, (name, stage) in enumerate(zip(names, sight.row["stages"], strict=True))
        if number < len(stages.steps)
    ]
    return Drawn(
        axis,
        drawings(sight.curves, sight.names, axes.Places(axis, stages)),
        axes.marks(sight.curves, axis, stages, names),
        health.alarm(trained, sight.row["state"] in ALIVE),
    )
