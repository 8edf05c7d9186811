"""What people change of a run: never one that somebody works on, never anything outside the runs directory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sslterm import presets
from sslterm.runs import Run, checkpoints, edit, files
from sslterm.runs.checkpoints import Checkpoint
from sslterm.runs.create import create
from sslterm.runs.directory import RunError, list_runs
from sslterm.runs.edit import BadNote
from sslterm.runs.job import Job
from sslterm.runs.locks import Lock


@pytest.fixture
def run(runs_dir: Path) -> Run:
    source = runs_dir.parent / "source.toml"
    source.write_text("")
    preset = presets.resolve({"data": {"name": "digits"}, "encoder": {"name": "conv4"}, "method": {"name": "simclr"}})
    return create(runs_dir, preset, source=source, name="a")


def kept(run: Run, epoch: int, stage: str = "pretrain", content: bytes = b"weights") -> Checkpoint:
    path = run.checkpoints / f"{stage}-{epoch:04d}.pt"
    path.write_bytes(content)
    described = Checkpoint(
        file=path.name, stage=stage, stage_index=int(stage == "probe"), epoch=epoch, step=0, total_steps=epoch,
        ended=False, time=1.0, size=len(content), sha256=files.sha256(path),
    )  # fmt: skip
    checkpoints.describe(run.checkpoints, described)
    return described


class TestNotes:
    def test_a_note_and_tags_do_not_touch_each_other(self, run: Run) -> None:
        edit.note(run, " the baseline ")
        assert edit.tag(run, ["paper", "x"]) == ["paper", "x"]
        assert edit.tag(run, ["paper"], remove=["x"]) == ["paper"]
        assert run.notes() == {"note": "the baseline", "tags": ["paper"]}
        edit.note(run, "")
        assert run.notes() == {"note": "", "tags": ["paper"]}

    @pytest.mark.parametrize("tag", ["", "two words", "x" * 41, "tab\there", "\x1b[31mred"])
    def test_a_tag_is_one_printable_word(self, run: Run, tag: str) -> None:
        with pytest.raises(BadNote, match="a tag is one word"):
            edit.tag(run, [tag])
        assert run.notes()["tags"] == []

    def test_a_note_has_an_end(self, run: Run) -> None:
        with pytest.raises(BadNote, match="at most 2,000 characters"):
            edit.note(run, "x" * 2001)

    def test_damaged_notes_are_no_notes(self, run: Run) -> None:
        (run.path / "notes.json").write_text('{"note": 3, "tags": {"a": 1}}')
        assert run.notes() == {"note": "", "tags": []}


class TestDirectory:
    def test_a_run_gets_another_name(self, run: Run) -> None:
        renamed = edit.rename(run, "baseline")
        assert renamed.name == "baseline"
        assert [one.name for one in list_runs(run.path.parent)] == ["baseline"]

    @pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "", "x" * 101, "bell\a", "last"])
    def test_names_that_could_leave_or_harm_are_refused(self, run: Run, name: str) -> None:
        with pytest.raises(RunError):
            edit.rename(run, name)
        assert run.path.is_dir()

    def test_a_name_that_is_taken_is_refused(self, run: Run) -> None:
        (run.path.parent / "b").mkdir()
        with pytest.raises(RunError, match="there is a run of this name"):
            edit.rename(run, "b")

    def test_a_run_that_somebody_works_on_stays_as_it_is(self, run: Run) -> None:
        runs_dir = run.path.parent
        for path in (run.lock, Job(run).lock):
            with Lock(path):
                for change in (
                    lambda: edit.rename(run, "b"),
                    lambda: edit.remove(run, runs_dir),
                    lambda: edit.repair(run),
                ):
                    with pytest.raises(RunError, match="somebody works on it"):
                        change()
        edit.remove(run, runs_dir)
        assert list(runs_dir.iterdir()) == []

    def test_only_what_lies_in_the_runs_directory_is_deleted(self, run: Run, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "run.json").write_text("{}")
        link = run.path.parent / "link"
        link.symlink_to(outside)
        folder = run.path.parent / "photos"
        folder.mkdir()
        (folder / "cat.jpg").write_bytes(b"")
        for victim in (outside, link, folder, run.path.parent / ".." / "outside"):
            with pytest.raises(RunError):
                edit.remove(Run(victim), run.path.parent)
        assert (outside / "run.json").exists()
        assert (folder / "cat.jpg").exists()

    def test_a_link_within_a_run_is_deleted_and_not_what_it_names(self, run: Run, tmp_path: Path) -> None:
        precious = tmp_path / "precious"
        precious.mkdir()
        (precious / "file").write_text("x")
        (run.path / "link").symlink_to(precious)
        edit.remove(run, run.path.parent)
        assert (precious / "file").exists()


class TestCheckpoints:
    def test_pruning_keeps_the_best_the_last_and_the_newest_good_one(self, run: Run) -> None:
        made = [kept(run, epoch) for epoch in (1, 2, 3, 4, 5)]
        kept(run, 1, stage="probe")
        checkpoints.point(run, "best", {"pretrain": {"file": made[1].file, "metric": "m", "value": 1.0}})
        (run.checkpoints / made[4].file).write_bytes(b"damaged")
        unwanted = edit.prunable(run)
        assert [c.file for c in unwanted] == ["pretrain-0001.pt", "pretrain-0003.pt", "pretrain-0004.pt"]
        edit.delete(run, unwanted)
        assert {c.file for c in checkpoints.listed(run)} == {"pretrain-0002.pt", "pretrain-0005.pt", "probe-0001.pt"}
        assert not (run.checkpoints / "pretrain-0001.json").exists()

    def test_the_newest_good_one_stays_where_the_last_is_damaged(self, run: Run) -> None:
        made = [kept(run, epoch) for epoch in (1, 2, 3)]
        (run.checkpoints / made[2].file).write_bytes(b"damaged")
        assert [c.file for c in edit.prunable(run)] == ["pretrain-0001.pt"]


class TestDeletedCheckpoints:
    @pytest.fixture
    def three(self, run: Run) -> list[Checkpoint]:
        """Of a run that trained to its end; the second is the best."""
        files.write_json(run.path / "status.json", {"state": "finished"})
        made = [kept(run, epoch) for epoch in (1, 2, 3)]
        for one, value in zip(made, (0.6, 0.8, 0.7), strict=True):
            checkpoints.describe(run.checkpoints, replace(one, metrics={"knn/top1": value}))
        checkpoints.point(run, "latest", {"file": made[2].file})
        checkpoints.point(run, "best", {"pretrain": {"file": made[1].file, "metric": "knn/top1", "value": 0.8}})
        return made

    def test_pointers_name_the_latest_and_the_best_of_those_left(self, run: Run, three: list[Checkpoint]) -> None:
        mended = edit.delete(run, three[1:2])
        assert mended == ["best.json: named checkpoints that are gone; names the best of those that are there now"]
        assert checkpoints.pointer(run, "best")["pretrain"] == {
            "file": three[2].file, "metric": "knn/top1", "value": 0.7,
        }  # fmt: skip
        assert edit.delete(run, three[2:])[0] == "latest.json: names pretrain-0001.pt now"
        assert checkpoints.pointer(run, "best")["pretrain"]["file"] == three[0].file
        edit.delete(run, three[:1])
        assert [checkpoints.pointer(run, name) for name in ("latest", "best")] == [{}, {}]
        assert edit.repair(run) == []

    def test_what_training_would_go_on_from_stays(self, run: Run, three: list[Checkpoint]) -> None:
        files.write_json(run.path / "status.json", {"state": "interrupted"})
        with pytest.raises(RunError, match=r"pretrain-0003\.pt: is needed, for `sslterm resume .*nothing was deleted"):
            edit.delete(run, three)
        assert len(checkpoints.listed(run)) == 3
        (run.checkpoints / three[2].file).write_bytes(b"cut")
        with pytest.raises(RunError, match=r"pretrain-0002\.pt: is needed"):
            edit.delete(run, three[:2])
        edit.delete(run, [three[0], three[2]])
        assert [one.file for one in checkpoints.listed(run)] == [three[1].file]

    def test_the_best_stays_where_the_next_stage_begins_from_it(self, run: Run, three: list[Checkpoint]) -> None:
        files.write_json(run.path / "status.json", {"state": "paused"})
        simclr, probe = {"name": "simclr"}, {"name": "supervised"}
        stages = [{"name": "pretrain", "method": simclr}, {"name": "probe", "method": probe, "start": "best"}]
        preset = presets.resolve({"data": {"name": "digits"}, "encoder": {"name": "conv4"}, "stage": stages})
        (run.path / "resolved.toml").write_text(presets.dump(preset))
        with pytest.raises(RunError, match="the next stage begins from it"):
            edit.delete(run, three[1:2])
        edit.delete(run, three[:1])

    def test_nothing_goes_while_somebody_works_on_the_run(self, run: Run, three: list[Checkpoint]) -> None:
        with Lock(Job(run, "eval-1234abcd").lock), pytest.raises(RunError, match="somebody works on it"):
            edit.delete(run, three[:1])
        assert len(checkpoints.listed(run)) == 3

    def test_what_a_prune_would_delete_is_told_without_reading_files(self, run: Run, three: list[Checkpoint]) -> None:
        (run.checkpoints / three[2].file).write_bytes(b"damaged")
        assert [one.file for one in edit.prunable(run, trusting=True)] == [three[0].file]


class TestRepair:
    def test_nothing_is_done_to_a_run_that_is_whole(self, run: Run) -> None:
        kept(run, 1)
        checkpoints.point(run, "latest", {"file": "pretrain-0001.pt"})
        before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
        assert edit.repair(run) == []
        assert before.items() <= {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}.items()

    def test_what_is_damaged_is_put_aside_and_pointers_name_what_is_there(self, run: Run) -> None:
        good, bad = kept(run, 1), kept(run, 2)
        (run.checkpoints / bad.file).write_bytes(b"cut")
        (run.checkpoints / "pretrain-0003.pt").write_bytes(b"never described")
        (run.checkpoints / ".pretrain-0004.pt.1.tmp").write_bytes(b"half")
        (run.path / "status.json").write_text("{")
        (run.evaluations / "e.json").write_bytes(b"\0\0")
        checkpoints.point(run, "latest", {"file": bad.file})
        checkpoints.point(run, "best", {"pretrain": {"file": bad.file}})
        done = edit.repair(run)
        assert len(done) == 7, done
        assert [c.file for c in checkpoints.listed(run)] == [good.file]
        assert checkpoints.pointer(run, "latest") == {"file": good.file}
        assert checkpoints.pointer(run, "best") == {}
        aside = {path.name for path in run.path.rglob("*.damaged")}
        assert aside == {
            "status.json.damaged", "e.json.damaged", "pretrain-0002.pt.damaged", "pretrain-0002.json.damaged",
            "pretrain-0003.pt.damaged",
        }  # fmt: skip
        assert edit.repair(run) == []

    def test_a_description_that_lies_is_put_aside_with_its_file(self, run: Run) -> None:
        described = kept(run, 1)
        checkpoints.describe(run.checkpoints, replace(described, sha256="0" * 64))
        assert "its sha256 differs; put aside" in edit.repair(run)[0]
        assert json.loads((run.checkpoints / "pretrain-0001.json.damaged").read_text())["epoch"] == 1
