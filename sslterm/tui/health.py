"""Alarms in plain words: what a look at the curves of a run tells about its health. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

COLLAPSED = 0.1
"""Of the spread that healthy representations have; below it they are nearly all the same."""
RISE = 1.5
"""By how much the loss has to stand above its lowest to be called diverging."""
STALL = 20
"""Epochs without any gain in the loss that are called a stall."""


def alarm(curves: Mapping[str, Any]) -> str | None:
    """The gravest thing that ails a run, as a sentence; None where all looks well. Curves are float64 arrays."""
    return _not_a_number(curves) or _collapse(curves) or _divergence(curves) or _stall(curves)


def _not_a_number(curves: Mapping[str, Any]) -> str | None:
    loss = curves.get("train/loss")
    if loss is None or not len(loss) or np.isfinite(loss[-1]):
        return None
    return f"the loss is {loss[-1]} at epoch {len(loss)}: a smaller optimizer.lr or clip_norm may help"


def _collapse(curves: Mapping[str, Any]) -> str | None:
    std, healthy = curves.get("health/std"), curves.get("health/std_healthy")
    if std is None or healthy is None or not len(std) or not len(healthy):
        return None
    if std[-1] >= COLLAPSED * healthy[-1]:
        return None
    return (
        f"collapsed: the spread of z fell to {std[-1]:.4f} (healthy: about {healthy[-1]:.3f});"
        " all images look alike to it"
    )


def _divergence(curves: Mapping[str, Any]) -> str | None:
    loss = curves.get("train/loss")
    if loss is None or len(loss) < 3:
        return None
    lowest = float(np.nanmin(loss))
    if lowest <= 0 or not loss[-1] > RISE * lowest or not loss[-1] > loss[-2] > lowest:
        return None
    return f"diverges: the loss rose from {lowest:.3f} to {loss[-1]:.3f}"


def _stall(curves: Mapping[str, Any]) -> str | None:
    loss = curves.get("train/loss")
    if loss is None or len(loss) < 2 * STALL:
        return None
    since = len(loss) - 1 - int(np.nanargmin(loss))
    return f"stalls: the loss has not fallen for {since} epochs" if since >= STALL else None
