"""Looking at checkpoints, in threads: what there is, and whether it is whole."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from textual.message import Message

from sslterm.runs import Run, inventory
from sslterm.runs.index import Signature
from sslterm.runs.summary import Row
from sslterm.runs.wholeness import Finding, Verifier

FIRST, LONGEST = 0.15, 0.6
"""Seconds of looking after which what is known so far is told: at first, and each time twice as many up to."""
A_TURN = 0.25
"""Seconds of reading files after which findings are told."""
SHARE = 0.01
"""How much of a processor core looking at thousands of runs may take where nothing changes."""


class CheckpointsSeen(Message):
    """Every checkpoint that is known, in the order of runs, of each the newest first."""

    def __init__(self, rows: list[Row], looked: int, of: int, gone: int) -> None:
        super().__init__()
        self.rows = rows
        self.looked, self.of = looked, of
        """How many runs were looked at by now, of how many."""
        self.gone = gone
        """How many of them are not there."""


class AllCheckpoints:
    """What a watch over the checkpoints of some runs looks at. A run is read again only where its folders changed.

    The first look at thousands of runs is told in parts: ask for more until `looked` are all.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list({str(run.path): run for run in runs}.values())
        self._read: dict[str, tuple[int, list[Row]]] = {}
        self._gone: set[str] = set()
        self._looked = 0
        self._patience = FIRST
        self._told: tuple[int, int] | None = None
        self.due = 0.0
        """When to look at all of them again; 0: at once."""

    def __call__(self) -> Message | None:
        began = time.monotonic()
        if self._looked == len(self.runs) and began < self.due:
            return None
        changed = self._look()
        self.due = time.monotonic() + (time.monotonic() - began) / SHARE
        told, self._told = self._told, (self._looked, len(self._gone))
        if not changed and told == self._told:
            return None
        return CheckpointsSeen(self._rows(), self._looked, len(self.runs), len(self._gone))

    def _look(self) -> bool:
        """Look at the next runs, as long as patience lasts; once all are known, at all of them. Tells whether any
        says something else than before."""
        whole = self._looked == len(self.runs)
        until, changed = time.monotonic() + self._patience, False
        for place in range(0 if whole else self._looked, len(self.runs)):
            changed |= self._look_at(self.runs[place])
            if not whole:
                self._looked = place + 1
                if time.monotonic() > until:
                    self._patience = min(2 * self._patience, LONGEST)
                    break
        return changed

    def _look_at(self, run: Run) -> bool:
        path = str(run.path)
        signature = Signature(path, inventory.TOLD_BY)
        number, before = self._read.get(path, (None, []))
        if number == signature.number:
            return False
        rows = inventory.rows(run)[::-1]
        (self._gone.discard if rows or run.path.is_dir() else self._gone.add)(path)
        same = rows == before
        # What changed a moment ago may change once more and show the same time: it is not taken for known.
        self._read[path] = (YOUNG if signature.young else signature.number, before if same else rows)
        return not same

    def _rows(self) -> list[Row]:
        return [row for run in self.runs for row in self._read.get(str(run.path), (0, []))[1]]


YOUNG = -1


class Verified(Message):
    """What else is known of files now, by path. `left`: how many that a person asked for are still to be read."""

    def __init__(self, findings: dict[str, Finding], left: int, more: bool) -> None:
        super().__init__()
        self.findings = findings
        self.left = left
        self.more = more
        """Whether there is more to read at once."""


class Verifying:
    """What a watch over files looks at, one file at a time: those that a person asked for, then those in view. So
    nobody's disk is read through because somebody looks at a list."""

    def __init__(self) -> None:
        self.verifier = Verifier()
        self.ended = False
        self._view: Sequence[Row] = ()
        self._asked: deque[Row] = deque()
        self._findings: dict[str, Finding] = {}

    def view(self, rows: Sequence[Row]) -> None:
        """These are seen now, the most wanted first."""
        self._view = rows

    def ask(self, rows: Sequence[Row]) -> None:
        """Read these again, seen or not."""
        self._asked.extend(rows)

    def __call__(self) -> Message | None:
        until, more, asked = time.monotonic() + A_TURN, True, bool(self._asked)
        changed: dict[str, Finding] = {}
        while more and not self.ended and time.monotonic() < until:
            more = self._one(changed)
        if not changed and not more and not asked:
            return None
        self._findings |= changed
        return Verified(changed, len(self._asked), more)

    def _one(self, changed: dict[str, Finding]) -> bool:
        """Look at all that are seen, and read one file. Tells whether there may be another to read."""
        if self._asked:
            row = self._asked.popleft()
            self.verifier.forget(row["path"])
            finding = self.verifier.known(row) or self.verifier.read(row, lambda: not self.ended)
            if finding is not None:
                changed[row["path"]] = finding
            return True
        view = self._view
        for row in view:
            finding = self.verifier.known(row)
            self._note(row, finding, changed)
            if finding is None:
                read = self.verifier.read(row, lambda: not self.ended and (self._view is view or row in self._view))  # noqa: B023
                self._note(row, read, changed)
                return True
        return False

    def _note(self, row: Row, finding: Finding | None, changed: dict[str, Finding]) -> None:
        path = row["path"]
        if finding is not None and finding != changed.get(path, self._findings.get(path)):
            changed[path] = finding
