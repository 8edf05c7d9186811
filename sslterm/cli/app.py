"""The program that the commands belong to, and the options that several of them have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="sslterm",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run self-supervised image-learning experiments from a terminal.\n\n"
    "Start with `sslterm run quickstart`: it needs no download and learns within two minutes on two cores.",
    epilog="Exit codes: 0 done, 1 the run failed, 2 usage or preset error, 3 not found, 130 interrupted.",
)

RunsDir = Annotated[Path, typer.Option("--runs-dir", envvar="SSLTERM_RUNS", help="Where runs are kept.")]
DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="SSLTERM_DATA", help="Where data sets are, and are downloaded to.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout, for scripts.")]
Assignments = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting, as in epochs=20 or stage.probe.optimizer.lr=0.03; repeat."
    ),
]
PresetArgument = Annotated[str, typer.Argument(metavar="PRESET", help="A .toml file, or a shipped name such as moco.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A path, a name or its beginning, or `last`.")]

RUNS, DATA = Path("runs"), Path("data")


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False) -> None:
    """Answers `--version`; everything else is a command."""
    if version:
        from sslterm import __version__

        print(f"sslterm {__version__}")
        raise SystemExit(0)
