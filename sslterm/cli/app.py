"""The program that the commands belong to: its options, its exit codes, and how a mistake becomes a sentence."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

DONE, FAILED, USAGE, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 130

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


def main() -> None:
    """The program."""
    app()


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False) -> None:
    """Answers `--version`; everything else is a command."""
    if version:
        from sslterm import __version__

        print(f"sslterm {__version__}")
        raise typer.Exit(DONE)


@contextmanager
def answering() -> Iterator[None]:
    """What goes wrong becomes a sentence on stderr and an exit code."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        end("ended at once; what was saved stays", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except Exception as error:
        known = code(error)
        if known is None:
            raise
        end(sentence(error), known)


def sentence(error: Exception) -> str:
    """Our own errors are sentences already; those of the system name the file and what ails it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error)


def say(text: object) -> None:
    """A sentence on stderr, for stdout is data."""
    from sslterm.tables import safe

    print(safe(text), file=sys.stderr, flush=True)


def end(text: object, code: int) -> NoReturn:
    """A last sentence, and the exit code."""
    say(text)
    raise typer.Exit(code) from None


def log(text: object) -> None:
    """A sentence for a job's log, as its followers expect it."""
    say(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}")


def refuse(wrong: bool, text: str) -> None:
    """An option that cannot be what was meant."""
    if wrong:
        end(text, USAGE)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> str:
    """Aligned columns; see `sslterm.tables`."""
    from sslterm import tables

    return tables.table(headings, rows, right)


def code(error: Exception) -> int | None:
    """The exit code of an error that is meant for people; None for our own mistakes."""
    if isinstance(error, FileNotFoundError):
        return NOT_FOUND
    return getattr(error, "exit_code", FAILED if isinstance(error, OSError) else None)
