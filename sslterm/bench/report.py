"""What a benchmark found, for people and for scripts."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from typing import Any

from sslterm.bench.timing import Figure, Ratio, ratio
from sslterm.data import pool
from sslterm.tables import table


@dataclass
class Report:
    """Figures, the first of a group being what the others are held against."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    pairs: dict[str, str] = field(default_factory=dict)
    """Which figure is held against which, by name."""
    notes: list[str] = field(default_factory=list)

    def add(self, figure: Figure, beside: str | None = None) -> Figure:
        """Take a figure in, to be held against another."""
        self.figures.append(figure)
        if beside is not None:
            self.pairs[figure.name] = beside
        return figure

    def ratio(self, name: str) -> Ratio | None:
        """How a figure stands to its reference; None where it has none."""
        beside = self.pairs.get(name)
        return ratio(self._named(name), self._named(beside)) if beside else None

    def _named(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    def text(self) -> str:
        """A table, and what is to be said of it."""
        rows = []
        for figure in self.figures:
            held = self.ratio(figure.name)
            beside = f"{held} {self.pairs[figure.name]}" if held else ""
            spread = f"{written(min(figure.values))} to {written(max(figure.values))}" if len(figure.values) > 1 else ""
            rows.append([figure.name, f"{written(figure.median)} {figure.unit}", spread, beside, figure.note])
        heads = ["", "median", "of", "beside", ""]
        return "\n".join([f"{self.title} · {machine()}", table(heads, rows), *self.notes])

    def json(self) -> dict[str, Any]:
        """The same for scripts."""
        found = []
        for figure in self.figures:
            held = self.ratio(figure.name)
            found.append(
                {
                    "name": figure.name,
                    "unit": figure.unit,
                    "median": figure.median,
                    "values": list(figure.values),
                    "beside": self.pairs.get(figure.name),
                    "ratio": held.value if held else None,
                    "ratio_low": held.low if held else None,
                    "ratio_high": held.high if held else None,
                    "told_apart": held.told_apart if held else None,
                    "note": figure.note,
                }
            )
        return {"title": self.title, "machine": machine(), "time": time.time(), "figures": found, "notes": self.notes}


def written(value: float) -> str:
    """`24,720`, `3.81`, `0.031`: three figures, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def machine() -> str:
    """Where this was measured, and how busy it was."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{pool.cores()} cores of {_processor()}{load}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
