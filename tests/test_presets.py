"""Presets: what they may say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm import presets
from sslterm.presets import PresetError, dump, override, read, resolve

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


class TestOverrides:
    def test_a_shared_key_holds_for_every_stage(self) -> None:
        preset = resolve(override(read(TWO_STAGES), ["epochs=1", "optimizer.lr=0.5"]))
        assert [(stage.epochs, stage.optimizer.lr) for stage in preset.stage] == [(1, 0.5), (1, 0.5)]

    def test_a_stage_can_be_named(self) -> None:
        preset = resolve(override(read(TWO_STAGES), ["stage.probe.method.label_smoothing=0.1"]))
        assert preset.stage[1].method["label_smoothing"] == 0.1

    def test_text_needs_no_quotes(self) -> None:
        preset = resolve(override(read(TWO_STAGES), ["encoder.name=tinyvgg-b", "data.name=cifar10"]))
        assert (preset.encoder.name, preset.data.name) == ("tinyvgg-b", "cifar10")

    def test_lists_are_written_as_in_toml(self) -> None:
        preset = resolve(override(read(TWO_STAGES), ["views.crop=scaled", "views.scale=[36,44]"]))
        assert preset.stage[0].views.scale == (36, 44)

    @pytest.mark.parametrize(
        ("assignment", "says"),
        [
            ("epochs", "written KEY=VALUE"),
            ("stage.prob.epochs=3", "did you mean probe?"),
            ("method.temperature=0.1", "stage.pretrain.method.temperature"),
        ],
    )
    def test_a_wrong_override_is_a_sentence(self, assignment: str, says: str) -> None:
        with pytest.raises(PresetError, match=says):
            override(read(TWO_STAGES), [assignment])

    def test_the_written_preset_is_left_alone(self) -> None:
        written = read(TWO_STAGES)
        override(written, ["optimizer.lr=9.0", "stage.probe.epochs=9"])
        assert written == read(TWO_STAGES)


class TestResolved:
    def test_the_resolved_preset_reads_back_the_same(self) -> None:
        preset = resolve(read(TWO_STAGES))
        assert resolve(read(dump(preset))) == preset

    def test_views_of_the_second_kind_differ_only_in_what_is_said(self) -> None:
        views = presets.Views(flip=0.5, second=presets.ViewChange(solarize=0.2))
        assert views.recipe(0).solarize == 0.0
        assert (views.recipe(1).solarize, views.recipe(1).flip) == (0.2, 0.5)


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
