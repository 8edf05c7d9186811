"""`sslterm ls` as whole processes beside `python -c "import typer"`, over 20 and 5,000 runs.

    python benchmarks/ls.py

Every run is a directory of its own with the files and sizes that a finished pretraining and probe leave (weights left
empty, for nobody reads them here); a few were killed, so that the index cannot hold them. `first`: there is no index
yet; `again`: there is. The commands and the import take turns, so that a busy machine slows all of them; medians of the
rounds are printed, and how many imports that is.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sslterm import presets
from sslterm.runs.create import create
from sslterm.runs.identity import host

IMPORT = [sys.executable, "-c", "import typer"]
LIST = [sys.executable, "-m", "sslterm", "ls", "--runs-dir"]
MADE = 1_795_000_000.0
PROCESS = {"pid": 999_999, "start": 1, "boot_id": "of another day", "host": host()}


def template(folder: Path) -> dict[str, Any]:
    """The files of one run, as text or as what becomes JSON."""
    source = presets.shipped()["moco"]
    run = create(folder, presets.load(source), source=source, name="template", argv=["sslterm", "run", "moco"])
    shown = {"loss": 2.1, "top1": 0.41, "valid/top1": 0.43}
    where = {"attempt": 1, "device": "cuda:0", "device_name": "some GPU", "packages": {"torch": "2.15.0"}}
    files: dict[str, Any] = {
        "run.json": json.loads((run.path / "run.json").read_text()),
        "preset.toml": source.read_text(),
        "resolved.toml": (run.path / "resolved.toml").read_text(),
        "env.json": {"attempts": [where]},
        "status.json": {"state": "finished", "attempt": 1, "job": "a", "ended": MADE, "process": PROCESS},
        "jobs/train/job.json": {"job": "a", "phase": "ended", "worker": PROCESS, "device": "cuda:0", "launched": MADE},
        "jobs/train/heartbeat.json": {
            "job": "a", "phase": "ending", "stage": "probe", "epoch": 30, "epochs": 30, "shown": shown, "time": MADE,
        },
        "jobs/train/lock": "",
        ".lock": "",
        "logs/train.log": "2026-11-23 12:20:28 probe 30/30 · loss 2.307 · acc 0.094 · valid 0.094\n" * 230,
        "metrics/0001.jsonl": "".join(rows()),
        "checkpoints/latest.json": {"file": "probe-0030.pt"},
        "checkpoints/best.json": {
            "pretrain": {"file": "pretrain-0200.pt", "metric": "knn/top1", "value": 0.82},
            "probe": {"file": "probe-0030.pt", "metric": "valid/top1", "value": 0.84},
        },
        "evaluations/probe-0030-head-test-1234567890.json": {"metrics": {"top1": 0.83}, "confusion": [[100] * 10] * 10},
    }  # fmt: skip
    for name in ("pretrain-0200", "probe-0030"):
        files[f"checkpoints/{name}.pt"] = ""
        files[f"checkpoints/{name}.json"] = {"file": f"{name}.pt", "stage": name.split("-")[0], "sha256": "0" * 64}
    shutil.rmtree(run.path)
    return files


def rows() -> list[str]:
    """Metrics: about 30 kB of them."""
    values = {"train/loss": 2.310250461101532, "train/top1": 0.0546875, "images_per_second": 7955.863355871285}
    place = {"stage": "probe", "time": MADE}
    return [json.dumps({"step": step, "epoch": step / 8, **place, **values}) + "\n" for step in range(200)]


def make(folder: Path, count: int, killed: int) -> None:
    """`count` runs, the last few of them killed without a word."""
    files = template(folder)
    for number in range(count):
        run = folder / f"2026-11-{1 + number % 30:02d}_{number:04d}_moco"
        files["run.json"] |= {"id": f"{number:016x}", "created": MADE + number, "seed": number}
        files["checkpoints/best.json"]["pretrain"]["value"] = random.random()
        files["status.json"]["state"] = "running" if number >= count - killed else "finished"
        for name, content in files.items():
            path = run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    time.sleep(1.1)  # what was written this very second is not remembered


def seconds(command: list[str]) -> float:
    """How long a process takes, from its start to its end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(folder: Path, rounds: int, filters: list[str]) -> dict[str, float]:
    """Medians over the rounds."""
    taken: dict[str, list[float]] = {"import typer": [], "first": [], "again": []}
    for _ in range(rounds):
        shutil.rmtree(folder / ".sslterm", ignore_errors=True)
        for what, command in {"first": LIST, "again": LIST, "import typer": IMPORT}.items():
            arguments = [] if command is IMPORT else [str(folder), *filters]
            taken[what].append(seconds([*command, *arguments]))
    return {what: statistics.median(times) for what, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[20, 5000], help="how many directories")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--filter", nargs="*", default=[], help="what to ask `ls` for")
    arguments = parser.parse_args()
    seconds(IMPORT)
    print(f"{'runs':>6}  {'first':>8}  {'again':>8}  {'import typer':>12}  again / import")
    for count in arguments.runs:
        with tempfile.TemporaryDirectory(prefix="sslterm-ls-") as folder:
            make(Path(folder), count, killed=max(2, count // 250))
            found = measure(Path(folder), arguments.rounds, arguments.filter)
        times = f"{found['first']:6.3f} s  {found['again']:6.3f} s  {found['import typer']:10.3f} s"
        print(f"{count:6,}  {times}  {found['again'] / found['import typer']:.2f}", flush=True)


if __name__ == "__main__":
    main()
