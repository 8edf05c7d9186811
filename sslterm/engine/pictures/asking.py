"""What can be asked for, and the sheets that answered it before. What was made once is found again without torch.

Each function gives an Answer. With `to` its sheet goes to that file, and one that has to be made is not kept: somebody
else's run may be read-only. Without, it is kept in the run, or for presets in the runs directory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslterm import presets
from sslterm.engine.pictures.evaluation import Asked, chosen_evaluation
from sslterm.presets import nearest
from sslterm.runs import Run, RunNotFound, checkpoints, files, pictures
from sslterm.runs import painted as runs_painted
from sslterm.runs.pictures import Answer

if TYPE_CHECKING:
    from sslterm.engine.pictures.sheet import Sheet
    from sslterm.runs.checkpoints import Checkpoint

FORMAT = 1
"""What sheets look like: raise it when that changes, so that kept ones are made anew."""


def views_of_preset(
    preset: presets.Preset, runs_dir: Path, count: int, data_dir: Path, to: Path | None = None
) -> Answer:
    """`count` images as the first stage of a preset sees them; nobody need have trained it.

    Raises PresetError, DataError, ViewError, RunError, OSError.
    """
    from sslterm.engine.pictures import views

    dataset = views.opened(preset, data_dir)  # only they can tell whether they are those of before
    folder = pictures.of_presets(runs_dir)
    if to is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
    question = {**_views(preset, count), "data": dataset.fingerprint}
    return _answered(folder, question, lambda: views.sheet(preset, dataset, views.divided(preset, dataset), count), to)


def views_of_run(run: Run, count: int, data_dir: Path, to: Path | None = None) -> Answer:
    """`count` of a run's own images as its first stage sees them. Raises what `views_of_preset` does."""
    run.info()
    preset = run.preset()
    splits = files.sha256(run.splits) if run.splits.exists() else None

    def make() -> Sheet:
        from sslterm.engine.pictures import views

        dataset = views.opened(preset, data_dir)
        return views.sheet(preset, dataset, views.divided(preset, dataset, run if splits else None), count)

    return _answered(pictures.of_run(run), {**_views(preset, count), "splits": splits}, make, to)


def _views(preset: presets.Preset, count: int) -> dict[str, Any]:
    """All of a preset that its first views depend on."""
    stage = preset.stage[0]
    return {
        "kind": "views",
        "title": preset.title,
        "seed": preset.seed,
        "count": count,
        "divided": preset.data.model_dump(mode="json"),
        "sizes": [stage.views.size for stage in preset.stage],
        "encoder": preset.encoder.name,
        "stage": [stage.name, stage.part, stage.method, stage.views.model_dump(mode="json")],
    }


def mistakes(run: Run, asked: Asked, data_dir: Path, to: Path | None = None) -> Answer:
    """What an evaluation took for something else, the most confident first.

    Raises RunNotFound where no evaluation was made, or no image is like that; RunError, UsageError, DataError, OSError.
    """
    run.info()
    evaluation, path = chosen_evaluation(run, asked)
    question = {
        "kind": "mistakes",
        "predictions": evaluation["predictions"]["sha256"],
        "truth": asked.truth,
        "guess": asked.guess,
        "count": asked.count,
    }

    def make() -> Sheet:
        from sslterm.engine.pictures import mistakes

        return mistakes.sheet(run, evaluation, path, asked, data_dir)

    return _answered(pictures.of_run(run), question, make, to)


def neighbours(
    run: Run,
    wanted: str,
    of: Sequence[int],
    count: int,
    *,
    device: str,
    data_dir: Path,
    say: Callable[[str], None],
    progress: Callable[[str, int], Callable[[int], object]],
    to: Path | None = None,
) -> Answer:
    """The `count` training images that are most like each image in `of`, numbers in the data set; of none: of some test
    images, drawn by the run's seed. Raises RunError, RunNotFound, UsageError, DataError, OSError."""
    run.info()
    checkpoint = _checkpoint(run, wanted)
    question = {
        "kind": "neighbours",
        "file": Path(checkpoint.file).name,
        "sha256": checkpoint.sha256,
        "of": list(of),
        "count": count,
    }

    def make() -> Sheet:
        from sslterm.engine.pictures import neighbours

        return neighbours.sheet(run, checkpoint, of, count, device, data_dir, say, progress)

    return _answered(pictures.of_run(run), question, make, to)


def painted(run: Run, stage: str | None, epochs: int, to: Path | None = None) -> Answer:
    """What the method of a stage painted in its last `epochs` paintings, the newest first; left out: of the newest
    stage that painted. Raises RunNotFound where there is none, RunError, OSError."""
    run.info()
    every = runs_painted.listed(run)
    stages = list(dict.fromkeys(one.stage for one in every))
    if not every:
        raise RunNotFound(
            f"{run.path}: nothing was painted. Methods that rebuild or invent images do (mae, simmim, beit, vae, gan),"
            " every monitor.pictures epochs and at the end of their stage"
        )
    wanted = stage or stages[-1]
    chosen = [one for one in every if one.stage == wanted][::-1][:epochs]
    if not chosen:
        raise RunNotFound(f"--stage {wanted}: painted nothing{nearest(wanted, stages)}")
    files_of = [run.painted / f"{one.name}.png" for one in chosen]
    question = {
        "kind": "painted",
        "stage": wanted,
        "epochs": [one.epoch for one in chosen],
        "files": [files.sha256(path) if path.exists() else None for path in files_of],
    }

    def make() -> Sheet:
        from sslterm.engine.pictures import painted

        return painted.sheet(run, chosen)

    return _answered(pictures.of_run(run), question, make, to)


def _checkpoint(run: Run, wanted: str) -> Checkpoint:
    """The one that words mean, or that lies at a path: only the latter must be opened to know."""
    if "/" not in wanted and not Path(wanted).is_file():
        return checkpoints.chosen(run, wanted)[-1]
    from sslterm.engine.evaluate import chosen

    return chosen(run, wanted)[-1]


# ---------------------------------------------------------------- answers


def _answered(folder: Path, question: dict[str, Any], make: Callable[[], Sheet], to: Path | None) -> Answer:
    """The answer that was kept, or a new one. Raises OSError, and what `make` does."""
    question = {**question, "format": FORMAT}
    known = pictures.found(folder, question)
    if known is not None:
        return known if to is None else _copied(known, to)
    sheet = make()
    from sslterm.engine.pictures.drawing import draw

    picture, rows = draw(sheet)
    answer = {"kind": question["kind"], "title": sheet.title, "sheet": "", "rows": rows}
    if to is None:
        return pictures.keep(folder, question, answer, lambda file: picture.save(file, "png"))
    files.write_whole(to, lambda file: picture.save(file, "png"))
    return {**answer, "sheet": str(to.absolute())}


def _copied(known: Answer, to: Path) -> Answer:
    content = Path(known["sheet"]).read_bytes()
    files.write_whole(to, lambda file: file.write(content))
    return {**known, "sheet": str(to.absolute())}
