"""Every command. Each imports its world only when it runs, so that `sslterm --help` is there at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sslterm.runs import Run

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
        _end("ended at once; what was saved stays", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        _end(_sentence(error), code)


def _sentence(error: Exception) -> str:
    """Our own errors are sentences already; those of the system name the file and what ails it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error)


def _end(text: str, code: int) -> None:
    from sslterm.tables import safe

    print(safe(text), file=sys.stderr)
    raise typer.Exit(code) from None


def _code(error: Exception) -> int | None:
    """The exit code of an error that is meant for people; None for our own mistakes."""
    if isinstance(error, FileNotFoundError):
        return NOT_FOUND
    return getattr(error, "exit_code", FAILED if isinstance(error, OSError) else None)


# ---------------------------------------------------------------- training


@app.command(epilog="Examples: sslterm run quickstart · sslterm run presets/moco.toml --set epochs=20 --device cuda:1")
def run(
    preset: PresetArgument,
    assignments: Assignments = [],  # noqa: B006
    name: Annotated[str | None, typer.Option(help="What to call the run; left out: the date and the preset.")] = None,
    device: Device = "auto",
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the preset's seed.")] = None,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Train a preset from its beginning, in a run directory of its own.

    Ctrl-C finishes the step, saves and ends; `sslterm resume last` goes on.
    """
    with answering():
        from sslterm import presets
        from sslterm.runs import create
        from sslterm.runs.directory import check_name

        if name is not None:
            check_name(name)
        from sslterm.engine.check import check_file
        from sslterm.engine.device import pick_device

        path = presets.find(preset)
        pick_device(device)
        loaded, notes = check_file(path, [*assignments, *([f"seed={seed}"] if seed is not None else [])])
        _warn(notes)
        from sslterm.engine.weights import settled

        loaded = settled(loaded, runs_dir)
        made = create(runs_dir, loaded, source=path, name=name, argv=sys.argv)
        _train(made, device, data_dir, as_json)


@app.command(epilog="Examples: sslterm resume last · sslterm resume moco --epochs 50")
def resume(
    run: RunArgument,
    epochs: Annotated[
        int, typer.Option(min=0, help="Train the last stage for so many more; its schedule stretches to the new end.")
    ] = 0,
    device: Device = "auto",
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Go on exactly where a run stopped, whatever stopped it."""
    with answering():
        from sslterm.runs import find

        found = find(run, runs_dir)
        found.info()
        from sslterm.engine.check import check as checked
        from sslterm.engine.device import pick_device

        pick_device(device)
        _warn(checked(found.preset(), str(found.path / "resolved.toml")))
        _train(found, device, data_dir, as_json, epochs)


def _warn(problems: list[Any]) -> None:
    from sslterm.tables import safe

    for problem in problems:
        print(safe(f"note: {problem}"), file=sys.stderr)


def _train(run: Run, device: str, data_dir: Path, as_json: bool, more_epochs: int = 0) -> None:
    from sslterm.engine.progress import Progress
    from sslterm.engine.train import train

    progress = Progress(quiet=as_json)
    train(run, device=device, data_dir=data_dir, progress=progress, more_epochs=more_epochs)
    summary = _summary(run)
    if as_json:
        print(json.dumps(summary, indent=1))
    else:
        print(_summary_text(summary))


def _summary(run: Run) -> dict[str, Any]:
    from sslterm.runs import checkpoints

    return {
        "run": run.name,
        "path": str(run.path),
        "state": run.status().get("state"),
        "best": checkpoints.pointer(run, "best"),
        "latest": checkpoints.pointer(run, "latest").get("file"),
    }


def _summary_text(summary: dict[str, Any]) -> str:
    from sslterm.tables import safe

    lines = [f"{summary['run']}: {summary['state']}"]
    lines += [
        f"  {stage}: best {entry['metric']} {entry['value']:.4f} in {entry['file']}"
        for stage, entry in summary["best"].items()
        if isinstance(entry, dict)
    ]
    if summary["best"]:  # without labels there is nothing to evaluate
        lines.append(f"  next: sslterm eval {summary['path']} --tta")
    return safe("\n".join(lines))


# ---------------------------------------------------------------- evaluation


@app.command(
    name="eval", epilog="Examples: sslterm eval last --tta · sslterm eval moco --checkpoint all --protocol knn"
)
def evaluate(
    run: RunArgument,
    checkpoint: Annotated[
        str,
        typer.Option(metavar="best|last|all|EPOCH|PATH", help="Which checkpoints: 40 is epoch 40 of the newest stage."),
    ] = "best",
    protocol: Annotated[
        str | None,
        typer.Option(metavar="head|knn|linear", help="Who classifies; left out: the run's head, else a linear probe."),
    ] = None,
    tta: Annotated[bool, typer.Option("--tta", help="Also average over each image and its mirror image.")] = False,
    tta_scales: Annotated[
        str,
        typer.Option(
            metavar="36,40", help="Also average over these sizes (beside the ordinary one), each with its mirror image."
        ),
    ] = "",
    split: Annotated[str, typer.Option(metavar="test|valid", help="On which images.")] = "test",
    device: Device = "auto",
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Say how good a run's checkpoints are on images they never saw.

    Answers are kept in the run: the same question is not worked out twice. --json prints a list of answers.
    """
    with answering():
        question = (protocol, tta, _scales(tta_scales), split)
        _refuse(protocol not in (None, "head", "knn", "linear"), f"--protocol {protocol}: use head, knn or linear")
        _refuse(split not in ("test", "valid"), f"--split {split}: use test or valid")
        from sslterm.runs import find

        found = find(run, runs_dir)
        from sslterm import tables
        from sslterm.engine.evaluate import Question
        from sslterm.engine.evaluate import evaluate as examine

        asked = Question(*question)
        with _bars(quiet=as_json) as bar:
            examined = list(examine(found, checkpoint, asked, device=device, data_dir=data_dir, say=_say, progress=bar))
        if as_json:
            print(json.dumps([answer for answers in examined for answer in answers], indent=1))
        elif checkpoint == "all":
            print(tables.over_checkpoints(examined))
        else:
            print(tables.evaluation(examined[0]))


def _refuse(wrong: bool, text: str) -> None:
    if wrong:
        _end(text, USAGE)


def _say(text: str) -> None:
    from sslterm.tables import safe

    print(safe(text), file=sys.stderr)


def _scales(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    _refuse(
        any(not part.isdigit() or int(part) < 1 for part in parts),
        f"--tta-scales {text}: sizes in pixels, as in 36,40",
    )
    return tuple(int(part) for part in parts)


@contextmanager
def _bars(quiet: bool) -> Iterator[Callable[[str, int], Callable[[int], object]]]:
    """Bars on stderr for passes over many images, where somebody looks."""
    from tqdm import tqdm

    opened: list[Any] = []

    def bar(title: str, total: int) -> Callable[[int], object]:
        for old in opened:
            old.close()
        opened.append(tqdm(total=total, desc=title, disable=quiet or not sys.stderr.isatty(), leave=False))
        return opened[-1].update

    try:
        yield bar
    finally:
        for old in opened:
            old.close()


# ---------------------------------------------------------------- what there is


@app.command(epilog="Examples: sslterm check presets/moco.toml · sslterm check my.toml --set batch_size=500")
def check(preset: PresetArgument, assignments: Assignments = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say every problem of a preset at once, each as a sentence; exit code 2 where it could not run."""
    with answering():
        from sslterm import presets
        from sslterm.engine.check import check_file

        path = presets.find(preset)
        try:
            found, right = check_file(path, assignments)[1], True
        except presets.PresetError as error:
            found, right = list(error.problems), False
        if as_json:
            rows = [{"key": p.key, "text": p.text, "warning": p.warning} for p in found]
            print(json.dumps({"preset": str(path), "ok": right, "problems": rows}, indent=1))
        else:
            _report(path, found, right)
        raise typer.Exit(DONE if right else USAGE)


def _report(path: Path, found: list[Any], right: bool) -> None:
    from sslterm.tables import safe

    for problem in found:
        print(safe(f"{path}: {'note: ' if problem.warning else ''}{problem}"))
    if right:
        print(safe(f"{path}: can run"))


@app.command(name="presets", epilog="Start one: sslterm run NAME. Change it: copy its file (--json names it) and edit.")
def list_presets(as_json: AsJson = False) -> None:
    """The presets that come with sslterm: title, method, data, expected result."""
    with answering():
        from sslterm import presets, tables

        rows = [_preset_row(name, path) for name, path in presets.shipped().items()]
        if as_json:
            print(json.dumps(rows, indent=1))
            return
        columns = ["name", "title", "method", "data", "expected"]
        print(tables.table(columns, [[row[column] for column in columns] for row in rows]))


def _preset_row(name: str, path: Path) -> dict[str, Any]:
    from sslterm import presets

    preset = presets.load(path)
    chain = " → ".join(str(stage.method.get("name")) for stage in preset.stage)
    return {
        "name": name, "title": preset.title, "paper": preset.paper, "method": chain, "data": preset.data.name,
        "expected": preset.expected, "time": preset.time, "file": str(path),
    }  # fmt: skip


@app.command(
    epilog="Examples: sslterm data · sslterm data cifar10 · sslterm data image_folder --folder photos --size 96"
)
def data(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Fetch and prepare this one.")] = None,
    folder: Annotated[str | None, typer.Option(help="For image_folder: where the images are.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Side in pixels to keep images at.")] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Which data sets are known, which are here and where; with a NAME, fetch and prepare that one."""
    with answering():
        from sslterm import tables
        from sslterm.data.catalog import KNOWN, present, where
        from sslterm.presets import nearest

        if name is None:
            rows = [
                {
                    "name": known.name, "title": known.title, "classes": known.classes, "train": known.train,
                    "test": known.test, "size": known.size, "present": present(known.name, data_dir),
                    "where": str(where(known.name, data_dir)), "source": known.source,
                }
                for known in KNOWN.values()
            ]  # fmt: skip
            print(json.dumps(rows, indent=1) if as_json else _data_table(rows))
            return
        if name not in KNOWN:
            _end(f"{name}: no such data set{nearest(name, KNOWN)}", NOT_FOUND)
        from sslterm import presets
        from sslterm.data.open import open_dataset

        wanted = presets.Data(name=name, folder=folder, size=size)
        images = open_dataset(wanted, size, data_dir, progress=not as_json)
        facts = {
            "name": name, "images": len(images), "train": images.first_test, "test": len(images) - images.first_test,
            "classes": list(images.classes), "size": images.size, "channels": images.channels,
            "mean": list(images.mean), "std": list(images.std), "fingerprint": images.fingerprint,
        }  # fmt: skip
        if as_json:
            print(json.dumps(facts, indent=1))
        else:
            rows_text = [[key, _short(value)] for key, value in facts.items()]
            print(tables.table(["", ""], rows_text).lstrip("\n"))


def _data_table(rows: list[dict[str, Any]]) -> str:
    from sslterm.tables import table

    columns = ["name", "title", "classes", "train", "test", "size", "here"]
    cells = [
        [
            *(row[column] if row[column] is not None else "–" for column in columns[:-1]),
            "yes" if row["present"] else "no",
        ]
        for row in rows
    ]
    return table(columns, cells, right="classes train test size")


def _short(value: Any) -> str:
    if isinstance(value, list):
        shown = [f"{item:.4f}" if isinstance(item, float) else str(item) for item in value]
        return ", ".join(shown[:10]) + (" …" if len(shown) > 10 else "")
    return f"{value:,}" if isinstance(value, int) else str(value)
