"""The index makes long lists cheap, and never makes one wrong: whatever changes is read again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sslterm.runs import index, summary
from sslterm.runs.directory import Run
from sslterm.runs.filters import Filter, FilterError
from sslterm.runs.identity import Identity
from sslterm.runs.locks import Lock

CREATED = 1_795_000_000.0


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def write(path: Path, content: Any) -> None:
    """A file replaced as runs replace theirs; an hour old, so that it may be remembered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(content if isinstance(content, str) else json.dumps(content))
    aside.replace(path)
    old(path)


def old(path: Path) -> None:
    for place in (path, path.parent):
        os.utime(place, ns=(place.stat().st_atime_ns, place.stat().st_mtime_ns - 3_600_000_000_000))


def made(runs_dir: Path, name: str, number: int = 0, state: str = "finished") -> Run:
    run = runs_dir / name
    stages = [{"name": "pretrain", "method": "moco", "epochs": 9}]
    write(run / "run.json", {"schema": 1, "created": CREATED + number, "seed": number, "stages": stages})
    write(run / "status.json", {"state": state, "attempt": 1, "ended": CREATED + number + 9})
    write(run / "resolved.toml", f'seed = {number}\n[[stage]]\nname = "pretrain"\noptimizer = {{ lr = 0.{number} }}\n')
    (run / "evaluations").mkdir()
    os.utime(run / "evaluations", (CREATED, CREATED))
    return Run(run)


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def remembered(runs_dir: Path) -> set[str]:
    """The runs that the index holds, after a listing."""
    index.summaries(runs_dir)
    path = runs_dir / ".sslterm" / "index.json"
    return set(json.loads(path.read_bytes().partition(b"\n")[2])) if path.exists() else set()


