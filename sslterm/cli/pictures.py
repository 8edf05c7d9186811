"""`sslterm pictures`: the images behind the numbers, as one PNG of tiles that is kept and found again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslterm.cli.answers import DONE, answering, leave, refuse, say, table
from sslterm.cli.app import DATA, RUNS, AsJson, DataDir, Device, RunArgument, RunsDir, app

if TYPE_CHECKING:
    from sslterm.runs import Run

PROTOCOLS, SPLITS = ("head", "knn", "linear"), ("test", "valid")
MOST = 200
"""Tiles that a sheet of one kind may be asked for."""

pictures = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="See the images behind the numbers: how a preset augments them, what a run mistook, what it finds alike, and "
    "what its method painted.\n\n"
    "Each makes one PNG of tiles, kept in the run (for a preset: in the runs directory) and found again when the same "
    "is asked. Prints what the tiles are, and where the PNG is.",
    epilog="Examples: sslterm pictures views moco · sslterm pictures mistakes last --truth cat --guess dog",
)
app.add_typer(pictures, name="pictures", rich_help_panel="Evaluate")

To = Annotated[Path | None, typer.Option("--to", metavar="FILE.png", help="Where the PNG goes, instead.")]
CheckpointOption = Annotated[
    str, typer.Option(metavar="best|last|EPOCH|NAME", help="Which one: 40 is epoch 40 of the newest stage.")
]


@pictures.command(
    epilog="Examples: sslterm pictures views moco · sslterm pictures views mine.toml --count 16 --to views.png"
)
def views(
    of: Annotated[
        str, typer.Argument(metavar="PRESET|RUN", help="A .toml file or shipped name; a run's path or name.")
    ],
    count: Annotated[int, typer.Option(min=1, max=MOST, help="How many images.")] = 8,
    to: To = None,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """The same images as they are and as the first stage of a preset sees them, before any training.

    All views of a method that compares several; of any other its one view, drawn twice.
    """
    with answering():
        _refuse_bad_place(to)
        from sslterm import presets
        from sslterm.engine.pictures.asking import views_of_preset, views_of_run

        source = _preset_or_run(of, runs_dir)
        if isinstance(source, Path):
            _answer(views_of_preset(presets.load(source), runs_dir, count, data_dir, to), as_json)
        else:
            _answer(views_of_run(source, count, data_dir, to), as_json)


def _preset_or_run(of: str, runs_dir: Path) -> Path | Run:
    """A run by its path, else a preset, else a run by its name. Raises RunNotFound."""
    from sslterm import presets
    from sslterm.runs import Run, RunNotFound, find

    if (Path(of) / "run.json").is_file():
        return Run(Path(of))
    try:
        return presets.find(of)
    except FileNotFoundError as error:
        unknown = error
    try:
        return find(of, runs_dir)
    except RunNotFound as error:
        raise (
            error if "could be" in str(error) or of == "last" else RunNotFound(f"{unknown}; nor a run in {runs_dir}")
        ) from None


@pictures.command(
    epilog="Examples: sslterm pictures mistakes last · sslterm pictures mistakes moco --truth cat --guess dog --tta"
)
def mistakes(
    run: RunArgument,
    checkpoint: CheckpointOption = "best",
    protocol: Annotated[
        str | None,
        typer.Option(metavar="head|knn|linear", help="Who classified; left out: head, else linear, else knn."),
    ] = None,
    split: Annotated[str, typer.Option(metavar="test|valid", help="Of which images.")] = "test",
    tta: Annotated[bool, typer.Option("--tta", help="Of the evaluation with test-time augmentation.")] = False,
    truth: Annotated[str | None, typer.Option(metavar="CLASS", help="Only images of this class.")] = None,
    guess: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="Only those taken for it; the same as --truth: those told right."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the most confident first.")] = 24,
    to: To = None,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """What an evaluation took for something else, the most confident first.

    Computes nothing: `sslterm eval` must have asked before, and where it has not, the command is said.
    """
    with answering():
        _refuse_bad_place(to)
        refuse(protocol not in (None, *PROTOCOLS), f"--protocol {protocol}: use head, knn or linear")
        refuse(split not in SPLITS, f"--split {split}: use test or valid")
        _refuse_several(checkpoint)
        from sslterm.engine.pictures import asking
        from sslterm.engine.pictures.evaluation import Asked
        from sslterm.runs import find

        asked = Asked(checkpoint, protocol, split, tta, truth, guess, count)
        _answer(asking.mistakes(find(run, runs_dir), asked, data_dir, to), as_json)


@pictures.command(
    epilog="Examples: sslterm pictures neighbours last · sslterm pictures neighbours moco --of 50017,51234 --count 10"
)
def neighbours(
    run: RunArgument,
    checkpoint: CheckpointOption = "best",
    of: Annotated[
        str,
        typer.Option(
            "--of", metavar="3,17", help="Which images, by the numbers that pictures give; left out: 8 of test."
        ),
    ] = "",
    count: Annotated[int, typer.Option(min=1, max=50, help="How many neighbours each.")] = 6,
    device: Device = "auto",
    to: To = None,
    runs_dir: RunsDir = RUNS,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Test images, each with the training images that are nearest to it by cosine in representation space.

    Looked for among at most 10,000 training images, drawn by the run's seed.
    """
    with answering():
        _refuse_bad_place(to)
        _refuse_several(checkpoint)
        numbers = _numbers(of)
        from sslterm.engine.pictures import asking
        from sslterm.runs import find

        where: dict[str, Any] = {"device": device, "data_dir": data_dir, "to": to}
        found = find(run, runs_dir)
        _answer(asking.neighbours(found, checkpoint, numbers, count, **where, say=say, progress=bars), as_json)


