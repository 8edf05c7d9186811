"""What is said of a setting is said beside the line where it was written, or would have been."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm import presets
from sslterm.cli.listing import _with_lines
from sslterm.presets import Problem
from sslterm.presets.lines import line_of

TEXT = """\
# A comment with [brackets] and key = value
title = "a [[stage]] in a string, # too"
views.second.flip = 1

[data]
name = "cifar10"   # [not] a table
"valid" = 0.1
folders = [
  "a",             # more
  "b",
]

[views]
area = [0.2,
        1.0]
blur = 0.5

[[stage]]
name = "pretrain"
epochs = 7
method = { name = "simclr", temperature = 0.1, deep = { most = 1 } }
optimizer.lr = 3

[stage.schedule]
name = "cosine"

[[ stage ]]
epochs = 8
name = 'probe'

[stage.method]
name = "supervised"
note = \"\"\"
epochs = 9
[views]
\"\"\"
train = "head"
"""


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("title", 'title = "a'),
        ("views.second.flip", "views.second"),
        ("data", "[data]"),
        ("data.name", 'name = "cifar10"'),
        ("data.valid", '"valid"'),
        ("data.folders", "folders = ["),
        ("data.size", "[data]"),
        ("views.area", "area = ["),
        ("views.blur", "blur"),
        ("stage.pretrain", "[[stage]]"),
        ("stage.pretrain.epochs", "epochs = 7"),
        ("stage.pretrain.method.temperature", "method = { name"),
        ("stage.pretrain.method.deep.most", "method = { name"),
        ("stage.pretrain.method.queue", "method = { name"),
        ("stage.pretrain.optimizer.lr", "optimizer.lr"),
        ("stage.pretrain.schedule.name", 'name = "cosine"'),
        ("stage.pretrain.schedule.warmup", "[stage.schedule]"),
        ("stage.pretrain.views.area", "area = ["),
        ("stage.pretrain.batch_size", "[[stage]]"),
        ("stage.0.epochs", "epochs = 7"),
        ("stage.1.epochs", "epochs = 8"),
        ("stage.probe.epochs", "epochs = 8"),
        ("stage.probe.schedule.name", "[[ stage ]]"),
        ("stage.probe.method.train", 'train = "head"'),
        ("stage.nobody.epochs", "[[stage]]"),
        ("checkpoints.best", "# A comment"),
        ("encoder.name", "# A comment"),
    ],
)
def test_a_key_has_its_line_or_that_of_its_table(key: str, written: str) -> None:
    line = TEXT.splitlines()[line_of(TEXT, key) - 1]
    assert line.startswith(written), (key, line)


def test_a_single_stage_may_say_what_all_share() -> None:
    text = 'title = "x"\n[views]\nflip = 0.5\n[[stage]]\nname = "a"\nmethod = { name = "x" }\nviews = { blur = 2 }\n'
    assert line_of(text, "method.name") == 6
    assert line_of(text, "views.blur") == 7
    assert line_of(text, "views.flip") == 3


def test_a_slip_of_toml_names_its_own_line() -> None:
    text = 'title = "x"\n[data]\nname = cifar\n'
    with pytest.raises(presets.PresetError) as raised:
        presets.read(text)
    problem = raised.value.problems[0]
    assert line_of(text, problem.key, problem.text) == 3
    assert line_of(text, "", "is no preset at all") == 1


@pytest.mark.parametrize("name", sorted(presets.shipped()))
def test_every_setting_of_a_shipped_preset_is_found(name: str) -> None:
    text = presets.shipped()[name].read_text(encoding="utf-8")
    lines = text.splitlines()
    for place, stage in enumerate(presets.read(text).get("stage", [])):
        for key in stage:
            found = lines[line_of(text, f"stage.{stage['name']}.{key}") - 1]
            assert key in found, (place, key, found)


@pytest.mark.parametrize(
    "text", ["", "=", "[", "[[", "a = [", "a = {", "a = { b", "a.b.", '"', "a = '''", "[" * 5000, "a = " + "[" * 5000]
)
def test_text_that_is_no_toml_has_lines_all_the_same(text: str) -> None:
    assert line_of(text, "a.b") == 1


def test_check_says_the_line_of_each_problem(tmp_path: Path) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text("epochs = 3\n[views]\nflip = 5\n")
    problems = [Problem("views.flip", "does not fit"), Problem("method", "is missing"), Problem("seed", "odd", True)]
    rows = _with_lines(preset, problems)
    assert [(row["key"], row["line"], row["warning"]) for row in rows] == [
        ("views.flip", 3, False), ("method", 1, False), ("seed", 1, True),
    ]  # fmt: skip
