"""What a person sees while training: one bar a stage in a terminal, one line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

SHOWN = ("loss", "top1", "knn/top1", "valid/top1")
WORDS = {"top1": "acc", "knn/top1": "kNN", "valid/top1": "valid"}


class Progress:
    """Says how far a run is. `live` draws a bar on stderr; otherwise a line an epoch goes to stdout."""

    def __init__(self, live: bool | None = None, quiet: bool = False) -> None:
        self.live = sys.stdout.isatty() and sys.stderr.isatty() if live is None else live
        self.quiet = quiet
        self._bar: Any = None
        self._last: dict[str, float] = {}

    def stage(self, name: str, method: str, epochs: int, steps: int, done: int, batch: int) -> None:
        """A stage begins, or goes on after `done` steps."""
        self.close()
        self.name, self.epochs, self.steps, self.batch = name, epochs, steps, batch
        self._last, self._speed = {}, 0.0
        self._began, self._done = time.monotonic(), 0
        if self.live and not self.quiet:
            self._bar = tqdm(
                total=epochs * steps,
                initial=done,
                desc=self._title(done),
                bar_format="{desc} {bar} {remaining} left",
                dynamic_ncols=True,
                mininterval=0.2,
                smoothing=0.05,
                file=sys.stderr,
                leave=True,
            )
        self._at = done

    def _title(self, done: int) -> str:
        return f"{self.name} {min(done // self.steps + 1, self.epochs)}/{self.epochs}"

    def _described(self) -> str:
        """`pretrain 3/7 loss 2.602 kNN 0.880 2,226 images/s`, as far as it is known; short, for 80 columns."""
        speed = f"{self._speed:,.0f} images/s" if self._speed else ""
        return " ".join(part for part in (self._title(self._at), figures(self._last, " "), speed) if part)

    def step(self, shown: dict[str, float] | None = None) -> None:
        """One more step; `shown` where its numbers were just read."""
        self._at += 1
        self._done += 1
        if self._bar is None:
            return
        if shown:
            self._last.update({key: shown[key] for key in SHOWN if key in shown})
            self._speed = self._done * self.batch / max(time.monotonic() - self._began, 1e-9)
        self._bar.set_description_str(self._described(), refresh=False)
        self._bar.update()

    def epoch(self, epoch: int, metrics: dict[str, float], left: float) -> None:
        """An epoch is over. `left` seconds remain in the stage, as it looks now."""
        row = {key.removeprefix("train/"): value for key, value in metrics.items()}
        self._last.update({key: row[key] for key in SHOWN if key in row})
        if self._bar is None and not self.quiet:
            speed = f"{metrics.get('images_per_second', 0):,.0f} images/s"
            tail = f" · {duration(left)} left" if epoch < self.epochs else ""
            print(f"{self.name} {epoch}/{self.epochs} · {figures(row)} · {speed}{tail}", flush=True)

    def say(self, text: str) -> None:
        """A sentence between the figures; messages go to stderr, for stdout is data."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """The bar stays as it stands."""
        if self._bar is not None:
            self._bar.set_description_str(self._described(), refresh=False)
            self._bar.bar_format = "{desc} {bar} {elapsed}"
            self._bar.refresh()
            self._bar.close()
            self._bar = None


def figures(row: dict[str, float], between: str = " · ") -> str:
    """`loss 2.310 · kNN 0.812`."""
    return between.join(f"{WORDS.get(key, key)} {row[key]:.3f}" for key in SHOWN if key in row)


def duration(seconds: float) -> str:
    """`45s`, `12m`, `3h05m`."""
    if seconds < 90:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    return f"{minutes}m" if minutes < 90 else f"{minutes // 60}h{minutes % 60:02d}m"
