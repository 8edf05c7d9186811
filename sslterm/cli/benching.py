"""`sslterm bench`: how fast this machine is at what sslterm does, each figure beside a reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslterm.cli.answers import answering, refuse, say
from sslterm.cli.app import DATA, RUNS, AsJson, DataDir, Device, RunsDir, app

if TYPE_CHECKING:
    from sslterm.bench.report import Report


@app.command(
    rich_help_panel="Look",
    epilog="Examples: sslterm bench views · sslterm bench step --preset simclr · sslterm bench moco",
)
def bench(
    what: Annotated[
        str, typer.Argument(metavar="views|step|loader|knn|store|startup|methods|PRESET", help="What to measure.")
    ],
    preset: Annotated[str, typer.Option(metavar="PRESET", help="For `step`: whose step.")] = "quickstart",
    also: Annotated[
        str,
        typer.Option(
            metavar="fp32,compiled", help="For `step`: the bare model as torch has it unasked, or compiled, too."
        ),
    ] = "",
    rounds: Annotated[int, typer.Option(min=2, help="How often each is measured; the median counts.")] = 7,
    threads: Annotated[int, typer.Option(min=1, help="For `views`: on how many cores.")] = 1,
    size: Annotated[int, typer.Option(min=8, help="For `views`: side of a view in pixels.")] = 32,
    side: Annotated[
        int | None, typer.Option(min=8, help="For `views`: side of an image; left out: the view's.")
    ] = None,
    rows: Annotated[int, typer.Option(min=100, help="For `store`: how many rows of ten metrics.")] = 100_000,
    only: Annotated[str, typer.Option(metavar="simclr,mae", help="For `methods`: which; left out: all.")] = "",
    images: Annotated[int, typer.Option(min=100, help="For `methods`: training images.")] = 10_000,
    epochs: Annotated[int, typer.Option(min=1, help="For `methods`: of each pretext.")] = 10,
    data: Annotated[str, typer.Option(metavar="NAME", help="For `methods`: which data set.")] = "cifar10",
    device: Device = "auto",
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """How fast this machine is: views, a training step, loading, neighbours, metrics, start-up; how long a PRESET takes
    here; or what each of the `methods` learns from the same images, as runs of their own that stay.

    Each figure stands beside a reference measured in the same turns, so that another program slows both. A difference
    smaller than the spread of the turns is called none.
    """
    with answering():
        if what == "methods":
            _methods(only, images, epochs, data, device, runs_dir, data_dir, as_json)
            return
        report: Report
        if what == "views":
            from sslterm.bench import views

            on = "cpu" if device == "auto" else device
            report = views.measure(size, side, rounds=rounds, threads=threads, device=on)
        elif what == "loader":
            from sslterm.bench import loader

            report = loader.measure(rounds=rounds)
        elif what == "knn":
            from sslterm.bench import knn

            report = knn.measure(device, rounds=rounds)
        elif what == "store":
            from sslterm.bench import store

            report = store.measure(rows, rounds=rounds)
        elif what == "startup":
            from sslterm.bench import startup

            report = startup.measure(rounds)
        else:
            report = _of_a_preset(what, preset, also, rounds, device, data_dir)
        print(json.dumps(report.json(), indent=1) if as_json else report.text())


def _methods(
    only: str, images: int, epochs: int, data: str, device: str, runs_dir: Path, data_dir: Path, as_json: bool
) -> None:
    from sslterm.bench import methods
    from sslterm.presets import nearest

    there = methods.names()
    wanted = _listed(only) or there
    for name in wanted:
        refuse(name not in there, f"--only {name}: no method that could be compared{nearest(name, there)}")
    budget = methods.Budget(data, images, epochs, 2 * epochs)
    rows = list(methods.measure(wanted, budget, methods.Bench(runs_dir, data_dir, device, say)))
    print(json.dumps(methods.as_json(rows, budget), indent=1) if as_json else methods.text(rows, budget))


def _listed(said: str) -> list[str]:
    return [name.strip() for name in said.split(",") if name.strip()]


def _of_a_preset(what: str, preset: str, also: str, rounds: int, device: str, data_dir: Path) -> Report:
    from sslterm import presets
    from sslterm.presets import nearest

    wanted = presets.load(presets.find(preset if what == "step" else what))
    if what == "step":
        from sslterm.bench import step

        for name in _listed(also):
            known = list(step.ALSO)
            refuse(name not in known, f"--also {name}: takes {' and '.join(known)}{nearest(name, known)}")
        return step.measure(wanted, device, data_dir, rounds, also=_listed(also))
    from sslterm.bench import forecast

    return forecast.measure(wanted, device, data_dir)
