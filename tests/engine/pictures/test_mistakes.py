"""Mistakes: the most confident first, of the evaluation that was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pictured import evaluated, pixels, seen, tiles

from sslterm.engine import predictions
from sslterm.engine.pictures import asking
from sslterm.engine.pictures.evaluation import Asked
from sslterm.errors import UsageError
from sslterm.runs import Run, RunError, RunNotFound, evaluations, files


def test_they_are_the_most_confident_of_those_told_wrong(run: Run, data_dir: Path) -> None:
    answer = asking.mistakes(run, Asked(count=7), data_dir)
    path = evaluations.predictions(run, evaluated(run, data_dir)[0])
    assert path
    said = predictions.read(path)
    wrong = [
        (-float(sure), int(image), f"{int(truth)} taken for {int(guess)} {float(sure):.1%}")
        for image, truth, guess, sure in zip(said.index, said.truth, said.guess, said.confidence, strict=True)
        if truth != guess
    ]
    expected = sorted(wrong)[:7]
    assert [(tile["image"], tile["caption"]) for tile in tiles(answer)] == [one[1:] for one in expected]
    assert {tile["right"] for tile in tiles(answer)} == {False}
    assert answer["title"] == f"probe-0001.pt · test · head · mistakes: the 7 most confident of {len(wrong)}"
    assert [len(row["tiles"]) for row in answer["rows"]] == [6, 1]
    for tile in tiles(answer)[:2]:
        assert (seen(answer, tile) == pixels(data_dir, tile["image"])).all()


def test_a_cell_of_the_confusion_matrix_has_its_images(run: Run, data_dir: Path) -> None:
    matrix = evaluated(run, data_dir)[0]["confusion"]
    truth, guess = next((i, j) for i in range(10) for j in range(10) if i != j and matrix[i][j])
    cell = asking.mistakes(run, Asked(truth=str(truth), guess=str(guess), count=200), data_dir)
    assert len(tiles(cell)) == matrix[truth][guess]
    assert f"{truth} taken for {guess}:" in cell["title"]
    best = max(range(10), key=lambda one: matrix[one][one])
    right = asking.mistakes(run, Asked(truth=str(best), guess=str(best), count=200), data_dir)
    assert len(tiles(right)) == matrix[best][best]
    assert {tile["right"] for tile in tiles(right)} == {True}


def test_where_nothing_is_like_that_a_sentence(run: Run, data_dir: Path) -> None:
    matrix = evaluated(run, data_dir)[0]["confusion"]
    truth, guess = next((i, j) for i in range(10) for j in range(10) if i != j and not matrix[i][j])
    with pytest.raises(RunNotFound, match=f"no {truth} taken for {guess} to show"):
        asking.mistakes(run, Asked(truth=str(truth), guess=str(guess)), data_dir)
    with pytest.raises(UsageError, match="--truth cat: no such class; there are 0, 1"):
        asking.mistakes(run, Asked(truth="cat"), data_dir)


def test_an_evaluation_that_was_not_made_is_a_command_to_type(run: Run, data_dir: Path) -> None:
    with pytest.raises(RunNotFound) as refused:
        asking.mistakes(run, Asked("last", "knn", "valid", tta=True), data_dir)
    command = f"sslterm eval {run.path} --checkpoint probe-0001.pt --protocol knn --split valid --tta"
    assert str(refused.value).endswith(f"has not been evaluated like that; evaluate it with: {command}")
    evaluated(run, data_dir, "last", protocol="knn", split="valid", tta=True)
    title = asking.mistakes(run, Asked("last", "knn", "valid", tta=True), data_dir)["title"]
    assert title.startswith("probe-0001.pt · valid · knn with flip · mistakes")


def test_a_checkpoint_that_is_gone_is_known_by_its_evaluation(run: Run, data_dir: Path) -> None:
    evaluated(run, data_dir, "pretrain-1", protocol="knn")
    for path in run.checkpoints.glob("pretrain-0001.*"):
        path.unlink()
    assert "pretrain-0001.pt" in asking.mistakes(run, Asked("pretrain-0001", "knn"), data_dir)["title"]
    with pytest.raises(RunNotFound, match="no checkpoint 'pretrain-0007'"):
        asking.mistakes(run, Asked("pretrain-0007"), data_dir)


def test_other_images_than_those_evaluated_are_refused(run: Run, data_dir: Path) -> None:
    (kept,) = run.evaluations.glob("*.json")
    said = files.read_json(kept)
    files.write_json(kept, {**said, "question": {**said["question"], "data": "others"}})
    with pytest.raises(RunError, match="are not those that were evaluated"):
        asking.mistakes(run, Asked(), data_dir)


def test_an_evaluation_of_schema_1_says_to_evaluate_again(tmp_path: Path, data_dir: Path) -> None:
    recorded = Path(__file__).parents[2] / "recorded" / "schema-1"
    run = Run(Path(shutil.copytree(recorded, tmp_path / "recorded")))
    with pytest.raises(RunNotFound, match="an older version made it"):
        asking.mistakes(run, Asked(), data_dir)
    evaluated(run, data_dir)
    assert asking.mistakes(run, Asked(), data_dir)["rows"]
