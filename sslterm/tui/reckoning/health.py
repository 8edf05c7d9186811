"""Alarms in plain words: what a look at the curves of a run tells about its health. Pure functions of numbers.

A false alarm costs more trust than a late one helps. So each rule wants to see what it says for several epochs, and
losses of two stages are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Curves = Mapping[str, Any]
"""What one stage measured, by name: float64 arrays, one value an epoch (or a look)."""

COLLAPSED = 0.05
"""Of the spread that healthy representations have. Rotation and supervised learning live with a fifth of it; where all
images look alike it is a hundredth and less."""
LOOKS = 2
"""How often in a row a representation is to be found collapsed, or a code book dead."""
DEAD = 0.1
"""Of a tokenizer's codes, so few in use are next to none: it says most patches with the same ones."""
EPOCHS = 3
"""How long the loss is to stand above where it began."""
STALL = 20
"""Epochs without any gain that are called a stall, at least; and at least a third of what was trained."""
GROWN = 10
"""A loss so many times what it began with is out of hand, however it came there."""
LOW_RATE = 0.1
"""Of the highest rate of a stage; below it a schedule is meant to have come to rest."""
RISING = frozenset({"byol", "simsiam", "dino", "deepcluster", "gan"})
"""Methods whose loss may rise while they learn. A cosine does: from the first epochs, in which the network only has to
agree with itself, to the later ones, in which images begin to differ. So does what a teacher or new clusters ask, as
they become sharper; and what two parts lose that learn against each other."""
ACCURACIES = ("knn/top1", "valid/top1")
CODES_USED = "tokenizer/codes_used"
JUDGED = frozenset({"train/loss", "health/std", "health/std_healthy", CODES_USED, *ACCURACIES})
"""What alarms look at, beside `optimizer/lr` where it is at hand: a value an epoch each, so never many."""


@dataclass(frozen=True)
class Stage:
    """A stage of a run, as far as it was trained."""

    name: str
    method: str
    curves: Curves


def alarm(stages: Sequence[Stage], working: bool = True) -> str | None:
    """The gravest thing that ails a run, as a sentence that names a remedy; None where all looks well.

    A stage that builds on a collapsed one, or on dead codes, cannot be trusted either, so all are looked at for that;
    otherwise only the last one counts. What does not work any more cannot stall.
    """
    if not stages:
        return None
    now = stages[-1]
    found = _not_a_number(now) or next(filter(None, map(_useless, reversed(stages))), None) or _divergence(now)
    return found or (_stall(now) if working else None)


def _not_a_number(stage: Stage) -> str | None:
    loss = stage.curves.get("train/loss")
    if loss is None or not len(loss) or np.isfinite(loss[-1]):
        return None
    return f"the loss is {loss[-1]} at epoch {len(loss)} of {stage.name}: {CALMER}"


def _useless(stage: Stage) -> str | None:
    """What nothing good can be built on."""
    return _collapse(stage) or _dead_codes(stage)


def _dead_codes(stage: Stage) -> str | None:
    used = _known(stage, CODES_USED)[-LOOKS:]
    if len(used) < LOOKS or max(used) >= DEAD:
        return None
    return (
        f"the codes of {stage.name} are dead: held-out images use {used[-1]:.1%} of them, so that they tell little of a"
        " patch: method.restart above 0, fewer method.codes or a smaller optimizer.lr may help"
    )


def _collapse(stage: Stage) -> str | None:
    std, healthy = _known(stage, "health/std"), _known(stage, "health/std_healthy")
    if len(std) < LOOKS or not len(healthy) or not healthy[-1] > 0:
        return None
    last = std[-LOOKS:]
    if max(last) >= COLLAPSED * healthy[-1] or last[-1] > 1.5 * last[0]:  # the latter: it is on its way back
        return None
    return (
        f"{stage.name} collapsed: the spread of z is {last[-1]:.2g} (healthy: about {healthy[-1]:.2g}),"
        f" so all images look alike to it: {REMEDIES.get(stage.method, CALMER)}"
    )


def _divergence(stage: Stage) -> str | None:
    """It had fallen, and now stands above where it began; or it grew without measure."""
    loss = _known(stage, "train/loss")
    if stage.method in RISING or len(loss) <= EPOCHS:
        return None
    first, lowest, last = loss[0], float(loss.min()), loss[-EPOCHS:]
    margin = 0.05 * abs(first)
    fell = lowest < first - margin and min(last) > first + margin / 2
    grew = min(last) > GROWN * abs(first) + GROWN
    if not grew and (not fell or _gained(stage, EPOCHS)):
        return None
    return (
        f"{stage.name} diverges: the loss was {first:.3f} after the first epoch, {lowest:.3f} at best,"
        f" and is {last[-1]:.3f}: {CALMER}"
    )


def _stall(stage: Stage) -> str | None:
    """Neither the loss nor an accuracy has gained for long, though the rate is not at rest."""
    loss, rate = _known(stage, "train/loss"), np.asarray(stage.curves.get("optimizer/lr", ()))
    long = max(STALL, len(loss) // 3)
    if len(loss) < 2 * long or (len(rate) and not rate[-1] >= LOW_RATE * rate.max()):
        return None
    accuracies = [name for name in ACCURACIES if len(_known(stage, name))]
    if stage.method in RISING and not accuracies:
        return None
    since = len(loss) - 1 - int(np.argmin(loss))
    if (stage.method not in RISING and since < long) or _gained(stage, long):
        return None
    judged = accuracies if stage.method in RISING else ["the loss", *accuracies]
    return (
        f"{stage.name} stalls: no gain in {' or '.join(judged)} for {long} epochs: a smaller optimizer.lr may get on,"
        " or end it here (early_stopping.patience does so by itself)"
    )


def _gained(stage: Stage, epochs: int) -> bool:
    """Whether an accuracy was at its best within the last epochs. Looks may be seldom: then fewer of them count."""
    for name in ACCURACIES:
        values = _known(stage, name)
        looks = max(2, round(epochs * len(values) / max(len(stage.curves.get("train/loss", ())), 1)))
        if len(values) > looks and max(values[-looks:]) > max(values[:-looks]):
            return True
        if 0 < len(values) <= looks:
            return True  # too few to tell
    return False


def _known(stage: Stage, name: str) -> Any:
    """The finite values of a metric."""
    values = np.asarray(stage.curves.get(name, ()), float)
    return values[np.isfinite(values)]


CALMER = "a smaller optimizer.lr, a longer schedule.warmup or clip_norm may help"
REMEDIES = {
    "byol": "a teacher_momentum nearer to 1 or a smaller optimizer.lr may help, and batch norm needs larger batches",
    "simsiam": "a smaller optimizer.lr may help, and batch norm needs batches of 256 or more",
    "moco": "a smaller optimizer.lr, a longer queue or a teacher_momentum nearer to 1 may help",
    "simclr": "a smaller optimizer.lr, a longer schedule.warmup or larger batches may help",
}
