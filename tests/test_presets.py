"""Presets: what they may say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm import presets
from sslterm.presets import PresetError, dump, read, resolve, salvage

TWO_STAGES = """
epochs = 3
[optimizer]
name = "sgd"
lr = 0.1
momentum = 0.8
[[stage]]
name = "pretrain"
method = { name = "simclr" }
[[stage]]
name = "probe"
epochs = 5
method = { name = "supervised", train = "head" }
optimizer = { name = "adam", lr = 0.001 }
"""


def overridden(assignments: list[str], text: str = TWO_STAGES) -> presets.Preset:
    preset, wrong = salvage(read(text), assignments)
    assert wrong == []
    return preset


def problems(text: str) -> dict[str, str]:
    with pytest.raises(PresetError) as caught:
        resolve(read(text))
    return {problem.key: problem.text for problem in caught.value.problems}


class TestStages:
    def test_a_preset_without_stages_has_one_named_after_its_method(self) -> None:
        preset = resolve(read('epochs = 7\n[method]\nname = "simclr"'))
        assert [(stage.name, stage.epochs) for stage in preset.stage] == [("simclr", 7)]

    def test_a_stage_says_again_what_differs(self) -> None:
        pretrain, probe = resolve(read(TWO_STAGES)).stage
        assert (pretrain.epochs, probe.epochs) == (3, 5)
        assert (pretrain.optimizer.name, probe.optimizer.name) == ("sgd", "adam")

    def test_a_section_of_another_kind_starts_anew(self) -> None:
        pretrain, probe = resolve(read(TWO_STAGES)).stage
        assert pretrain.optimizer.momentum == 0.8
        assert probe.optimizer.momentum == presets.Optimizer().momentum

    def test_two_stages_of_one_name_are_refused(self) -> None:
        text = TWO_STAGES.replace('"probe"', '"pretrain"')
        assert "two stages have this name" in problems(text)["stage.pretrain"]

    def test_a_missing_method_is_said_once(self) -> None:
        assert "say which method trains" in problems("epochs = 3")["method"]


class TestSentences:
    def test_an_unknown_key_names_the_nearest(self) -> None:
        found = problems('epoch = 3\n[method]\nname = "simclr"\n[optimizer]\nmomentun = 0.9')
        assert found["epoch"] == "no such setting; did you mean epochs?"
        assert found["optimizer.momentun"] == "no such setting; did you mean momentum?"

    def test_every_problem_is_said_at_once_with_its_dotted_key(self) -> None:
        found = problems(
            'epochs = 0\nbatch_size = "many"\n[method]\nname = "simclr"\n[views]\nflip = 2\n[schedule]\nname = "cosin"'
        )
        assert set(found) == {"epochs", "batch_size", "views.flip", "schedule.name"}
        assert found["schedule.name"].endswith("did you mean cosine?")

    def test_a_problem_of_one_stage_is_named_in_that_stage(self) -> None:
        found = problems(TWO_STAGES.replace("epochs = 5", "epochs = -5"))
        assert list(found) == ["stage.probe.epochs"]

    def test_a_problem_of_the_shared_part_is_said_once(self) -> None:
        found = problems(TWO_STAGES.replace("lr = 0.1\n", "lr = -1\n"))
        assert list(found) == ["optimizer.lr"]

    @pytest.mark.parametrize("split", ["test", "valid"])
    def test_augmenting_test_images_cannot_be_written(self, split: str) -> None:
        found = problems(f'[method]\nname = "simclr"\n[views]\n{split} = true')
        assert "augmentation never touches" in found[f"views.{split}"]

    def test_fp16_is_answered_by_name(self) -> None:
        assert "use bf16, fp32 or auto" in problems('precision = "fp16"\n[method]\nname = "simclr"')["precision"]

    def test_a_slip_in_the_toml_names_the_line(self) -> None:
        with pytest.raises(PresetError, match=r"is not TOML: .*line 2"):
            read("epochs = 3\nname = = 4")

    def test_numbers_are_not_made_of_text(self) -> None:
        assert "a whole number" in problems('epochs = "3"\n[method]\nname = "simclr"')["epochs"]

    def test_limits_of_a_seed_are_said(self) -> None:
        found = problems(f'seed = {2**63}\n[method]\nname = "simclr"')
        assert found["seed"].endswith("it takes a number of at most 9223372036854775807")
        assert resolve(read(f'seed = {2**63 - 1}\n[method]\nname = "simclr"')).seed == 2**63 - 1

    def test_a_method_that_no_stage_has_is_said_once(self) -> None:
        found = problems('epochs = 0\n[[stage]]\nname = "a"\n[[stage]]\nname = "b"\n')
        assert set(found) == {"method", "epochs"}


ODD = {
    "a table for a number": ("epochs = { a = 1 }", "epochs", "{'a': 1} does not fit; it takes a whole number"),
    "a number for a table": ("views = 3", "views", "3 does not fit; it takes a table"),
    "a list for a table": ("optimizer = [1]", "optimizer", "[1] does not fit; it takes a table"),
    "text for an optional number": ('data = { size = "big" }', "data.size", "it takes a whole number"),
    "a point for an optional number": ("views = { size = 1.5 }", "views.size", "it takes a whole number"),
    "a number for optional text": ("encoder = { weights = 3 }", "encoder.weights", "it takes text in quotes"),
    "true for a number": ("epochs = true", "epochs", "true does not fit; it takes a whole number"),
    "a list of lists": ("views = { area = [[1], [2]] }", "views.area", "[1] does not fit; it takes a number"),
    "one of two numbers": ("views = { area = [0.5] }", "views.area", "[0.5] does not fit; it takes two numbers"),
    "three of two numbers": ("views = { area = [0.1, 0.2, 1] }", "views.area", "it takes two numbers"),
    "text in a list": ('views = { area = [0.1, "x"] }', "views.area", "'x' does not fit; it takes a number"),
    "a list in the second view": ("views = { second = { flip = [1] } }", "views.second.flip", "it takes a number"),
    "a size of the second view": ("views = { second = { size = 8 } }", "views.second.size", "no such setting"),
    "a rate of less than 0": ("optimizer = { lr = -1 }", "optimizer.lr", "a number of more than 0 or a table"),
    "a part's rate": ("optimizer = { lr = { head = -1 } }", "optimizer.lr.head", "it takes a number of more than 0"),
    "a part's table": ("optimizer = { lr = { head = { a = 1 } } }", "optimizer.lr.head", "it takes a number"),
    "an infinite rate": ("optimizer = { lr = inf }", "optimizer.lr", "it takes a finite number or a table"),
    "a part's infinite rate": ("optimizer = { lr = { head = inf } }", "optimizer.lr.head", "it takes a finite number"),
    "no number": ("clip_norm = nan", "clip_norm", "nan does not fit; it takes a finite number"),
    "no number in a list": ("views = { area = [nan, 1.0] }", "views.area", "it takes a finite number"),
    "no number for an amount": ("data = { valid = nan }", "data.valid", "it takes a whole number or a finite number"),
    "a beta of 1": ("optimizer = { betas = [0.9, 1] }", "optimizer.betas", "it takes a number of less than 1"),
    "a huge count": (f"epochs = {10**30}", "epochs", "it takes a number of at most 1000000000"),
    "a number no float holds": (f"clip_norm = {10**400}", "clip_norm", "it takes a number"),
    "a date": ("title = 1979-05-27", "title", "1979-05-27 does not fit; it takes text in quotes"),
    "a date for a number": ("epochs = 1979-05-27T07:32:00Z", "epochs", "it takes a whole number"),
    "a list for a choice": ("precision = [1]", "precision", "[1] is not one of auto, fp32, bf16"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_a_wrong_type_is_one_good_sentence(case: str) -> None:
    written, key, text = ODD[case]
    found = problems(f'{written}\nmethod = {{ name = "simclr" }}')
    assert list(found) == [key]
    assert text in found[key]


class TestOddShapes:
    @pytest.mark.parametrize("name", ['"SimCLR"', "3", '""'])
    def test_a_method_of_an_odd_name_makes_a_stage_of_a_plain_one(self, name: str) -> None:
        assert resolve(read(f"method = {{ name = {name} }}")).stage[0].method["name"] is not None

    def test_a_key_that_is_called_as_a_type_is(self) -> None:
        found = problems('[[stage]]\nname = "a"\nint = 3\nmethod = { name = "simclr" }')
        assert list(found) == ["stage.a.int"]

    def test_a_method_that_is_no_table(self) -> None:
        assert problems('method = "simclr"') == {"method": "'simclr' does not fit; it takes a table"}

    @pytest.mark.parametrize(
        "written", ["stage = 3", "stage = []", "stage = [[1]]", '[stage]\nname = "probe"\nmethod = { name = "simclr" }']
    )
    def test_stages_that_are_none(self, written: str) -> None:
        assert problems(written) == {"stage": "stages are written as [[stage]], each with its settings below"}

    def test_an_empty_preset(self) -> None:
        assert list(problems("")) == ["method"]

    @pytest.mark.parametrize("name", ["3", '["a"]', '"Big Name"', '""', "2020-01-01"])
    def test_a_name_that_is_none_hides_nothing(self, name: str) -> None:
        found = problems(f'[[stage]]\nname = {name}\nepochs = 0\nmethod = {{ name = "simclr" }}')
        assert set(found) == {"stage.0.name", "stage.0.epochs"}

    def test_a_stage_without_a_name(self) -> None:
        assert "give the stage a name" in problems('[[stage]]\nmethod = { name = "simclr" }')["stage.0.name"]

    @pytest.mark.parametrize("text", ["epochs = " + "9" * 5000, "epochs = " + "[" * 100_000])
    def test_what_no_reader_reads(self, text: str) -> None:
        with pytest.raises(PresetError, match="is not TOML"):
            read(text)


class TestSalvage:
    def test_defaults_stand_in_for_what_cannot_be(self) -> None:
        written = 'epochs = 0\nbatch_size = 8\n[method]\nname = "simclr"\n[views]\nflip = 2\nhue = 0.1\n'
        preset, wrong = salvage(read(written))
        stage = preset.stage[0]
        assert [problem.key for problem in wrong] == ["epochs", "views.flip"]
        assert (stage.epochs, stage.batch_size, stage.views.flip, stage.views.hue) == (100, 8, 0.0, 0.1)

    @pytest.mark.parametrize("case", ODD)
    def test_something_is_always_left(self, case: str) -> None:
        preset, _ = salvage(read(ODD[case][0]))
        assert len(preset.stage) == 1

    def test_a_wrong_override_hides_no_other_problem(self) -> None:
        _, wrong = salvage(read(TWO_STAGES.replace("lr = 0.1", "lr = -1")), ["epochs", "stage.probe.epochs=0"])
        assert [problem.key for problem in wrong] == ["epochs", "optimizer.lr", "stage.probe.epochs"]


class TestOverrides:
    def test_a_shared_key_holds_for_every_stage(self) -> None:
        preset = overridden(["epochs=1", "views.flip=0.5"])
        assert [(stage.epochs, stage.views.flip) for stage in preset.stage] == [(1, 0.5), (1, 0.5)]

    def test_an_optimizer_of_one_kind_is_set_in_every_stage(self) -> None:
        preset = overridden(["optimizer.lr=0.5"], TWO_STAGES.replace("adam", "sgd"))
        assert [stage.optimizer.lr for stage in preset.stage] == [0.5, 0.5]

    def test_a_stage_can_be_named(self) -> None:
        preset = overridden(["stage.probe.method.label_smoothing=0.1", "stage.probe.optimizer.lr=0.5"])
        assert preset.stage[1].method["label_smoothing"] == 0.1
        assert [stage.optimizer.lr for stage in preset.stage] == [0.1, 0.5]

    def test_text_needs_no_quotes(self) -> None:
        preset = overridden(["encoder.name=tinyvgg-b", "data.name=cifar10"])
        assert (preset.encoder.name, preset.data.name) == ("tinyvgg-b", "cifar10")

    def test_lists_are_written_as_in_toml(self) -> None:
        preset = overridden(["views.crop=scaled", "views.scale=[36,44]"])
        assert preset.stage[0].views.scale == (36, 44)

    @pytest.mark.parametrize(
        ("assignment", "says"),
        [
            ("epochs", "written KEY=VALUE"),
            ("stage.prob.epochs=3", "did you mean probe?"),
            ("stage.probe=3", "say which setting of which stage"),
            ("stage=3", "say which setting of which stage"),
            ("method.temperature=0.1", "say stage.pretrain.method.temperature or stage.probe.method"),
            ("optimizer.lr=0.1", "say stage.pretrain.optimizer.lr or stage.probe.optimizer.lr"),
            ("optimizer.momentun=0.1", "did you mean momentum?"),
            ("views.second=3", "it takes a table"),
        ],
    )  # fmt: skip
    def test_a_wrong_override_is_a_sentence(self, assignment: str, says: str) -> None:
        _, wrong = salvage(read(TWO_STAGES), [assignment])
        assert says in wrong[0].text

    def test_a_wrong_override_keeps_a_file_from_loading(self, tmp_path: Path) -> None:
        path = tmp_path / "two.toml"
        path.write_text(TWO_STAGES)
        with pytest.raises(PresetError, match=r"two\.toml: stage\.prob\.epochs: no stage is named prob"):
            presets.load(path, ["stage.prob.epochs=3"])

    def test_the_written_preset_is_left_alone(self) -> None:
        written = read(TWO_STAGES)
        salvage(written, ["optimizer.lr=9.0", "stage.probe.epochs=9"])
        assert written == read(TWO_STAGES)


class TestResolved:
    def test_the_resolved_preset_reads_back_the_same(self) -> None:
        preset = resolve(read(TWO_STAGES))
        assert resolve(read(dump(preset))) == preset

    def test_views_of_the_second_kind_differ_only_in_what_is_said(self) -> None:
        views = presets.Views(flip=0.5, second=presets.ViewChange(solarize=0.2))
        assert views.recipe(0).solarize == 0.0
        assert (views.recipe(1).solarize, views.recipe(1).flip) == (0.2, 0.5)

    def test_local_views_differ_only_in_what_is_said_and_have_a_size_of_their_own(self) -> None:
        local = presets.LocalViews(count=4, size=12, area=(0.1, 0.3))
        views = presets.Views(size=32, flip=0.5, local=local, second=presets.ViewChange(solarize=0.2))
        recipe = views.local_recipe()
        assert (views.local_size(32), recipe.area, recipe.flip, recipe.solarize) == (12, (0.1, 0.3), 0.5, 0.0)
        assert views.recipe(0).area == presets.Views().area
        assert views.recipe(0).local.count == recipe.local.count == 0


class TestFinding:
    def test_shipped_presets_are_found_by_name(self) -> None:
        assert presets.find("moco").name == "moco.toml"

    def test_a_documented_path_works_from_any_directory(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        assert presets.find("presets/moco.toml").is_file()

    def test_an_unknown_name_is_a_sentence(self) -> None:
        with pytest.raises(FileNotFoundError, match="did you mean simclr"):
            presets.find("simclrr")

    def test_a_file_that_is_no_text_is_a_sentence(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(PresetError, match="UTF-8"):
            presets.load(path)

    @pytest.mark.parametrize("name", sorted(presets.shipped()))
    def test_a_shipped_preset_resolves_and_says_how_it_is_run(self, name: str) -> None:
        path = presets.shipped()[name]
        preset = presets.load(path)
        text = path.read_text()
        assert preset.title
        assert f"sslterm run presets/{name}.toml" in text
        for word in ("Paper:", "Expected:", "Time:"):
            assert word in text
