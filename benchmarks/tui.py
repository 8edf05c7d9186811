"""`sslterm tui` in a real pseudo-terminal of 120x40: every figure of its promise, beside what is allowed.

    python benchmarks/tui.py                      # 5,000 run directories and a run of ten million points: five minutes
    python benchmarks/tui.py --only start keys    # some parts only
    python benchmarks/tui.py --quick              # little of everything: whether it works at all

start    from the command to the first whole screen: head with the right count, rows, keys at the bottom
keys     from a key to what it does on the terminal, while ten processes write to ten runs
big      from enter to curves, for a run of ten metrics at each of a million steps
idle     the share of a processor core that is taken while nobody touches anything; memory
bytes    what one update of four charts sends, while a run grows by some percent each half second

Beside the times of starting stands that of a process that only imports Textual and numpy: it tells how fast the machine
is, and what else it has to do. Exit code 1: something misses what is allowed.
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
from collections.abc import Callable, Sequence
from pathlib import Path

import tui_keys
import tui_runs
from tui_terminal import Screen, Terminal

PARTS = ("start", "keys", "big", "idle", "bytes")
IMPORT = "import textual.app, numpy"
CURVE = re.compile("[\u2801-\u28ff]")
STATE = re.compile(r"^.{0,5}\b(running|finished|failed|lost|killed|rebooted)\b.*moco")
missed: list[str] = []


def line(what: str, measured: str, allowed: str = "", good: bool = True) -> None:
    """One figure."""
    if not good:
        missed.append(what)
    print(f"{what:66}{measured:>28}   {allowed:14}{'' if good else 'MISSED'}".rstrip(), flush=True)


def seconds(what: str, taken: Sequence[float], allowed: float | None = None) -> None:
    """Times of several rounds: the median counts."""
    middle = statistics.median(taken)
    said = f"{middle:.2f} s (best {min(taken):.2f})"
    line(what, said, f"<= {allowed} s" if allowed else "", allowed is None or middle <= allowed)


def megabytes(what: str, found: dict[str, float]) -> None:
    """Memory: all of it counts."""
    said = " / ".join(f"{found[name]:.0f}" for name in ("Rss", "Pss", "Private", "Peak"))
    line(f"memory, {what}: all / shared out / own / peak", f"{said} MB", "<= 150 MB", found["Rss"] <= 150)


def opened(runs: Path) -> Terminal:
    """The TUI, as people start it."""
    command = [sys.executable, "-m", "sslterm", "tui", "--runs-dir", str(runs), "--data-dir", str(runs / "no-data")]
    return Terminal(command, Path(__file__).parents[1])


def listed(count: int) -> Callable[[Screen], bool]:
    """Whether a list is there: rows, as many as there can be, and keys at the bottom."""
    return lambda screen: sum(map(bool, map(STATE.search, screen.lines))) >= min(count, 12) and "Help" in screen.text


def whole(count: int) -> Callable[[Screen], bool]:
    """Whether the first screen is complete."""
    counted, rows = re.compile(rf"\b({count}|{count:,}) runs?\b"), listed(count)
    return lambda screen: bool(counted.search("\n".join(screen.lines[:3]))) and rows(screen)


def until(terminal: Terminal, true: Callable[[Screen], object], patience: float = 60) -> float:
    """When it was so. It has to be some time."""
    at = terminal.until(true, patience)
    assert at is not None, f"this is all that came:\n{terminal.screen.text}"
    return at


# ---------------------------------------------------------------- start


def starts(given: argparse.Namespace, few: Path, many: Path) -> None:
    """With few and with many runs, in turns with what the machine needs to import Textual alone."""
    taken: dict[str, list[float]] = {"import": [], "few": [], "many": []}
    for _ in range(given.rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORT], check=True)
        taken["import"].append(time.perf_counter() - began)
        taken["few"].append(start(few, whole(tui_runs.FEW)))
        taken["many"].append(start(many, whole(given.runs)))
    seconds(f'python -c "{IMPORT}", for comparison', taken["import"])
    seconds(f"start, {tui_runs.FEW} runs", taken["few"], 0.6)
    seconds(f"start, {given.runs:,} runs", taken["many"], 1.5)
    shutil.rmtree(many / ".sslterm", ignore_errors=True)
    with opened(many) as terminal:
        rows = until(terminal, listed(given.runs)) - terminal.began
        all_of_it = until(terminal, whole(given.runs), 300) - terminal.began
    said = f"{rows:.2f} s, all counted {all_of_it:.2f} s"
    line("the same for the first time, without an index: newest rows", said)


def start(runs: Path, there: Callable[[Screen], bool]) -> float:
    """Seconds to the first whole screen."""
    with opened(runs) as terminal:
        return until(terminal, there) - terminal.began


# ---------------------------------------------------------------- keys


def keys(given: argparse.Namespace, runs: Path, count: int) -> None:
    """In the list, then on the screen of a run that is written to."""
    with opened(runs) as terminal:
        until(terminal, whole(count))
        terminal.rest(1)
        percentiles(f"a key, list of {count:,} runs", tui_keys.press(terminal, tui_keys.of_list, given.keys))
        terminal.press("g")
        terminal.rest(1)
        terminal.press("\r")
        until(terminal, lambda screen: "epoch ╯" in screen.text)
        terminal.rest(6)  # a first epoch is over: all charts are there
        percentiles("a key, charts of a run at work", tui_keys.press(terminal, tui_keys.of_charts, given.keys))


def percentiles(what: str, taken: Sequence[float]) -> None:
    """The middle, nearly all, the worst."""
    p95 = statistics.quantiles(taken, n=20)[-1]
    said = f"{statistics.median(taken):.0f} / {p95:.0f} / {max(taken):.0f} ms"
    line(f"{what}: p50 / p95 / max of {len(taken)}", said, "p95 <= 50 ms", p95 <= 50)


# ---------------------------------------------------------------- the long run


def curves(charts: int) -> Callable[[Screen], bool]:
    """Whether there are so many charts, all of them with curves."""

    def seen(screen: Screen) -> bool:
        text = screen.text
        there = text.count("epoch ╯") + text.count("epoch ╮")
        return there >= charts and "no data" not in text and len(CURVE.findall(text)) >= 30 * charts

    return seen


def long_run(given: argparse.Namespace, run: Path) -> None:
    """Open it, several times; the first time everything is parsed."""
    what = f"{given.rows * len(tui_runs.BIG):,} points"
    shutil.rmtree(run / ".cache", ignore_errors=True)
    taken = []
    for _ in range(given.rounds + 1):
        with opened(run.parent) as terminal:
            until(terminal, lambda screen: "1 run" in screen.text and "big" in screen.text)
            terminal.rest(1)
            pressed = terminal.press("\r")
            taken.append(until(terminal, curves(4), 120) - pressed)
            terminal.rest(2)
            memory = terminal.memory()
    line(f"open {what} for the first time ever: parses {run_size(run):,.0f} MB", f"{taken[0]:.2f} s")
    seconds(f"open {what}: from enter to curves", taken[1:], 1.0)
    megabytes(f"{what} on the screen", memory)


def run_size(run: Path) -> float:
    """MB of metrics."""
    return sum(path.stat().st_size for path in (run / "metrics").iterdir()) / 1e6


# ---------------------------------------------------------------- idle


def idle(given: argparse.Namespace, runs: Path, count: int, what: str, allowed: float | None) -> None:
    """Let it be."""
    with opened(runs) as terminal:
        until(terminal, whole(count))
        terminal.rest(4)
        before, sent, began = terminal.cpu(), terminal.sent, time.perf_counter()
        terminal.rest(given.idle)
        took = time.perf_counter() - began
        share = (terminal.cpu() - before) / took * 100
        said = f"{share:.1f} % ({(terminal.sent - sent) / took:,.0f} B/s)"
        line(f"idle, {what}", said, f"<= {allowed:.0f} %" if allowed else "", allowed is None or share <= allowed)
        if allowed:
            megabytes(what, terminal.memory())


# ---------------------------------------------------------------- bytes


def update_bytes(given: argparse.Namespace, folder: Path) -> None:
    """Four charts of a run that grows so fast that axes move often."""
    run = tui_runs.one(folder, "four")
    with tui_runs.at_work([run], rows=40, every=0.25, speed=2), opened(folder) as terminal:
        until(terminal, lambda screen: "four" in screen.text and "1 run" in screen.text)
        terminal.press("\r")
        until(terminal, curves(4))
        terminal.rest(3)
        bursts = sorted(count for count in terminal.rest(given.watch) if count >= 200)  # less is no chart
        shown, sent = terminal.screen.text, terminal.sent
        terminal.press("\x0c")
        terminal.rest(0.2)
        redrawn = terminal.sent - sent
    said = f"{statistics.median(bursts):,.0f} / {bursts[int(len(bursts) * 0.9)]:,} / {bursts[-1]:,} B"
    line(f"an update of four charts: median / 90 % / most of {len(bursts)}", said, "<= 8,000 B", bursts[-1] <= 8000)
    different = sum(a != b for a, b in zip(shown.split("\n"), terminal.screen.text.split("\n"), strict=True))
    line(f"all of the screen drawn anew (ctrl+l): {different} lines were other ones", f"{redrawn:,} B")


# ---------------------------------------------------------------- all of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=tui_runs.MANY, help="how many directories")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts only")
    parser.add_argument("--keep", type=Path, help="make the runs here, or find them here, and leave them")
    given = parser.parse_args()
    given.runs = min(given.runs, 300) if given.quick else given.runs
    given.rows = 20_000 if given.quick else tui_runs.BIG_ROWS
    given.rounds, given.keys = (2, 40) if given.quick else (5, 200)
    given.idle, given.watch = (4, 10) if given.quick else (10, 60)
    with tempfile.TemporaryDirectory(prefix="sslterm-tui-") as folder:
        place = given.keep or Path(folder)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an sslterm that is installed is compiled
        os.environ["PYTHONPYCACHEPREFIX"] = str(place / "compiled")
        measure(given, place)
    print(f"load of the machine over the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    sys.exit(bool(missed))


def measure(given: argparse.Namespace, place: Path) -> None:
    """Every part, line by line."""
    few, many, big = (place / name for name in ("few", "many", "big"))
    for folder, count in ((few, tui_runs.FEW), (many, given.runs)):
        if not folder.exists():
            tui_runs.many(folder, count)
    start(few, whole(tui_runs.FEW))  # compiles
    if "start" in given.only:
        starts(given, few, many)
    if "big" in given.only:
        long_run(given, big / "big" if big.exists() else tui_runs.big(big, given.rows).path)
    if "bytes" in given.only:
        with tempfile.TemporaryDirectory(prefix="sslterm-four-") as folder:
            update_bytes(given, Path(folder))
    if "idle" in given.only:
        idle(given, few, tui_runs.FEW, f"{tui_runs.FEW} runs, none at work", 3)
        idle(given, many, given.runs, f"{given.runs:,} runs, none at work", 3)
    if {"keys", "idle"} & set(given.only):
        with_ten(given, many)


def with_ten(given: argparse.Namespace, runs: Path) -> None:
    """Ten more runs, and a writer to each."""
    live = [tui_runs.one(runs, f"moco-live-{number}") for number in range(10)]
    try:
        with tui_runs.at_work(live):
            time.sleep(3)
            if "idle" in given.only:
                idle(given, runs, given.runs + 10, f"{given.runs:,} runs and ten at work", None)
            if "keys" in given.only:
                keys(given, runs, given.runs + 10)
    finally:
        for run in live:
            shutil.rmtree(run.path, ignore_errors=True)


if __name__ == "__main__":
    main()