@pictures.command(epilog="Examples: sslterm pictures painted last · sslterm pictures painted gan --epochs 20")
def painted(
    run: RunArgument,
    stage: Annotated[str | None, typer.Option(help="Of which stage; left out: the newest that painted.")] = None,
    epochs: Annotated[int, typer.Option(min=1, max=50, help="How many paintings, the newest first.")] = 8,
    to: To = None,
    runs_dir: RunsDir = RUNS,
    as_json: AsJson = False,
) -> None:
    """What a method painted while it learned: reconstructions (mae, beit's tokenizer, vae), samples (vae, gan).

    Computes nothing: training paints every `monitor.pictures` epochs, always of the same images or from the same noise.
    """
    with answering():
        _refuse_bad_place(to)
        from sslterm.engine.pictures import asking
        from sslterm.runs import find

        _answer(asking.painted(find(run, runs_dir), stage, epochs, to), as_json)


# ---------------------------------------------------------------- options


def _refuse_bad_place(to: Path | None) -> None:
    if to is not None:
        refuse(to.suffix.lower() != ".png", f"--to {to}: pictures are PNG files; name it FILE.png")
        refuse(not to.parent.is_dir(), f"--to {to}: there is no folder {to.parent}")


def _refuse_several(checkpoint: str) -> None:
    refuse(
        checkpoint == "all" or "," in checkpoint, f"--checkpoint {checkpoint}: pictures are of one checkpoint; name it"
    )


def _numbers(of: str) -> list[int]:
    parts = [part.strip() for part in of.split(",") if part.strip()]
    refuse(any(not part.isdecimal() or len(part) > 12 for part in parts), f"--of {of}: numbers of images, as in 3,17")
    refuse(len(parts) > MOST, f"--of: {len(parts)} images are too many for one sheet; at most {MOST}")
    return [int(part) for part in parts]


# ---------------------------------------------------------------- answers


def _answer(answer: dict[str, Any], as_json: bool) -> None:
    """Print it; torch is not taken apart, for that takes as long as the rest."""
    if as_json:
        print(json.dumps({key: answer[key] for key in ("kind", "title", "sheet", "rows")}, indent=1))
    else:
        from sslterm.tables import safe

        print(safe(f"{answer['title']}\n\n{_tiles(answer['rows'])}\n\n{answer['sheet']}"))
    leave(DONE)


def _tiles(rows: list[dict[str, Any]]) -> str:
    """A line a tile, beside the words of its row; where all tiles of a row are of one image, a line for all."""
    marks = {True: "✓ ", False: "✗ ", None: ""}
    if not any(tile["caption"] for row in rows for tile in row["tiles"]):
        return table(["", "tiles"], [[row["caption"], len(row["tiles"])] for row in rows], right="tiles")
    cells = []
    for row in rows:
        images = {tile["image"] for tile in row["tiles"]}
        if len(images) == 1 < len(row["tiles"]):
            cells.append([row["caption"], "", ", ".join(tile["caption"] for tile in row["tiles"])])
            continue
        for place, tile in enumerate(row["tiles"]):
            cells.append(["" if place else row["caption"], tile["image"], marks[tile["right"]] + tile["caption"]])
    return table(["", "image", "what"], cells, right="image")


def bars(title: str, total: int) -> Callable[[int], object]:
    """A bar on stderr where a terminal is; what comes back is told how many more are done."""
    from tqdm import tqdm

    bar = tqdm(
        total=total,
        desc=title,
        bar_format="{desc} {bar} {remaining} left",
        disable=not sys.stderr.isatty(),
        leave=False,
    )

    def advance(more: int) -> None:
        bar.update(more)
        if bar.n >= total:
            bar.close()

    return advance
