"""What there is: presets, data sets, and what is wrong with a preset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sslterm.cli.answers import DONE, NOT_FOUND, USAGE, answering, end
from sslterm.cli.app import DATA, AsJson, Assignments, DataDir, PresetArgument, app

HERE = "What there is"


@app.command(
    rich_help_panel=HERE,
    epilog="Examples: sslterm check presets/moco.toml · sslterm check my.toml --set batch_size=500",
)
def check(preset: PresetArgument, assignments: Assignments = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say every problem of a preset at once, each as a sentence; exit code 2 where it could not run."""
    with answering():
        from sslterm import presets

        path = presets.find(preset)
        from sslterm.engine.check import check_file

        try:
            found, right = check_file(path, assignments)[1], True
        except presets.PresetError as error:
            found, right = list(error.problems), False
        if as_json:
            print(json.dumps({"preset": str(path), "ok": right, "problems": _with_lines(path, found)}, indent=1))
        else:
            _report(path, found, right)
        raise SystemExit(DONE if right else USAGE)


def _with_lines(path: Path, found: list[Any]) -> list[dict[str, Any]]:
    """Problems for programs that show them beside the text: each with the line, from 1 on, that it belongs to."""
    from sslterm.presets.lines import line_of

    text = path.read_text(encoding="utf-8", errors="replace")
    return [{"key": p.key, "text": p.text, "warning": p.warning, "line": line_of(text, p.key, p.text)} for p in found]


def _report(path: Path, found: list[Any], right: bool) -> None:
    from sslterm.tables import safe

    for problem in found:
        print(safe(f"{path}: {'note: ' if problem.warning else ''}{problem}"))
    if right:
        print(safe(f"{path}: can run"))


@app.command(
    rich_help_panel=HERE,
    name="presets",
    epilog="Start one: sslterm run NAME. Change it: copy its file (--json names it) and edit.",
)
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
    rich_help_panel=HERE,
    epilog="Examples: sslterm data · sslterm data cifar10 · sslterm data image_folder --folder photos --size 96",
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
            end(f"{name}: no such data set{nearest(name, KNOWN)}", NOT_FOUND)
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
