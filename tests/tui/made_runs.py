"""Run directories for tests of screens, made of the recorded one: other names, seeds, settings, curves and states."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from sslterm.runs import files
from sslterm.tui.app import SSLTerm
from sslterm.tui.config import Config

RECORDED = Path(__file__).parents[1] / "recorded" / "schema-1"
RISING = {"train/loss": [2.0, 1.5, 1.2, 1.0], "knn/top1": [0.2, 0.5, 0.7, 0.8], "valid/top1": [0.3, 0.5, 0.6, 0.7]}
Play = Callable[[SSLTerm, Pilot[None]], Awaitable[None]]


def make(
    runs_dir: Path, name: str, curves: Mapping[str, Sequence[Any]] | None = None, *, age: float = 0.0, seed: int = 0,
    lr: float = 0.05, preset: str = "tiny", note: str = "", status: Mapping[str, Any] | None = None, method: str = "",
) -> Path:  # fmt: skip
    """A run that is over; `age` in minutes. With `curves` these are its metrics, an epoch each."""
    run = runs_dir / name
    shutil.copytree(RECORDED, run, ignore=shutil.ignore_patterns("*.pt", "splits.npz", "logs"))
    info = files.read_json(run / "run.json")
    info |= {"created": 1.7e9 - 60 * age, "seed": seed, "preset": {**info["preset"], "file": f"{preset}.toml"}}
    if method:
        info["stages"] = [{**info["stages"][0], "method": method}]
    files.write_json(run / "run.json", info)
    text = (run / "resolved.toml").read_text()
    text = text.replace("seed = 0", f"seed = {seed}", 1).replace("lr = 0.05", f"lr = {lr}")
    (run / "resolved.toml").write_text(text)
    if curves is not None:
        write_curves(run, curves)
        best = curves.get("knn/top1", ())[-1:]
        said = {"supervised": {"metric": "knn/top1", "value": best[0], "file": "x.pt"}} if best else {}
        files.write_json(run / "checkpoints" / "best.json", said)
        (run / "jobs" / "train" / "heartbeat.json").unlink()
    if note:
        files.write_json(run / "notes.json", {"note": note, "tags": []})
    if status:
        files.write_json(run / "status.json", {**files.read_json(run / "status.json"), **status})
    return run


def write_curves(run: Path, curves: Mapping[str, Sequence[Any]]) -> None:
    """These are all the metrics it has; texts as `nan` are written as they are."""
    count = max((len(values) for values in curves.values()), default=0)
    rows = []
    for place in range(count):
        said = {name: values[place] for name, values in curves.items() if place < len(values)}
        where = {"step": 10 * (place + 1), "stage": "supervised", "epoch": place + 1.0, "time": 1.7e9 + place}
        rows.append(json.dumps(where | said) + "\n")
    files.write_text(run / "metrics" / "0001.jsonl", "".join(rows))  # another file than before


def app_of(runs_dir: Path, **more: Any) -> SSLTerm:
    return SSLTerm(runs_dir, runs_dir.parent / "data", Config(), **more)


def on_screen(runs_dir: Path, play: Play, size: tuple[int, int] = (80, 24), **more: Any) -> None:
    """Play with the app over these runs."""

    async def go() -> None:
        app = app_of(runs_dir, **more)
        async with app.run_test(size=size, notifications=True) as pilot:
            await play(app, pilot)

    asyncio.run(go())
