"""`sslterm bench`: how fast this machine is at what sslterm does, each figure beside a reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslterm.cli.answers import answering
from sslterm.cli.app import DATA, AsJson, DataDir, Device, app

if TYPE_CHECKING:
    from sslterm.bench.report import Report


@app.command(
    rich_help_panel="Look",
    epilog="Examples: sslterm bench views · sslterm bench step --preset simclr · sslterm bench moco",
)
def bench(
    what: Annotated[str, typer.Argument(metavar="views|step|loader|store|startup|PRESET", help="What to measure.")],
    preset: Annotated[str, typer.Option(metavar="PRESET", help="For `step`: whose step.")] = "quickstart",
    rounds: Annotated[int, typer.Option(min=2, help="How often each is measured; the median counts.")] = 7,
    threads: Annotated[int, typer.Option(min=1, help="For `views`: on how many cores.")] = 1,
    size: Annotated[int, typer.Option(min=8, help="For `views`: side of a view in pixels.")] = 32,
    side: Annotated[
        int | None, typer.Option(min=8, help="For `views`: side of an image; left out: the view's.")
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """How fast this machine is: views, a training step, loading, metrics, start-up; or how long a PRESET takes here.

    Each figure stands beside a reference measured in the same turns, so that another program slows both. A difference
    smaller than the spread of the turns is called none.
    """
    with answering():
        report = _measured(what, preset, rounds, threads, size, side, device, data_dir)
        print(json.dumps(report.json(), indent=1) if as_json else report.text())


def _measured(
    what: str, preset: str, rounds: int, threads: int, size: int, side: int | None, device: str, data_dir: Path
) -> Report:
    if what == "views":
        from sslterm.bench import views

        return views.measure(size, side, rounds=rounds, threads=threads, device="cpu" if device == "auto" else device)
    if what == "loader":
        from sslterm.bench import loader

        return loader.measure(rounds=rounds)
    if what == "store":
        from sslterm.bench import store

        return store.measure(rounds=rounds)
    if what == "startup":
        from sslterm.bench import startup

        return startup.measure(rounds)
    from sslterm import presets

    wanted = presets.load(presets.find(preset if what == "step" else what))
    if what == "step":
        from sslterm.bench import step

        return step.measure(wanted, device, data_dir, rounds)
    from sslterm.bench import forecast

    return forecast.measure(wanted, device, data_dir)
