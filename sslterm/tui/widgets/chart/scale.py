"""Axes: which range is shown, where the ticks are, and how numbers and times are written in few cells."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from typing import Literal

import numpy as np

from sslterm.tui.widgets.chart.series import Floats

Kind = Literal["step", "epoch", "relative", "wall"]
MINUTE, HOUR, DAY = 60, 3600, 86400
TIME_STEPS = (
    1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR,
    3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
)  # fmt: skip
GREATEST = 1e100
"""The y axis goes no further; one over it is nothing. Neither is ever meant."""
PERCENTILES = (2, 98)
"""What a robust range keeps."""


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that needs at most `count` steps over the span."""
    least = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= least * (1 - 1e-9))


def ticks(low: float, high: float, count: int) -> list[float]:
    """Nice places between low and high, about `count`, and at least two."""
    found: list[float] = []
    while len(found) < 2:
        found = _multiples(low, high, nice_step(high - low, count))
        count += 1
    return found


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Exponents of ten for an axis from 10^low to 10^high: decades, 1-2-5 between them, or plain ticks within one."""
    span = high - low
    if span >= count:
        return _multiples(low, high, max(1.0, math.ceil(span / count)))
    if span >= 1:
        mantissas = (1, 2, 5) if span * 3 <= count else (1, 3) if span * 2 <= count else (1,)
        decades = range(math.floor(low), math.ceil(high) + 1)
        places = [decade + math.log10(mantissa) for decade in decades for mantissa in mantissas]
        return [place for place in places if low - 1e-9 <= place <= high + 1e-9]
    return [math.log10(value) for value in ticks(10**low, 10**high, count) if value > 0]


def time_ticks(low: float, high: float, count: int, offset: float = 0) -> tuple[list[float], float]:
    """Places at round times and the step between them; `offset` is what a clock on the wall adds to seconds."""
    least = (high - low) / max(count, 1)
    step = next((step for step in TIME_STEPS if step >= least), 0) or math.ceil(least / DAY / 28) * DAY * 28
    return [place - offset for place in _multiples(low + offset, high + offset, step)], step


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def x_ticks(low: float, high: float, count: int, kind: Kind) -> list[tuple[float, str]]:
    """Places on the x axis and what is written there."""
    if kind == "relative":
        return [(place, elapsed(place)) for place in time_ticks(low, high, count)[0]]
    if kind == "wall":
        places, step = time_ticks(low, high, count, _clock(low).tm_gmtoff)
        return [(place, wall(place, step)) for place in places]
    places = [place for place in ticks(low, high, count) if kind == "epoch" or place == int(place)]
    return list(zip(places, labels(places), strict=True))


def y_ticks(low: float, high: float, count: int, log: bool) -> list[tuple[float, str]]:
    """Places on the y axis (on a log axis: exponents of ten) and what is written there."""
    if not log:
        return list(zip(places := ticks(low, high, count), labels(places), strict=True))
    places = log_ticks(low, high, count)
    if high - low < 1:
        return list(zip(places, labels([10**place for place in places]), strict=True))
    return [(place, _short(f"{10**place:g}") if -4 < place < 3 else number(10**place)) for place in places]


def labels(places: list[float]) -> list[str]:
    """Ticks as short as they may be, all with the decimals that their distance needs: `0 .2 .4`, `500 1k 1.5k`."""
    step = min((b - a for a, b in pairwise(places)), default=0)
    if not step:
        return [_trimmed(number(place)) for place in places]
    greatest = max(abs(place) for place in places)
    if greatest < 1e-3 or greatest >= 1e15:
        return [_scientific(place, _decimals(step / 10.0 ** math.floor(math.log10(greatest)))) for place in places]
    return [_tick(place, step) for place in places]


def _tick(place: float, step: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(place) >= size:
            return _trimmed(f"{place / size:.{_decimals(step / size)}f}") + letter
    return _short(f"{place:.{_decimals(step)}f}")


def _decimals(step: float) -> int:
    """How many decimals tell multiples of a step apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def number(value: float) -> str:
    """Three digits of any number: `.812`, `2.61`, `36.4k`, `3.1e-4`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e15):
        return _scientific(value, 1)
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            return _trimmed(f"{value / limit:.{_digits(size / limit)}f}") + letter
    if value == int(value):
        return str(int(value))
    return _short(f"{value:.{_digits(size)}f}")


def _digits(size: float) -> int:
    """Decimals that make three digits in all; small numbers keep three that count."""
    return max(0, 2 - math.floor(math.log10(size))) if size else 0


def _short(text: str) -> str:
    """`.5` for `0.5`, `-.5` for `-0.5`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if not digits.strip("0."):
        return "0"
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def _scientific(value: float, decimals: int) -> str:
    if not value:
        return "0"
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{_trimmed(mantissa)}e{int(exponent)}"


