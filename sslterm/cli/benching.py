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
    rows: Annotated[int, typer.Option(min=100, help="For `store`: how many rows of ten metrics.")] = 100_000,
    device: Device = "auto",
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """How fast this machine is: views, a training step, loading, metrics, start-up; or how long a PRESET takes here.

    Each figure stands beside a reference measured in the same turns, so that another program slows both. A difference
    smaller than the spread of the turns is called none.
    """
    with answering():
        report: Report
        if what == "views":
            from sslterm.bench import views

            on = "cpu" if device == "auto" else device
            report = views.measure(size, side, rounds=rounds, threads=threads, device=on)
        elif what == "loader":
            from sslterm.bench import loader

            report = loader.measure(rounds=rounds)
        elif what == "store":
            from sslterm.bench import store

            report = store.measure(rows, rounds=rounds)
        elif what == "startup":
            from sslterm.bench import startup

            report = startup.measure(rounds)
        else:
            report = _of_a_preset(what, preset, rounds, device, data_dir)
        print(json.dumps(report.json(), indent=1) if as_json else report.text())


def _of_a_preset(what: str, preset: str, rounds: int, device: str, data_dir: Path) -> Report:
    from sslterm import presets

    wanted = presets.load(presets.find(preset if what == "step" else what))
    if what == "step":
        from sslterm.bench import step

        return step.measure(wanted, device, data_dir, rounds)
    from sslterm.bench import forecast

    return forecast.measure(wanted, device, data_dir)