class TestListing:
    def test_the_newest_comes_first_and_what_cannot_be_dated_last(self, runs_dir: Path) -> None:
        for number, name in enumerate(["b", "a", "c"]):
            made(runs_dir, name, number)
        (runs_dir / "broken").mkdir()
        rows = index.summaries(runs_dir)
        assert names(rows) == ["c", "a", "b", "broken"]
        assert rows[-1]["state"] == "corrupt"
        assert "run.json" in rows[-1]["reason"]

    def test_no_directory_is_no_runs_and_makes_none(self, tmp_path: Path) -> None:
        assert index.summaries(tmp_path / "nowhere") == []
        assert not (tmp_path / "nowhere").exists()

    def test_the_index_says_what_the_runs_say(self, runs_dir: Path) -> None:
        for number in range(4):
            made(runs_dir, f"r{number}", number, state=["finished", "failed", "interrupted", "running"][number])
        first = index.summaries(runs_dir)
        assert index.summaries(runs_dir) == first
        assert {row["name"]: row for row in first} == {
            run.name: summary.summary(run) for run in map(Run, sorted(runs_dir.glob("r*")))
        }

    def test_the_same_runs_by_another_path_are_called_by_that_path(
        self, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(runs_dir, "r", state="interrupted")
        assert str(runs_dir) in index.summaries(runs_dir)[0]["advice"]
        monkeypatch.chdir(runs_dir.parent)
        row = index.summaries(Path("runs"))[0]
        assert (row["path"], row["advice"]) == ("runs/r", "sslterm resume runs/r")


class TestRemembering:
    @pytest.mark.parametrize("state", ["finished", "failed", "interrupted", "paused"])
    def test_a_run_that_is_over_is_remembered(self, runs_dir: Path, state: str) -> None:
        made(runs_dir, "r", state=state)
        assert remembered(runs_dir) == {"r"}

    def test_and_not_read_again(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r", 1)
        index.summaries(runs_dir)
        path = run.path / "run.json"
        before = path.stat()
        with path.open("r+b") as file:  # as nobody could: another content in the same file of the same size and time
            file.write(b"x")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert index.summaries(runs_dir)[0]["seed"] == 1

    def test_nothing_is_written_where_nothing_changed(self, runs_dir: Path) -> None:
        made(runs_dir, "r")
        index.summaries(runs_dir)
        before = (runs_dir / ".sslterm" / "index.json").stat()
        index.summaries(runs_dir)
        after = (runs_dir / ".sslterm" / "index.json").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)

    @pytest.mark.parametrize("state", ["running", "", "odd"])
    def test_what_depends_on_more_than_files_is_not(self, runs_dir: Path, state: str) -> None:
        made(runs_dir, "r", state=state)
        assert not remembered(runs_dir)

    def test_what_was_written_this_very_moment_is_not_yet(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r")
        os.utime(run.path / "status.json")
        assert not remembered(runs_dir)
        old(run.path / "status.json")
        assert remembered(runs_dir)

    def test_a_file_of_the_future_is_like_any_other(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r")
        os.utime(run.path / "status.json", (time.time() + 9999, time.time() + 9999))
        assert remembered(runs_dir)


class TestNoticing:
    def test_a_note_an_evaluation_a_better_checkpoint_and_a_new_state(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r")
        index.summaries(runs_dir)
        write(run.path / "notes.json", {"note": "odd", "tags": ["a"]})
        row = index.summaries(runs_dir)[0]
        assert (row["note"], row["tags"]) == ("odd", ["a"])
        write(run.evaluations / "probe.json", {"metrics": {"top1": 0.5}})
        assert index.summaries(runs_dir)[0]["eval"] == {"top1": 0.5}
        write(run.checkpoints / "best.json", {"pretrain": {"file": "a.pt", "metric": "knn/top1", "value": 0.7}})
        assert index.summaries(runs_dir)[0]["best_value"] == 0.7
        write(run.path / "status.json", {"state": "failed", "attempt": 2, "reason": "no room"})
        row = index.summaries(runs_dir)[0]
        assert (row["state"], row["reason"], row["attempt"]) == ("failed", "no room", 2)
        write(
            run.path / "jobs/train/job.json",
            {"job": "b", "phase": "ended", "signal": "SIGKILL", "reason": "was killed"},
        )
        assert index.summaries(runs_dir)[0]["state"] == "killed"

    def test_a_file_damaged_in_place(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r")
        index.summaries(runs_dir)
        with (run.path / "run.json").open("r+") as file:
            file.truncate(9)
        assert index.summaries(runs_dir)[0]["state"] == "corrupt"

    def test_a_run_that_begins_again(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r", state="interrupted")
        assert index.summaries(runs_dir)[0]["state"] == "interrupted"
        with Lock(run.path / "jobs" / "train" / "lock"):
            write(run.path / "jobs/train/job.json", {"phase": "starting", "supervisor": Identity.mine().written()})
            assert index.summaries(runs_dir)[0]["state"] == "starting"

    def test_names_that_are_given_away_exchanged_and_taken_again(self, runs_dir: Path) -> None:
        one, other = made(runs_dir, "one", 1), made(runs_dir, "other", 2)
        index.summaries(runs_dir)
        one.path.rename(runs_dir / "aside")
        other.path.rename(runs_dir / "one")
        assert {row["name"]: row["seed"] for row in index.summaries(runs_dir)} == {"aside": 1, "one": 2}
        (runs_dir / "aside").rename(runs_dir / "other")
        shutil.rmtree(runs_dir / "one")
        made(runs_dir, "one", 3)
        assert {row["name"]: row["seed"] for row in index.summaries(runs_dir)} == {"other": 1, "one": 3}

    def test_runs_that_are_gone_are_forgotten(self, runs_dir: Path) -> None:
        for number in range(3):
            made(runs_dir, f"r{number}", number)
        index.summaries(runs_dir)
        shutil.rmtree(runs_dir / "r1")
        assert names(index.summaries(runs_dir)) == ["r2", "r0"]
        assert remembered(runs_dir) == {"r0", "r2"}

    def test_runs_of_any_name(self, runs_dir: Path) -> None:
        odd = ["🦊", "a [red]b[bold]", "x" * 250, "tab\there", os.fsdecode(b"\xff\xfe"), '"quoted"']
        for name in odd:
            made(runs_dir, name)
        assert sorted(names(index.summaries(runs_dir))) == sorted(odd) == sorted(names(index.summaries(runs_dir)))


class TestDamage:
    @pytest.mark.parametrize("name", ["index.json", "settings.json"])
    def test_an_index_cut_or_changed_anywhere_is_made_anew(self, runs_dir: Path, name: str) -> None:
        for number in range(2):
            made(runs_dir, f"r{number}", number)
        wanted = Filter("cfg.optimizer.lr>0")
        expected = index.matching(runs_dir, wanted)
        path = runs_dir / ".sslterm" / name
        whole = path.read_bytes()
        for place in range(len(whole)):
            damaged = whole[:place] if place % 2 else whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            path.write_bytes(damaged)
            assert index.matching(runs_dir, wanted) == expected
        assert path.read_bytes() == whole

    def test_an_index_of_another_version_or_of_somebody_else_is_made_anew(self, runs_dir: Path) -> None:
        made(runs_dir, "r")
        expected = index.summaries(runs_dir)
        path = runs_dir / ".sslterm" / "index.json"
        for foreign in (b"[]", b"{}", b"\0" * 99, path.read_bytes().replace(b"index 1", b"index 9", 1)):
            path.write_bytes(foreign)
            assert index.summaries(runs_dir) == expected
            assert path.read_bytes() != foreign

    def test_an_index_that_cannot_be_written_is_done_without(self, runs_dir: Path) -> None:
        made(runs_dir, "r")
        (runs_dir / ".sslterm").write_text("a file where the folder should be")
        assert names(index.summaries(runs_dir)) == ["r"]
        (runs_dir / ".sslterm").unlink()
        (runs_dir / ".sslterm" / "index.json").mkdir(parents=True)
        assert names(index.summaries(runs_dir)) == ["r"]

    def test_what_a_killed_writer_left_is_swept_away(self, runs_dir: Path) -> None:
        (runs_dir / ".sslterm").mkdir()
        left, fresh = (runs_dir / ".sslterm" / f".index.json.{number}.1.tmp" for number in (1, 2))
        for path in (left, fresh):
            path.write_text("half")
        os.utime(left, (CREATED, CREATED))
        made(runs_dir, "r")
        index.summaries(runs_dir)
        assert fresh.exists()
        assert not left.exists()

    def test_two_who_write_at_once_do_no_harm(self, runs_dir: Path) -> None:
        for number in range(30):
            made(runs_dir, f"r{number:02d}", number)
        program = (
            "import sys; from pathlib import Path; from sslterm.runs import index\n"
            "place = Path(sys.argv[1])\n"
            "for _ in range(30):\n"
            "    assert len(index.summaries(place)) == 30\n"
            "    (place / '.sslterm' / 'index.json').unlink(missing_ok=True)\n"
        )
        both = [subprocess.Popen([sys.executable, "-c", program, str(runs_dir)]) for _ in range(2)]
        assert [process.wait(60) for process in both] == [0, 0]
        assert len(index.summaries(runs_dir)) == 30


class TestMatching:
    def test_only_what_is_meant(self, runs_dir: Path) -> None:
        for number in range(1, 5):
            made(runs_dir, f"r{number}", number)
        assert names(index.matching(runs_dir, Filter("seed>2"))) == ["r4", "r3"]
        for _ in range(2):
            assert names(index.matching(runs_dir, Filter("cfg.optimizer.lr>=0.3 -r4"))) == ["r3"]

    def test_settings_that_changed_are_read_again(self, runs_dir: Path) -> None:
        run = made(runs_dir, "r")
        assert not index.matching(runs_dir, Filter("cfg.seed=7"))
        write(run.path / "resolved.toml", "seed = 7\n")
        assert index.matching(runs_dir, Filter("cfg.seed=7"))

    def test_a_setting_misspelt_is_pointed_out(self, runs_dir: Path) -> None:
        made(runs_dir, "r")
        with pytest.raises(FilterError, match=r"did you mean cfg\.optimizer\.lr"):
            index.matching(runs_dir, Filter("cfg.optimiser.lr>0"))
        assert index.matching(runs_dir, Filter("cfg.nothing.like.it>0")) == []

    def test_a_thousand_runs_are_listed_again_at_once(self, runs_dir: Path) -> None:
        for number in range(1000):
            made(runs_dir, f"r{number}", number)
        index.summaries(runs_dir)
        start = time.process_time()
        assert len(index.summaries(runs_dir)) == 1000
        assert time.process_time() - start < 0.5
