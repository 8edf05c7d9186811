"""Which checkpoints stay: the newest, the best, each stage's last, and every so many epochs as the preset asks."""

from __future__ import annotations

from sslterm.runs import Run, checkpoints
from sslterm.runs.checkpoints import Checkpoint, downward


def best_of(entries: list[tuple[float, str]], metric: str, count: int) -> list[tuple[float, str]]:
    """The best `count` of (value, file), best first; of equals the earlier."""
    return sorted(entries, key=lambda entry: entry[0] if downward(metric) else -entry[0])[:count]


def prune(run: Run, newest: Checkpoint, best: set[str], every: int) -> None:
    """Delete the checkpoints of the newest one's stage that nobody asked to keep."""
    for checkpoint in checkpoints.listed(run):
        wanted = (
            checkpoint.stage_index != newest.stage_index
            or checkpoint.file == newest.file
            or checkpoint.ended
            or checkpoint.file in best
            or (every and checkpoint.epoch % every == 0 and checkpoint.step == 0)
        )
        if not wanted:
            path = run.checkpoints / checkpoint.file
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
