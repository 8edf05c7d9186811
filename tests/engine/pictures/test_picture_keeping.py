"""Sheets that are kept: found again, made again where they are damaged, forgotten in the end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pictured import alike

from sslterm.engine.pictures import asking, drawing
from sslterm.engine.pictures.evaluation import Asked
from sslterm.runs import Run, RunError, pictures


def test_the_same_question_is_not_worked_out_twice(run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [asking.views_of_run(run, 3, data_dir), asking.mistakes(run, Asked(), data_dir), alike(run, data_dir)]
    monkeypatch.setattr(drawing, "draw", lambda sheet: pytest.fail("drawn again"))
    again = [asking.views_of_run(run, 3, data_dir), asking.mistakes(run, Asked(), data_dir), alike(run, data_dir)]
    assert again == first


def test_what_is_kept_is_found_without_torch(run: Run, data_dir: Path) -> None:
    asking.views_of_run(run, 8, data_dir)
    asking.mistakes(run, Asked(), data_dir)
    alike(run, data_dir, 3)
    code = f"""
import sys
from pathlib import Path
from sslterm.engine.pictures import asking
from sslterm.engine.pictures.evaluation import Asked
from sslterm.runs import Run
run, data = Run(Path({str(run.path)!r})), Path("nowhere")
asking.views_of_run(run, 8, data)
asking.mistakes(run, Asked(), data)
asking.neighbours(run, "best", [3], 4, device="cpu", data_dir=data, say=print, progress=None)
print([name for name in ("torch", "numpy", "PIL") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("damage", ["the sheet is cut", "the sheet is gone", "the rows are cut", "the rows are gone"])
def test_a_damaged_sheet_is_made_again(run: Run, data_dir: Path, damage: str) -> None:
    answer = asking.views_of_run(run, 2, data_dir)
    sheet = Path(answer["sheet"])
    whole = sheet.read_bytes()
    hurt = sheet if "sheet" in damage else sheet.with_suffix(".json")
    if "gone" in damage:
        hurt.unlink()
    else:
        hurt.write_bytes(hurt.read_bytes()[:-9])
    assert asking.views_of_run(run, 2, data_dir) == answer
    assert sheet.read_bytes() == whole
    assert sorted(path.suffix for path in (run.path / "pictures").iterdir()) == [".json", ".png"]


def test_only_so_many_are_kept_those_last_asked_for(run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "KEPT", 3)
    first = Path(asking.views_of_run(run, 1, data_dir)["sheet"])
    second = Path(asking.views_of_run(run, 2, data_dir)["sheet"])
    stranger = run.path / "pictures" / "mine.png"
    stranger.write_bytes(b"")
    for count in (3, 4):
        asking.views_of_run(run, 1, data_dir)
        asking.views_of_run(run, count, data_dir)
    assert (first.exists(), second.exists(), stranger.exists()) == (True, False, True)
    assert len(list((run.path / "pictures").glob("*.json"))) == 3


def test_a_file_of_ones_own_holds_the_same_and_the_run_is_left_alone(run: Run, data_dir: Path, tmp_path: Path) -> None:
    own = asking.views_of_run(run, 2, data_dir, tmp_path / "own.png")
    assert not (run.path / "pictures").exists()
    kept = asking.views_of_run(run, 2, data_dir)
    copied = asking.views_of_run(run, 2, data_dir, tmp_path / "copied.png")
    assert own["rows"] == kept["rows"] == copied["rows"]
    whole = {Path(answer["sheet"]).read_bytes() for answer in (own, kept, copied)}
    assert len(whole) == 1
    assert copied["sheet"] == str(tmp_path / "copied.png")


def test_a_run_that_is_gone_does_not_come_back(run: Run, data_dir: Path) -> None:
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match="no run directory"):
        asking.mistakes(run, Asked(), data_dir)
    with pytest.raises(OSError, match="pictures"):
        pictures.keep(pictures.of_run(run), {"kind": "views"}, {}, lambda file: None)
    assert not run.path.exists()
