"""`sslterm tui` in a real pseudo-terminal of 120x40: every figure of its promise, beside what is allowed.

    python benchmarks/tui.py                   # 5,000 run directories and a run of ten million points: some minutes
    python benchmarks/tui.py --quick           # fewer runs, fewer points, fewer rounds: whether it works at all
    python benchmarks/tui.py --only start keys

start    from the command to the first whole screen: head with the right count, rows, footer
keys     from a key to what it does on the terminal, while ten writers (processes of their own) write to ten runs
big      from enter to curves, for a run of ten metrics at each of a million steps
idle     the share of a processor core that the TUI takes while nobody touches it
memory   what it holds then
bytes    what one update of four charts sends, while a run grows

A line is `what  measured  allowed`; `python -c "import textual"` stands beside as the measure of the machine, and what
the machine is loaded with at the end: other work on it makes every time longer. Exit code 1: something misses.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import tui_runs
from tui_terminal import Screen, Terminal

COUNTED = r"\b(?:{0}|{0:,}) runs?\b"
CURVE = re.compile("[\u2801-\u28ff]")
CURSOR_AT = 3
"""A column of a row that has the cursor's background."""
missed: list[str] = []


def line(what: str, measured: str, allowed: str = "", good: bool = True) -> None:
    """One figure."""
    if not good:
        missed.append(what)
    print(f"{what:66}{measured:>26}   {allowed:12}{'' if good else '  MISSED'}".rstrip(), flush=True)


def seconds(what: str, taken: list[float], allowed: float | None = None) -> None:
    """Times of several rounds: the median counts."""
    middle = statistics.median(taken)
    said = f"{middle:.2f} s  (best {min(taken):.2f})"
    line(what, said, f"<= {allowed} s" if allowed else "", allowed is None or middle <= allowed)


def opened(runs: Path) -> Terminal:
    """The TUI, as people start it."""
    command = [sys.executable, "-m", "sslterm", "tui", "--runs-dir", str(runs), "--data-dir", str(runs / "no-data")]
    return Terminal(command, Path(__file__).parents[1])


def whole(count: int) -> Callable[[Screen], object]:
    """Whether the first screen is complete."""
    counted = re.compile(COUNTED.format(count))
    rows = min(count, 12)

    def seen(screen: Screen) -> bool:
        lines = screen.lines
        return sum(map(state_of, lines)) >= rows and "Help" in lines[-1] and bool(counted.search("\n".join(lines[:2])))

    return seen


def state_of(text: str) -> bool:
    """Whether a line of the list is a run's."""
    return bool(re.match(r".{0,4}[▶◌✓✗◼‖⏸?!] ?\S* +\w+", text)) and "moco" in text[:60]


# ---------------------------------------------------------------- start


def start(runs: Path, count: int, rounds: int) -> list[float]:
    """Seconds to the first whole screen."""
    taken = []
    for _ in range(rounds):
        with opened(runs) as terminal:
            at = terminal.until(whole(count))
            assert at is not None, f"never whole:\n{terminal.screen.text}"
            taken.append(at - terminal.began)
    return taken


