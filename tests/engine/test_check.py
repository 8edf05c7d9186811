"""What `sslterm check` says: the classic mistakes, each by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sslterm import presets
from sslterm.engine.check import check, check_file, problems
from sslterm.presets import PresetError

SIMCLR = {"name": "simclr"}


def said(written: dict[str, Any]) -> dict[str, str]:
    return {problem.key: problem.text for problem in problems(presets.resolve(written))}


@pytest.mark.parametrize("name", sorted(presets.shipped()))
def test_every_shipped_preset_can_run_without_a_warning(name: str) -> None:
    path = presets.shipped()[name]
    assert [str(problem) for problem in check(presets.load(path), str(path))] == []


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown method": ({"method": {"name": "simclrr"}}, "method.name", "did you mean simclr?"),
    "an unknown knob": (
        {"method": {"name": "byol", "teacher_momentun": 0.9}},
        "method.teacher_momentun",
        "did you mean",
    ),
    "an unknown data set": ({"method": SIMCLR, "data": {"name": "cifar"}}, "data.name", "did you mean cifar10?"),
    "a folder unsaid": (
        {"method": SIMCLR, "data": {"name": "image_folder"}},
        "data.folder",
        "say where the images are",
    ),
    "local views for a method without": (
        {"method": SIMCLR, "views": {"local": {"count": 2}}},
        "views.local.count",
        "simclr has no use for local views, but deepcluster, dino, swav",
    ),
    "local views larger than the others": (
        {"method": {"name": "swav", "prototypes": 100}, "views": {"size": 32, "local": {"count": 2, "size": 40}}},
        "views.local.size",
        "40 is more than the 32 pixels",
    ),
    "an impossible area of local views": (
        {"method": {"name": "swav", "prototypes": 100}, "views": {"local": {"count": 2, "area": [0.9, 0.2]}}},
        "views.local.area",
        "the smaller first",
    ),
    "more prototypes than images": ({"method": {"name": "swav"}, "batch_size": 256}, "method", "a queue of 3072"),
    "one image for all": ({"method": SIMCLR, "data": {"train": 1}}, "data.train", "write 1.0 for all"),
    "a queue that the batch does not divide": (
        {"method": {"name": "moco", "queue": 1000}, "batch_size": 256},
        "method",
        "no multiple of the 256 keys",
    ),
    "split batch norm that does not divide": (
        {"method": {"name": "moco", "bn_splits": 7, "queue": 512}, "batch_size": 256},
        "method",
        "bn_splits = 7 does not divide",
    ),
    "batch norm with a batch too small": (
        {"method": SIMCLR, "batch_size": 8},
        "batch_size",
        "batch norm sees 8 images at a time",
    ),
    "a frozen part in the optimizer": (
        {"method": {"name": "supervised", "train": "head"}, "optimizer": {"lr": {"layer4": 1e-5, "head": 1e-3}}},
        "optimizer.lr.layer4",
        "no trained part has this name",
    ),
    "an unknown part": (
        {"method": {"name": "supervised", "train": ["layer9"]}},
        "method.train",
        "'layer9' is no part of this network",
    ),
    "statistics of another data set than the weights'": (
        {
            "method": SIMCLR,
            "data": {"name": "cifar10"},
            "encoder": {"name": "resnet18", "stem": "imagenet", "weights": "imagenet"},
        },
        "data.normalise",
        "another data set than the weights' own",
    ),
    "imagenet weights on a cifar stem": (
        {"method": SIMCLR, "encoder": {"weights": "imagenet"}, "data": {"normalise": "weights"}},
        "encoder.stem",
        'made for stem = "imagenet"',
    ),
    "a plateau stepped by step": (
        {"method": {"name": "supervised"}, "schedule": {"name": "plateau", "per": "step"}},
        "schedule.per",
        "steps once an epoch",
    ),
    "a step schedule that never falls": (
        {"method": SIMCLR, "epochs": 10, "schedule": {"name": "step", "every": 30}},
        "schedule.every",
        "never falls",
    ),
    "a warm-up that never ends": (
        {"method": SIMCLR, "epochs": 5, "schedule": {"warmup": 10.0}},
        "schedule.warmup",
        "all of 5",
    ),
    "a metric that nobody measures": (
        {"method": SIMCLR, "early_stopping": {"patience": 3}},
        "early_stopping.metric",
        "'valid/top1' is not measured in this stage",
    ),
    "jitter without strength": ({"method": SIMCLR, "views": {"jitter": 0.8}}, "views.jitter", "changes nothing"),
    "strength without jitter": ({"method": SIMCLR, "views": {"hue": 0.1}}, "views.jitter", "never change"),
    "a range that falls": ({"method": SIMCLR, "views": {"area": [0.9, 0.2]}}, "views.area", "the smaller first"),
    "a range that falls in the second view": (
        {"method": SIMCLR, "views": {"second": {"area": [0.9, 0.1]}}},
        "views.second.area",
        "[0.9, 0.1] does not fit; it takes two numbers above 0, the smaller first",
    ),
    "jitter without strength in the second view": (
        {"method": SIMCLR, "views": {"second": {"jitter": 0.8}}},
        "views.jitter",
        "changes nothing",
    ),
    "crops larger than the data set's images": (
        {"method": SIMCLR, "data": {"name": "stl10"}, "views": {"crop": "scaled", "scale": [36, 44]}},
        "views.scale",
        "an image of 36 pixels holds no crop of 96",
    ),
    "crops larger than the images are kept": (
        {"method": SIMCLR, "data": {"size": 48}, "views": {"crop": "scaled"}},
        "views.scale",
        "holds no crop of 48",
    ),
    "crops larger than the scale": (
        {"method": SIMCLR, "views": {"crop": "scaled", "size": 64}},
        "views.scale",
        "holds no crop of 64",
    ),
    "crops larger than the padded image": (
        {"method": SIMCLR, "views": {"crop": "padded", "size": 64}},
        "views.padding",
        "take at least 16",
    ),
    "checkpoints by what nobody measures": (
        {"method": SIMCLR, "checkpoints": {"metric": "valid/acc"}},
        "checkpoints.metric",
        "'valid/acc' is measured in no stage",
    ),
    "kNN where the encoder does not move": (
        {"method": {"name": "supervised", "train": "head"}, "early_stopping": {"patience": 3, "metric": "knn/top1"}},
        "early_stopping.metric",
        "'knn/top1' is not measured in this stage",
    ),
    "kNN that is never looked at": (
        {"method": SIMCLR, "monitor": {"every": 0}, "checkpoints": {"metric": "health/rank"}},
        "checkpoints.metric",
        "is measured in no stage",
    ),
    "valid where there is none": (
        {"method": {"name": "supervised"}, "data": {"valid": 0}, "early_stopping": {"patience": 3}},
        "early_stopping.metric",
        "data.valid is 0",
    ),
    "a choice of numbers": (
        {"method": {"name": "simsiam", "projector_layers": 7}},
        "method.projector_layers",
        "7 is not one of 2, 3",
    ),
    "a method in capitals": (
        {"method": {"name": "SimCLR"}},
        "method.name",
        "'SimCLR' is no method; there are barlow_twins",
    ),
    "a batch without negatives": ({"method": SIMCLR, "batch_size": 1}, "method", "no other image to tell one from"),
    "a stem where there is none": (
        {"method": SIMCLR, "encoder": {"name": "conv4", "stem": "imagenet"}},
        "encoder.stem",
        "changes nothing",
    ),
    "dropout where there is none": (
        {"method": SIMCLR, "encoder": {"name": "resnet18", "dropout": 0.5}},
        "encoder.dropout",
        "changes nothing",
    ),
    "rates that decay where no layer learns": (
        {"method": {"name": "supervised", "train": "head"}, "optimizer": {"layer_decay": 0.75}},
        "optimizer.layer_decay",
        "changes nothing",
    ),
    "patches that do not divide a view": (
        {"method": SIMCLR, "encoder": {"name": "vit-tiny", "patch": 5}},
        "encoder.patch",
        "5 pixels do not divide a view of 32; say 4, or another size of views",
    ),
    "patches that do not divide local views": (
        {
            "method": {"name": "swav", "prototypes": 100},
            "encoder": {"name": "vit-tiny"},
            "views": {"local": {"count": 2, "size": 14}},
        },
        "encoder.patch",
        "4 pixels do not divide a view of 14",
    ),
    "patches where there are none": (
        {"method": SIMCLR, "encoder": {"name": "conv4", "patch": 4}},
        "encoder.patch",
        "changes nothing",
    ),
    "a class token where there is none": (
        {"method": SIMCLR, "encoder": {"name": "resnet18", "pool": "cls"}},
        "encoder.pool",
        "changes nothing",
    ),
    "paths to drop where there are none": (
        {"method": SIMCLR, "encoder": {"name": "resnet18", "drop_path": 0.1}},
        "encoder.drop_path",
        "changes nothing",
    ),
    "a stem beside patches": (
        {"method": SIMCLR, "encoder": {"name": "vit-tiny", "stem": "imagenet", "patch": 4}},
        "encoder.stem",
        "encoder.patch says",
    ),
    "imagenet weights of a vit": (
        {"method": SIMCLR, "encoder": {"name": "vit-tiny", "weights": "imagenet"}, "data": {"normalise": "weights"}},
        "encoder.weights",
        "there are no imagenet weights",
    ),
    "a vae whose latent has no width": (
        {"method": {"name": "vae"}, "encoder": {"name": "conv4"}},
        "encoder.features",
        "a vae's representation is as wide as its latent",
    ),
    "a side that no generator makes": (
        {"method": {"name": "gan"}, "views": {"crop": "resized", "size": 30}},
        "views.size",
        "not 30; take 32",
    ),
    "statistics that our own weights may not know": (
        {"method": SIMCLR, "encoder": {"weights": "last"}},
        "data.normalise",
        "may be of another data set than the weights' own",
    ),
    "weights whose statistics are not there": (
        {"method": SIMCLR, "data": {"normalise": "weights"}},
        "data.normalise",
        "name encoder.weights",
    ),
    "rates for a part that has none": (
        {"method": {"name": "supervised"}, "optimizer": {"lr": {"head": 0.1}}},
        "optimizer.lr",
        "says no rate for encoder",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_names(case: str) -> None:
    written, key, text = CASES[case]
    assert text in said(written)[key]


def test_errors_and_warnings_come_together() -> None:
    written = {"method": {"name": "moco", "queue": 1000}, "views": {"jitter": 0.8, "area": [0.9, 0.2]}}
    with pytest.raises(PresetError) as caught:
        check(presets.resolve(written), "mine.toml")
    assert {p.key for p in caught.value.problems} == {"method", "views.jitter", "views.area"}
    assert "mine.toml: views.area" in str(caught.value)


def test_a_warning_does_not_keep_a_preset_from_running() -> None:
    found = check(presets.resolve({"method": SIMCLR, "batch_size": 8}), "mine.toml")
    assert [problem.warning for problem in found] == [True]


PROBE = {"name": "probe", "method": {"name": "supervised", "train": "head"}}
PRETRAIN = {"name": "pretrain", "method": SIMCLR}


@pytest.mark.parametrize("metric", ["valid/top1", "knn/top1", "health/rank", "train/top1"])
def test_checkpoints_may_go_by_what_one_stage_measures(metric: str) -> None:
    assert said({"stage": [PRETRAIN, PROBE], "checkpoints": {"metric": metric}}) == {}


def test_an_image_folder_is_judged_without_being_opened() -> None:
    data = {"name": "image_folder", "folder": "photos"}
    assert said({"method": SIMCLR, "data": data, "encoder": {"name": "tinyvgg-a"}}) == {}


def test_a_vit_is_judged_by_what_is_known_of_sizes() -> None:
    data = {"name": "image_folder", "folder": "photos"}
    assert said({"method": SIMCLR, "data": data, "encoder": {"name": "vit-tiny", "patch": 7}}) == {}
    assert said({"method": SIMCLR, "encoder": {"name": "vit-tiny", "pool": "cls", "drop_path": 0.1}}) == {}


def test_a_size_that_nobody_knows_is_no_problem() -> None:
    data = {"name": "image_folder", "folder": "photos"}
    assert said({"method": SIMCLR, "data": data, "views": {"crop": "scaled", "scale": [9, 9]}}) == {}


def test_one_view_may_go_without_the_jitter_of_the_other() -> None:
    assert said({"method": SIMCLR, "views": {"jitter": 0.8, "hue": 0.1, "second": {"jitter": 0.0}}}) == {}
    assert said({"method": SIMCLR, "views": {"hue": 0.1, "second": {"jitter": 0.8}}}) == {}


def test_keys_of_one_stage_of_several_name_it() -> None:
    found = said(
        {"stage": [PRETRAIN, {**PROBE, "views": {"area": [0.9, 0.2]}, "part": "labeled"}], "data": {"labeled": 0}}
    )
    assert set(found) == {"stage.probe.views.area", "stage.probe.part"}


TOKENIZER = {"name": "tokens", "method": {"name": "tokenizer", "codes": 256}}


def guessing(*before: dict[str, Any], **said_of_beit: Any) -> dict[str, str]:
    stage = {"name": "pretrain", "method": {"name": "beit", **said_of_beit}}
    return said({"stage": [*before, stage], "encoder": {"name": "vit-micro"}})


class TestWhatAStageGoesOnWith:
    def test_is_missed_where_the_stage_before_did_not_learn_it(self) -> None:
        text = 'beit goes on with what tokenizer learned; put a stage with method = { name = "tokenizer" } right before'
        assert guessing()["method.name"].startswith(text)
        assert guessing({**TOKENIZER, "name": "early"}, PRETRAIN | {"name": "between"})[
            "stage.pretrain.method.name"
        ].startswith(text)

    def test_has_the_same_sizes(self) -> None:
        assert guessing(TOKENIZER, codes=512, width=64) == {
            f"stage.pretrain.method.{key}": f"{here} is not the {there} of stage tokens, from which this one takes the"
            " tokenizer over"
            for key, here, there in (("codes", 512, 256), ("width", 64, 128))
        }
        assert guessing(TOKENIZER, codes=256) == {}

    def test_is_not_judged_where_it_cannot_be_understood(self) -> None:
        assert list(guessing(TOKENIZER, codes="many")) == ["stage.pretrain.method.codes"]

    def test_needs_patches(self) -> None:
        found = said({"stage": [TOKENIZER], "encoder": {"name": "resnet18"}})
        assert found == {"encoder.name": "a tokenizer needs the patches of a vit; take one, as in vit-tiny"}


# ---------------------------------------------------------------- from a file


def said_of_file(tmp_path: Path, text: str, *assignments: str) -> dict[str, str]:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(PresetError) as caught:
        check_file(path, assignments)
    keys = [problem.key for problem in caught.value.problems]
    assert len(keys) == len(set(keys))
    return {problem.key: problem.text for problem in caught.value.problems}


def test_a_wrong_type_hides_no_other_problem(tmp_path: Path) -> None:
    text = """
    epochs = "many"
    seed = -1
    data = { name = "shape", train = 1 }
    views = { area = [0.9, 0.1], flip = 2, hue = 0.1 }
    checkpoints = { metric = "valid/acc" }
    method = { name = "simclr", temperatur = 0.1 }
    """
    assert set(said_of_file(tmp_path, text, "lr")) == {
        "lr", "epochs", "seed", "data.name", "data.train", "views.area", "views.flip", "views.jitter",
        "method.temperatur",
    }  # fmt: skip


def test_each_stage_is_judged_where_another_is_broken(tmp_path: Path) -> None:
    text = """
    [[stage]]
    name = "pretrain"
    epochs = 0
    method = { name = "moco", queue = 1000 }
    [[stage]]
    name = "probe"
    method = { name = "supervised", train = ["layer9"] }
    """
    assert set(said_of_file(tmp_path, text)) == {
        "stage.pretrain.epochs",
        "stage.pretrain.method",
        "stage.probe.method.train",
    }


STANDING_IN = {
    "the batch": 'batch_size = "1000"\nmethod = { name = "moco", queue = 1000 }',
    "the network": 'encoder = { name = "conv3" }\nmethod = { name = "supervised", train = ["layer9"] }',
    "the data set": 'data = { name = 3, folder = "photos" }\nmethod = { name = "simclr" }',
    "the images' size": 'data.size = 0\nviews = { crop = "scaled", scale = [8, 8] }\nmethod = { name = "simclr" }',
    "the epochs": 'epochs = 0\nmethod = { name = "simclr" }\nschedule = { name = "cosine", warmup = 200 }',
    "the weights": 'encoder = { weights = 3 }\nmethod = { name = "simclr" }\ndata = { normalise = "weights" }',
    "the view": 'views = { size = "8", crop = "scaled", scale = [8, 8] }\nmethod = { name = "simclr" }',
    "the watch": 'monitor = { every = -1 }\nmethod = { name = "simclr" }\ncheckpoints = { metric = "valid/acc" }',
    "the method": 'method = "simclr"',
    "the stages": '[stage]\nname = "probe"\nmethod = { name = "supervised" }',
    "the rate": 'method = { name = "supervised", train = "head" }\noptimizer = { lr = { head = -1 } }',
}  # fmt: skip


@pytest.mark.parametrize("case", STANDING_IN)
def test_nothing_is_said_that_rests_on_a_default_standing_in(case: str, tmp_path: Path) -> None:
    assert len(said_of_file(tmp_path, STANDING_IN[case])) == 1


def test_a_good_file_gives_the_preset_and_its_warnings(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('method = { name = "simclr" }\n')
    preset, found = check_file(path, ["batch_size=8"])
    assert preset == presets.load(path, ["batch_size=8"])
    assert [(problem.key, problem.warning) for problem in found] == [("batch_size", True)]