def _trimmed(digits: str) -> str:
    """`1.5` for `1.50`, `2` for `2.0`."""
    return digits.rstrip("0").rstrip(".") if digits[-1:].isdigit() and "." in digits else digits


def elapsed(seconds: float) -> str:
    """`45s`, `12m`, `12m30s`, `3h05m`, `2d04h`."""
    if seconds < 0:
        return "-" + elapsed(-seconds)
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m" + (f"{whole % MINUTE:02d}s" if whole % MINUTE else "")
    if whole < 2 * DAY:
        return f"{whole // HOUR}h" + (f"{whole % HOUR // MINUTE:02d}m" if whole % HOUR // MINUTE else "")
    return f"{whole // DAY}d" + (f"{whole % DAY // HOUR:02d}h" if whole % DAY // HOUR else "")


def wall(moment: float, step: float = 1) -> str:
    """A time of the day here; at midnight, and where ticks are days apart, the day."""
    clock = _clock(moment)
    if step >= DAY or (step >= MINUTE and (clock.tm_hour, clock.tm_min) == (0, 0)):
        return f"{clock.tm_mday} {time.strftime('%b', clock)}"
    return time.strftime("%H:%M:%S" if step < MINUTE else "%H:%M", clock)


def _clock(moment: float) -> time.struct_time:
    """What clocks here say, between 1970 and the year 9999."""
    return time.localtime(min(max(moment, DAY), 253_370_764_800))


def place(x: float, kind: Kind) -> str:
    """An x by itself: `step 1,204`, `epoch 52.5`, `3h05m`, `14:03:20`."""
    if kind == "relative":
        return elapsed(x)
    if kind == "wall":
        return wall(x)
    return f"{kind} {x:,.0f}" if x == int(x) else f"{kind} {x:,.2f}".rstrip("0")


def x_range(low: float, high: float, live: bool) -> tuple[float, float]:
    """What the x axis shows of points from low to high: from 0, where they begin there or almost.

    A live one moves seldom, so that most lines of the screen stay as they are.
    """
    if high - low <= 1e-12 * max(abs(low), abs(high), 1.0):
        return low - 0.5, high + 0.5
    if 0 < low <= (high - low) * 0.03:
        low = 0.0
    if not live:
        return low, high
    step = nice_step(high - low, 12)
    return low, max(math.ceil(high / step) * step, high)


def y_range(low: float, high: float, log: bool = False) -> tuple[float, float]:
    """What the y axis shows of values from low to high: a little more, in steps, so that it moves seldom."""
    if math.isnan(low) or math.isnan(high):
        return 0.0, 1.0
    limit = math.log10(GREATEST) if log else GREATEST
    low, high = (min(max(value, -limit), limit) for value in (low, high))
    if max(abs(low), abs(high)) < 1 / GREATEST:
        low = high = 0.0
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        margin = abs(high) * 0.1 or 1.0
        return low - margin, high + margin
    step = nice_step(high - low, 4) / 5
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def robust(values: Floats, log: bool, at_most: int = 4096) -> tuple[float, float]:
    """The range without the few values that lie far off; of very many values, of every so many."""
    some = values[:: max(1, len(values) // at_most)]
    some = np.clip(some[np.isfinite(some)], -GREATEST, GREATEST)
    some = np.log10(some[some > 0]) if log else some
    if not len(some):
        return math.nan, math.nan
    low, high = np.percentile(some, PERCENTILES)
    margin = (high - low) * 0.05
    return max(float(low - margin), float(some.min())), min(float(high + margin), float(some.max()))
