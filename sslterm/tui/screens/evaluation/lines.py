"""Lines of the screen that say where one is: of which run, which of the questions; and why there is nothing to see."""

from __future__ import annotations

import shlex

from rich.text import Text

from sslterm.runs import Run
from sslterm.tui.screens.evaluation.entries import Entry
from sslterm.tui.screens.evaluation.look import AnswersSeen
from sslterm.tui.widgets.run_table import cells

NAME = 40
"""A name in a line is no longer."""


def head(run: Run, seen: AnswersSeen | None) -> Text:
    """`evaluations moco-a1   6 answers to 5 questions`."""
    line = Text("evaluations ", "bold").append(cells.fit(run.name, NAME, both_ends=True).rstrip())
    if seen is not None and seen.count:
        line.append(f"   {_counted(seen.count, 'answer')} to {_counted(len(seen.entries), 'question')}", "not bold dim")
    if seen is not None and seen.wrong:
        line.append(f"   ✗ {_counted(len(seen.wrong), 'file')} cannot be read", "not bold")
    return line


def question(entry: Entry, place: int, count: int) -> Text:
    """`2/5  probe-0050 · head · test   n next  N before`."""
    line = Text(f"{place + 1}/{count}  " + cells.fit(entry.title, 60).rstrip(), "bold")
    return line.append("   n next  N before", "not bold dim") if count > 1 else line


def nothing(run: Run, seen: AnswersSeen) -> str:
    """Why there is nothing to see, and what to do."""
    if seen.gone:
        return f"this run is not there any more\n\n{run.path}"
    how = f"press e on the run (t: with test-time flip too),\nor type: sslterm eval {shlex.quote(run.name)} --tta"
    if seen.wrong:
        return f"no evaluation can be read\n\n{seen.wrong[0]}\n\nto make it again, delete the file, then {how}"
    return f"no evaluation of {run.name} yet\n\n{how}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"
