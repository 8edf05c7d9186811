"""Names and texts that mean harm: refused, or shown as harmless characters; `rm` stays where the runs are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

from sslterm.cli.commands import app
from sslterm.runs import Run, edit, files, list_runs
from sslterm.runs.directory import BadName, check_name

SSLTERM = get_command(app)
EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\r\x08\x00[red]markup[/red] {format} %s ‮ \U0001f600"
REFUSED = {
    "nothing": "", "blanks": "  ", "the folder itself": ".", "the folder above": "..", "hidden": ".a",
    "an option": "-a", "a path": "a/b", "a path upwards": "../a", "a backslash": "a\\b", "a new line": "a\nb",
    "a NUL": "a\0b", "an escape": "a\x1b[2Jb", "a bell": "a\x07", "writing from the right": "a\u202eb",
    "2,000 characters": "a" * 2000,
    "more bytes than a file's name may have": "😀" * 100,
    "the newest run": "last",
}  # fmt: skip
FINE = ("emoji 😀", "[red]markup[bold]", "{a} %s $(b) `c` 'd' \"e\" *?", "größe", "模型", "a.b", "x" * 100)


def typed(run: Run, *arguments: str) -> str:
    done = CliRunner().invoke(SSLTERM, [arguments[0], "--runs-dir", str(run.path.parent), *arguments[1:]])
    assert isinstance(done.exception, SystemExit | None), (arguments, done.exception)
    assert not set(done.output) & {chr(code) for code in (*range(10), *range(11, 32), *range(127, 160), 0x202E)}
    return str(done.output)


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_name_that_could_do_harm_is_refused(name: str, make_run: Callable[..., Run]) -> None:
    with pytest.raises(BadName):
        check_name(name)
    with pytest.raises(BadName):
        make_run(name)
    run = make_run("a")
    assert "a run's name" in typed(run, "rename", "--", "a", name)
    assert [one.name for one in list_runs(run.path.parent)] == ["a"]


@pytest.mark.parametrize("name", FINE)
def test_any_other_name_works_everywhere(name: str, make_run: Callable[..., Run]) -> None:
    run = edit.rename(make_run("a"), name)
    assert name[:20] in typed(run, "ls")
    assert json.loads(typed(run, "ls", "--json"))[0]["name"] == name
    assert name in typed(run, "show", name)
    typed(run, "note", name, EVIL)
    typed(run, "rm", "--yes", name)
    assert list_runs(run.path.parent) == []


def test_what_files_say_cannot_control_a_terminal(make_run: Callable[..., Run]) -> None:
    run = make_run("a")
    info = files.read_json(run.path / "run.json")
    info |= {"data": EVIL, "encoder": EVIL, "argv": [EVIL], "host": EVIL, "user": EVIL, "folder": EVIL}
    info["preset"] |= {"title": EVIL, "file": EVIL}
    info["stages"] = [{"name": EVIL, "method": EVIL, "epochs": 3}]
    files.write_json(run.path / "run.json", info)
    files.write_json(run.path / "status.json", {"state": "failed", "reason": EVIL, "process": {"host": EVIL}})
    files.write_json(run.path / "notes.json", {"note": EVIL, "tags": [EVIL]})
    (run.path / "env.json").write_text(json.dumps({"attempts": [{"device": EVIL, "device_name": EVIL}]}))
    run.log.write_text(f"{EVIL}\n2026-01-01 10:00:00 {EVIL}\n")
    for command in ("ls", "ls --json", "show a", "show a --json", "logs a"):
        assert "owned" in typed(run, *command.split())
    for command in ("tag a", "checkpoints a", "watch a", "stop a", "repair a", "note a x"):
        typed(run, *command.split())


def test_a_folder_with_an_evil_name_is_shown_harmlessly_and_can_be_removed(make_run: Callable[..., Run]) -> None:
    run = make_run("a")
    evil = Run(run.path.rename(run.path.with_name("\x1b[2J\x07[red]😀")))
    for arguments in (["ls"], ["show", evil.name], ["logs", evil.name], ["rm", "--yes", evil.name]):
        typed(evil, *arguments)
    assert list_runs(evil.path.parent) == []


class TestRm:
    @pytest.fixture
    def precious(self, make_run: Callable[..., Run], tmp_path: Path) -> Run:
        """A run that lies elsewhere."""
        run = make_run("precious")
        return Run(run.path.rename(tmp_path / "elsewhere"))

    def test_a_link_out_of_the_runs_directory_is_no_run_and_is_not_followed(
        self, precious: Run, make_run: Callable[..., Run]
    ) -> None:
        run = make_run("a")
        os.symlink(precious.path, run.path.with_name("link"))
        assert [one.name for one in list_runs(run.path.parent)] == ["a"]
        for reference in ("link", str(run.path.with_name("link"))):
            typed(run, "rm", "--yes", reference)
            assert (precious.path / "run.json").exists()

    @pytest.mark.parametrize("reference", ["../elsewhere", "/../elsewhere", "a/../../elsewhere", ".", "..", "", "*"])
    def test_no_path_leads_out(self, reference: str, precious: Run, make_run: Callable[..., Run]) -> None:
        run = make_run("a")
        for said in (reference, f"{run.path.parent}/{reference}", f"{run.path}/{reference}"):
            typed(run, "rm", "--yes", "--", said)
        assert (precious.path / "run.json").exists()
        assert run.path.parent.exists()

    def test_links_in_a_run_are_deleted_and_not_what_they_lead_to(
        self, precious: Run, make_run: Callable[..., Run]
    ) -> None:
        run = make_run("a")
        os.symlink(precious.path, run.checkpoints / "link")
        os.symlink(precious.path / "run.json", run.path / "resolved-link.toml")
        assert "deleted" in typed(run, "rm", "--yes", "a")
        assert not run.path.exists()
        assert (precious.path / "run.json").exists()

    def test_what_is_no_run_is_left_alone(self, make_run: Callable[..., Run]) -> None:
        run = make_run("a")
        other = run.path.with_name("photos")
        other.mkdir()
        (other / "me.png").write_bytes(b"")
        assert "does not look like a run" in typed(run, "rm", "--yes", "photos")
        assert (other / "me.png").exists()
