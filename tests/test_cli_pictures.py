"""`sslterm pictures` and `sslterm export` as a person types them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from test_cli import Shell
from test_imports import loaded_after

PRESET = """
title = "Small"
batch_size = 32
epochs = 1
data = { name = "digits", valid = 100 }
encoder = { name = "conv4" }
monitor = { every = 0 }
method = { name = "supervised" }
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Shell:
    """A directory with a finished run, `mine`, that nobody has evaluated."""
    from sslterm import presets
    from sslterm.engine.progress import Progress
    from sslterm.engine.train import train
    from sslterm.runs.create import create

    shell = Shell(tmp_path_factory.mktemp("pictures"), data_dir)
    source = shell.folder / "tiny.toml"
    source.write_text(PRESET)
    run = create(shell.folder / "runs", presets.load(source), source=source, name="mine")
    train(run, device="cpu", data_dir=data_dir, progress=Progress())
    return shell


def test_views_need_a_preset_only(shell: Shell) -> None:
    done = shell.type("pictures", "views", "tiny.toml", "--count", "3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Small · stage supervised · 3 images, the view drawn twice"
    assert re.match(r"\d · image \d+ +as it is, view, again$", lines[3])
    sheet = Path(lines[-1])
    assert sheet.parent == shell.folder / "runs" / ".sslterm" / "pictures"
    said = json.loads(shell.type("pictures", "views", "tiny.toml", "--count", "3", "--json").stdout)
    assert list(said) == ["kind", "title", "sheet", "rows"]
    assert Path(said["sheet"]) == sheet
    assert set(said["rows"][0]["tiles"][0]) == {"x", "y", "width", "height", "caption", "image", "right"}
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
    run = json.loads(shell.type("pictures", "views", "mine", "--count", "3", "--json").stdout)
    assert run["rows"] == said["rows"]
    assert Path(run["sheet"]).parent == shell.folder / "runs" / "mine" / "pictures"


def test_mistakes_say_what_to_type_first_and_then_are_there(shell: Shell) -> None:
    before = shell.type("pictures", "mistakes", "mine", "--protocol", "knn")
    assert before.returncode == 3
    assert before.stdout == ""
    command = shlex.split(before.stderr.partition("evaluate it with: ")[2])
    assert command[0] == "sslterm"
    assert shell.type(*command[1:]).returncode == 0
    done = shell.type("pictures", "mistakes", "mine", "--protocol", "knn", "--count", "2", "--to", "worst.png")
    assert done.returncode == 0, done.stderr
    assert re.search(r"1 to 2 +\d+  ✗ \d taken for \d \d+\.\d%\n", done.stdout)
    assert done.stdout.splitlines()[-1] == str(shell.folder / "worst.png")
    unlike = shell.type("pictures", "mistakes", "mine", "--protocol", "knn", "--truth", "cat")
    assert (unlike.returncode, "--truth cat: no such class" in unlike.stderr) == (2, True)


def test_neighbours_of_an_image(shell: Shell) -> None:
    done = shell.type("pictures", "neighbours", "mine", "--of", "3,17", "--count", "2", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["tiles"][0]["image"] for row in rows] == [3, 17]
    assert {len(row["tiles"]) for row in rows} == {3}
    assert {type(tile["right"]) for row in rows for tile in row["tiles"][1:]} == {bool}


@pytest.mark.slow
def test_an_encoder_is_exported_once_and_a_preset_begins_with_it(shell: Shell) -> None:
    done = shell.type("export", "mine", "--to", "encoder.pt")
    assert (done.returncode, done.stdout) == (0, "encoder.pt\n")
    assert done.stderr == "conv4 (128 features) of mine, supervised-0001.pt\n"
    before = (shell.folder / "encoder.pt").read_bytes()
    again = shell.type("export", "mine", "--to", "encoder.pt")
    assert (again.returncode, "is there already; choose another name, or replace it by --force" in again.stderr) == (
        2,
        True,
    )
    forced = shell.type("export", "mine", "--to", "encoder.pt", "--force", "--json")
    assert json.loads(forced.stdout)["origin"]["run"] == "mine"
    assert len(before) == len((shell.folder / "encoder.pt").read_bytes())
    begun = shell.type("run", "tiny.toml", "--set", "encoder.weights=encoder.pt", "--json")
    assert json.loads(begun.stdout)["state"] == "finished", begun.stderr


BAD: list[tuple[list[str], int, str]] = [
    (["pictures", "views", "nothing"], 3, "nothing: no such file, nor a shipped preset"),
    (["pictures", "views", "nothing"], 3, "nor a run in runs"),
    (["pictures", "views", "broken.toml"], 2, "broken.toml: batch_size: 0 does not fit"),
    (["pictures", "views", "tiny.toml", "--to", "tiny.toml"], 2, "--to tiny.toml: pictures are PNG files"),
    (["pictures", "views", "tiny.toml", "--to", "no/a.png"], 2, "--to no/a.png: there is no folder no"),
    (["pictures", "views", "tiny.toml", "--count", "0"], 2, "--count"),
    (["pictures", "mistakes", "nothing"], 3, "nothing: no such run"),
    (["pictures", "mistakes", "mine", "--checkpoint", "all"], 2, "pictures are of one checkpoint"),
    (["pictures", "mistakes", "mine", "--checkpoint", "99"], 3, "no checkpoint '99'"),
    (["pictures", "mistakes", "mine", "--protocol", "guess"], 2, "--protocol guess: use head, knn or linear"),
    (["pictures", "mistakes", "mine", "--split", "train"], 2, "--split train: use test or valid"),
    (["pictures", "neighbours", "mine", "--of", "3,cat"], 2, "--of 3,cat: numbers of images, as in 3,17"),
    (["pictures", "neighbours", "mine", "--of", "1797"], 2, "--of 1797: digits has images 0 to 1796"),
    (["pictures", "neighbours", "mine", "--device", "tpu"], 2, "--device tpu: no such device"),
    (["pictures", "portraits"], 2, "No such command"),
    (["export", "mine"], 2, "--to"),
    (["export", "mine", "--to", "encoder.onnx"], 2, "name it FILE.pt, or FILE.safetensors"),
    (["export", "mine", "--to", "no/encoder.pt"], 2, "there is no folder no"),
    (["export", "mine", "--to", "a.pt", "--checkpoint", "all"], 2, "a file holds one encoder"),
    (["export", "nothing", "--to", "a.pt"], 3, "nothing: no such run"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), BAD, ids=[" ".join(case[0])[:60] for case in BAD])
def test_bad_input_is_a_sentence_and_an_exit_code(shell: Shell, arguments: list[str], code: int, says: str) -> None:
    (shell.folder / "broken.toml").write_text('batch_size = 0\nmethod = { name = "simclr" }\n')
    done = shell.type(*arguments)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize(
    "command", [["pictures"], ["pictures", "views"], ["pictures", "mistakes"], ["pictures", "neighbours"], ["export"]]
)
def test_help_teaches_with_an_example(shell: Shell, command: list[str]) -> None:
    done = shell.type(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert f"Examples: sslterm {command[0]} " in done.stdout


@pytest.mark.parametrize("command", [["pictures", "--help"], ["pictures", "mistakes", "--help"], ["export", "--help"]])
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['sslterm', *{command}]\n"
        "from sslterm.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert loaded_after(code) == set()