def reference(rounds: int) -> list[float]:
    """Seconds of a process that imports Textual."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
        taken.append(time.perf_counter() - began)
    return taken


def starts(given: argparse.Namespace, few: Path, many: Path) -> None:
    """With few and with many runs."""
    seconds('reference: python -c "import textual.app"', reference(given.rounds))
    seconds(f"start, {tui_runs.FEW} runs", start(few, tui_runs.FEW, given.rounds), 0.6)
    shutil.rmtree(many / ".sslterm", ignore_errors=True)
    seconds(f"start, {given.runs:,} runs, the first time (no index yet)", start(many, given.runs, 1))
    seconds(f"start, {given.runs:,} runs", start(many, given.runs, given.rounds), 1.5)


# ---------------------------------------------------------------- keys


def percentiles(what: str, taken: list[float], allowed: float) -> None:
    """The middle, nearly all, the worst."""
    p95 = statistics.quantiles(taken, n=20)[-1]
    said = f"{statistics.median(taken):.0f} / {p95:.0f} / {max(taken):.0f} ms"
    line(f"{what}: p50 / p95 / max of {len(taken)}", said, f"p95 <= {allowed:.0f} ms", p95 <= allowed)


def keys(given: argparse.Namespace, runs: Path, count: int) -> None:
    """In the list, then on the screen of a run that is written to."""
    with opened(runs) as terminal:
        assert terminal.until(whole(count)), terminal.screen.text
        terminal.rest(1)
        percentiles(
            f"key, {count:,} runs, ten at work, list", press(terminal, list_keys(terminal.screen), given.keys), 50
        )
        terminal.press("g")
        terminal.rest(1)
        terminal.press("\r")
        assert terminal.until(lambda screen: "epoch ╯" in screen.text), terminal.screen.text
        terminal.rest(2)
        percentiles("key, a run at work, its charts", press(terminal, chart_keys(terminal.screen), given.keys), 50)


# ---------------------------------------------------------------- the long run, memory


def curves(charts: int) -> Callable[[Screen], object]:
    """Whether so many charts have frames, and all of them curves."""

    def seen(screen: Screen) -> bool:
        text = screen.text
        return text.count("epoch ╯") >= charts and "no data" not in text and len(CURVE.findall(text)) >= 30 * charts

    return seen


def long_run(given: argparse.Namespace, run: Path) -> None:
    """Open it, several times; the first time everything is parsed."""
    points = given.rows * len(tui_runs.BIG)
    shutil.rmtree(run / ".cache", ignore_errors=True)
    first, again, memory = [], [], {}
    for number in range(given.rounds + 1):
        with opened(run.parent) as terminal:
            assert terminal.until(lambda screen: "1 run" in screen.text and "big" in screen.text), terminal.screen.text
            terminal.rest(1 if number else 30 * given.rows / 1e6 + 2)  # the preview reads it too: let it
            pressed = terminal.press("\r")
            at = terminal.until(curves(4), 120)
            assert at is not None, f"no curves:\n{terminal.screen.text}"
            (again if number else first).append(at - pressed)
            terminal.rest(2)
            memory = terminal.memory()
    seconds(f"open the charts of {points:,} points, parsed a moment ago", first)
    seconds(f"open the charts of {points:,} points", again, 1.0)
    megabytes(f"memory, {points:,} points on the screen", memory, 150)


def megabytes(what: str, found: dict[str, float], allowed: float) -> None:
    """Memory: all of it counts."""
    said = " / ".join(f"{found[name]:.0f}" for name in ("Rss", "Pss", "Private", "Peak"))
    line(f"{what}: all / shared out / own / peak", f"{said} MB", f"<= {allowed:.0f} MB", found["Rss"] <= allowed)


# ---------------------------------------------------------------- idle


def idle(given: argparse.Namespace, runs: Path, count: int, what: str, allowed: float | None) -> None:
    """Let it be."""
    with opened(runs) as terminal:
        assert terminal.until(whole(count)), terminal.screen.text
        terminal.rest(4)
        before, sent, began = terminal.cpu(), terminal.sent, time.perf_counter()
        terminal.rest(given.idle)
        took = time.perf_counter() - began
        share = (terminal.cpu() - before) / took * 100
        said = f"{share:.1f} %  ({(terminal.sent - sent) / took:,.0f} B/s)"
        line(f"idle, {what}", said, f"<= {allowed:.0f} %" if allowed else "", allowed is None or share <= allowed)
        if count > tui_runs.FEW and allowed:
            megabytes(f"memory, {what}", terminal.memory(), 150)


# ---------------------------------------------------------------- bytes


def update_bytes(given: argparse.Namespace, folder: Path) -> None:
    """Four charts of a run that grows by some percent every half second: axes move often."""
    run = tui_runs.one(folder, "four")
    with tui_runs.at_work([run], rows=40, every=0.25, speed=2), opened(folder) as terminal:
        assert terminal.until(lambda screen: "four" in screen.text and "1 run" in screen.text), terminal.screen.text
        terminal.press("\r")
        assert terminal.until(curves(1), 30), terminal.screen.text
        terminal.rest(3)
        bursts = terminal.rest(given.watch)
    whole_ones = sorted(bursts)
    said = f"{statistics.median(bursts):,.0f} / {whole_ones[int(len(bursts) * 0.9)]:,} / {whole_ones[-1]:,} B"
    line(f"an update of four charts: median / 90 % / most of {len(bursts)}", said, "<= 8,000 B", whole_ones[-1] <= 8000)


# ---------------------------------------------------------------- all of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=tui_runs.MANY, help="how many directories")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--only", nargs="+", choices=("start", "keys", "big", "idle", "bytes"), help="some parts only")
    parser.add_argument("--keep", type=Path, help="make the runs here, or find them here, and leave them")
    given = parser.parse_args()
    if given.quick:
        given.runs = min(given.runs, 300)
    given.rows = 20_000 if given.quick else tui_runs.BIG_ROWS
    given.rounds, given.keys = (2, 40) if given.quick else (5, 200)
    given.idle, given.watch = (4, 10) if given.quick else (10, 60)
    with tempfile.TemporaryDirectory(prefix="sslterm-tui-") as folder:
        place = given.keep or Path(folder)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed sslterm is compiled
        os.environ["PYTHONPYCACHEPREFIX"] = str(place / "compiled")
        measure(given, place)
    sys.exit(bool(missed))


def measure(given: argparse.Namespace, place: Path) -> None:
    """Every part, line by line."""
    few, many, ten, big = (place / name for name in ("few", "many", "ten", "big"))
    wanted = given.only or ("start", "keys", "big", "idle", "bytes")
    if not few.exists():
        tui_runs.many(few, tui_runs.FEW)
    if not many.exists():
        tui_runs.many(many, given.runs)
    start(few, tui_runs.FEW, 1)  # compiles
    if "start" in wanted:
        starts(given, few, many)
    if "big" in wanted:
        long_run(given, big / "big" if big.exists() else tui_runs.big(big, given.rows).path)
    if "idle" in wanted:
        idle(given, few, tui_runs.FEW, f"{tui_runs.FEW} runs, none at work", 3)
        idle(given, many, given.runs, f"{given.runs:,} runs, none at work", 3)
    if "bytes" in wanted:
        with tempfile.TemporaryDirectory(prefix="sslterm-four-") as folder:
            update_bytes(given, Path(folder))
    if "keys" in wanted or "idle" in wanted:
        shutil.rmtree(ten, ignore_errors=True)
        with_ten(given, many, wanted)
    print(f"load of the machine over the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def with_ten(given: argparse.Namespace, runs: Path, wanted: tuple[str, ...]) -> None:
    """Ten more runs, and a writer to each."""
    live = [tui_runs.one(runs, f"moco-live-{number}") for number in range(10)]
    try:
        with tui_runs.at_work(live):
            time.sleep(3)
            if "idle" in wanted:
                idle(given, runs, given.runs + 10, f"{given.runs:,} runs and ten at work", None)
            if "keys" in wanted:
                keys(given, runs, given.runs + 10)
    finally:
        for run in live:
            shutil.rmtree(run.path, ignore_errors=True)


if __name__ == "__main__":
    main()
