"""What a person sees of a job at work: its log lines, and a bar where a terminal is. Reads files, holds nothing.

Whoever follows may come and go; the job does not notice.
"""

from __future__ import annotations

import re
import sys
import time
from typing import Any

from sslterm.jobs import stop
from sslterm.runs.job import Job
from sslterm.runs.tail import Tail
from sslterm.tables import figures, safe

LOOK = 0.1
"""Seconds between two looks."""
STAMPED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)")
EPOCH = re.compile(r"(?P<stage>\S+) (?P<epoch>\d+)/(?P<epochs>\d+) · ")
INTERNAL = ("state: ", "supervisor: ", "traceback:", "Traceback")
"""Lines of the log that are for `sslterm logs`: a follower says how it ended in its own words."""


class Follower:
    """Shows a job until it ends. `live` draws bars on stderr; otherwise a line an epoch goes to stdout."""

    def __init__(self, job: Job, token: str | None = None, log_from: int | None = None, quiet: bool = False) -> None:
        self.job = job
        self.token = token if token is not None else job.record().get("job")
        self.live = sys.stdout.isatty() and sys.stderr.isatty() and not quiet
        self.quiet = quiet
        self._log = Tail.from_end(job.log) if log_from is None else Tail(job.log, log_from)
        self._bar: Any = None
        self._stage: object = None
        self._last: dict[str, Any] = {}
        self._orphaned = False

    def watch(self) -> None:
        """Until the job has ended. May be interrupted, and called again."""
        while not self.ended():
            self.look()
            time.sleep(LOOK)
        self.look()
        self.close()

    def ended(self) -> bool:
        """Whether this start of the job is over: by its record, or because nobody is left who works on it."""
        record = self.job.record()
        if record.get("job") != self.token:
            return True  # another start has taken its place
        if record.get("phase") == "ended":
            return True
        if self.job.supervised():
            return False
        if not self._orphaned and stop.orphan(self.job):
            self._orphaned = True
            self.say("its supervisor died; training goes on, and saves as before")
        return not stop.working(self.job)

    def look(self) -> None:
        """Show what is new."""
        for line in self._log.lines():
            self._relay(line)
        if self.live:
            beat = self.job.heartbeat()
            if beat.get("job") == self.token:
                self._draw(beat)

    # -------------------------------------------------------- lines

    def _relay(self, line: str) -> None:
        stamped = STAMPED.fullmatch(line)
        if not stamped or stamped[1].startswith(INTERNAL):
            return
        epoch = EPOCH.match(stamped[1])
        if not epoch:
            self.say(stamped[1])
        elif self.live:
            self._finish_epoch(stamped[1], epoch)
        elif not self.quiet:
            print(safe(stamped[1]), flush=True)

    def _finish_epoch(self, line: str, epoch: re.Match[str]) -> None:
        """The last epoch of a stage ends its bar; a stage too quick for a heartbeat to be seen leaves its line."""
        if epoch["epoch"] != epoch["epochs"]:
            return
        title = line.replace(" · ", " ")
        if self._bar is None or self._stage != epoch["stage"]:
            self.close()
            self.say(title)
        else:
            self._move(title, self._stage, self._bar.total, self._bar.total)
            self.close()

    def say(self, text: str) -> None:
        """A sentence between the figures; messages go to stderr, for stdout is data."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.write(safe(text), file=sys.stderr)
        else:
            print(safe(text), file=sys.stderr, flush=True)

    # -------------------------------------------------------- bars

    def _draw(self, beat: dict[str, Any]) -> None:
        if beat == self._last:
            return
        self._last = beat
        try:
            if beat.get("phase") == "preparing" or "stage" not in beat:
                if beat.get("total"):
                    self._move(f"{beat['title']}", beat["title"], beat["done"], beat["total"])
            else:
                at = beat["epoch"] * beat["steps"] + beat["step"]
                self._move(described(beat), beat["stage"], at, beat["epochs"] * beat["steps"])
        except (KeyError, TypeError, ValueError):
            return  # a heartbeat of another version, or damaged: the log still speaks

    def _move(self, title: str, stage: object, at: int, total: int) -> None:
        if self._bar is None or stage != self._stage:
            self.close()
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, initial=at, desc=safe(title), bar_format="{desc} {bar} {remaining} left",
                dynamic_ncols=True, mininterval=0.1, smoothing=0.1, file=sys.stderr, leave=True,
            )  # fmt: skip
            self._stage = stage  # last: Ctrl-C may fall between any two of these lines
        self._bar.set_description_str(safe(title), refresh=False)
        self._bar.update(at - self._bar.n)

    def close(self) -> None:
        """The bar stays as it stands."""
        if self._bar is not None:
            self._bar.bar_format = "{desc} {bar} {elapsed}"
            self._bar.refresh()
            self._bar.close()
            self._bar, self._stage = None, None


def described(beat: dict[str, Any]) -> str:
    """`pretrain 3/7 loss 2.602 kNN 0.880 2,226 images/s`, as far as it is known; short, for 80 columns."""
    place = f"{beat['stage']} {min(beat['epoch'] + 1, beat['epochs'])}/{beat['epochs']}"
    speed = beat.get("images_per_second")
    shown = figures(beat.get("shown") or {}, " ")
    return " ".join(part for part in (place, shown, f"{speed:,.0f} images/s" if speed else "") if part)
