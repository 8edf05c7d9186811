"""Training: what a run holds when it ends, however it ends."""

from __future__ import annotations

import json
import math
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from staging import in_training
from torch.utils._python_dispatch import TorchDispatchMode

from sslterm import methods, presets
from sslterm.data.open import open_dataset
from sslterm.engine import chance, parts, step
from sslterm.engine.checkpoint import open_checkpoint
from sslterm.engine.progress import Progress
from sslterm.engine.retention import best_of
from sslterm.engine.stage import build_method, facts_of
from sslterm.engine.train import Diverged, train
from sslterm.engine.weights import Normalisation, settled
from sslterm.runs import Run, RunError, checkpoints, metrics
from sslterm.runs.create import create
from sslterm.runs.files import read_json, sha256

SMALL: dict[str, Any] = {
    "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32, "labeled": 0.5},
    "encoder": {"name": "tinyvgg-a"},
    "monitor": {"log_every": 2, "bank": 64, "queries": 32},
    "epochs": 2,
    "batch_size": 32,
}
SIMCLR = {"name": "simclr"}
PROBE = {"name": "supervised", "train": "head"}
TWO_STAGES = [{"name": "pretrain", "method": SIMCLR}, {"name": "probe", "part": "labeled", "method": PROBE}]


def test_local_views_are_seen_behind_the_others(
    runs_dir: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides: list[list[int]] = []
    kind = methods.find("swav")
    forward = kind.forward
    monkeypatch.setattr(
        kind, "forward", lambda self, seen: sides.append([view.shape[-1] for view in seen.views]) or forward(self, seen)
    )
    views = {"crop": "resized", "local": {"count": 3, "area": [0.1, 0.4]}}
    method = {"name": "swav", "prototypes": 8, "hidden_dim": 16, "projection_dim": 8}
    run = run_of(runs_dir, {**SMALL, "encoder": {"name": "conv4"}, "views": views, "method": method, "epochs": 1})
    train(run, device="cpu", data_dir=data_dir)
    assert sides == [[16, 16, 8, 8, 8]] * 4


def run_of(runs_dir: Path, written: dict[str, Any], name: str = "a") -> Run:
    source = runs_dir / "source.toml"
    source.parent.mkdir(exist_ok=True)
    source.write_text("")
    return create(runs_dir, presets.resolve(written), source=source, name=name)


def trained(runs_dir: Path, data_dir: Path, written: dict[str, Any], name: str = "a", **more: Any) -> Run:
    run = run_of(runs_dir, written, name)
    train(run, device="cpu", data_dir=data_dir, progress=Progress(), **more)
    return run


def again(run: Run, data_dir: Path, **more: Any) -> None:
    train(run, device="cpu", data_dir=data_dir, progress=Progress(), **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Run:
    """A run that has finished both of its stages."""
    written = {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}
    return trained(tmp_path_factory.mktemp("runs"), data_dir, {**written, "stage": TWO_STAGES})


class TestAFinishedRun:
    def test_says_so(self, run: Run) -> None:
        assert (run.status()["state"], run.status()["exit"]) == ("finished", 0)

    def test_keeps_the_end_of_each_stage(self, run: Run) -> None:
        ended = [c.file for c in checkpoints.listed(run) if c.ended]
        assert ended == ["pretrain-0002.pt", "probe-0002.pt"]
        assert checkpoints.pointer(run, "latest") == {"file": "probe-0002.pt"}

    def test_points_at_the_best_of_each_stage_by_its_own_metric(self, run: Run) -> None:
        best = checkpoints.pointer(run, "best")
        assert best["pretrain"]["metric"] == "knn/top1"
        assert best["probe"]["metric"] == "valid/top1"
        rows = [row for row in metrics.read(run.metrics) if row["stage"] == "probe" and "valid/top1" in row]
        assert best["probe"]["value"] == max(row["valid/top1"] for row in rows)

    def test_logs_the_health_of_the_representation_each_epoch(self, run: Run) -> None:
        rows = [row for row in metrics.read(run.metrics) if row["stage"] == "pretrain" and "knn/top1" in row]
        assert len(rows) == 2
        wanted = {"health/std", "health/std_healthy", "health/rank", "health/alignment", "health/uniformity"}
        assert wanted <= set(rows[0])

    def test_counts_steps_through_all_stages(self, run: Run) -> None:
        steps = [row["step"] for row in metrics.read(run.metrics)]
        assert steps == sorted(steps)
        assert steps[-1] == 2 * 4 + 2 * 2  # 128 images, then the labeled 64, in batches of 32

    def test_keeps_its_splits_and_its_environment(self, run: Run) -> None:
        assert run.splits.is_file()
        attempt = read_json(run.path / "env.json")["attempts"][0]
        assert torch.__version__.startswith(attempt["packages"]["torch"])
        assert set(attempt["precision"]) == {"pretrain", "probe"}

    def test_writes_tensorboard_events(self, run: Run) -> None:
        assert next((run.path / "tensorboard").iterdir()).name.startswith("events")

    def test_its_normalisation_travels_with_the_checkpoint(self, run: Run, data_dir: Path) -> None:
        state = open_checkpoint(run, checkpoints.listed(run)[-1])
        dataset = open_dataset(run.preset().data, None, data_dir)
        assert state["normalisation"] == {"mean": list(dataset.mean), "std": list(dataset.std), "of": "shapes"}

    def test_resuming_it_trains_nothing(self, run: Run, data_dir: Path) -> None:
        before = (run.checkpoints / "probe-0002.pt").read_bytes()
        again(run, data_dir)
        assert (run.checkpoints / "probe-0002.pt").read_bytes() == before

    def test_the_probe_left_the_encoder_alone(self, run: Run) -> None:
        first, last = (open_checkpoint(run, c)["method"] for c in checkpoints.listed(run) if c.ended)
        for key, value in last.items():
            if key.startswith("encoder."):
                assert torch.equal(value, first[key])


class TestMoreEpochs:
    def test_the_last_stage_goes_on_from_where_it_ended(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        run = trained(runs_dir, data_dir, {**small, "stage": TWO_STAGES})
        again(run, data_dir, more_epochs=3)
        assert run.preset().stage[-1].epochs == 5
        assert checkpoints.listed(run)[-1].file == "probe-0005.pt"
        assert run.status()["state"] == "finished"

    def test_without_a_schedule_it_equals_training_longer_at_once(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small["method"] = SIMCLR
        short = trained(runs_dir, data_dir, {**small, "epochs": 1}, "short")
        again(short, data_dir, more_epochs=1)
        long = trained(runs_dir, data_dir, {**small, "epochs": 2}, "long")
        ours, theirs = (open_checkpoint(run, checkpoints.listed(run)[-1])["method"] for run in (short, long))
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


class TestWhatIsKept:
    def test_every_so_many_the_best_and_the_last(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        small.update(epochs=7, method={"name": "supervised"}, checkpoints={"every": 3, "best": 2})
        run = trained(runs_dir, data_dir, small)
        rows = [(row["valid/top1"], -row["step"]) for row in metrics.read(run.metrics) if "valid/top1" in row]
        best = {-step // 4 for _, step in sorted(rows, reverse=True)[:2]}
        assert {c.epoch for c in checkpoints.listed(run)} == {3, 6, 7} | best

    def test_of_equals_the_earlier_is_best(self) -> None:
        assert best_of([(0.5, "a"), (0.7, "b"), (0.7, "c")], "valid/top1", 1) == [(0.7, "b")]
        assert best_of([(0.5, "a"), (0.7, "b")], "valid/loss", 1) == [(0.5, "a")]


class TestStages:
    def test_the_head_is_handed_on_from_phase_to_phase(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small["epochs"] = 1
        small["stage"] = [
            {"name": "head", "method": PROBE},
            {"name": "more", "method": {"name": "supervised", "train": ["layer5", "head"]}, "optimizer": {"lr": 1e-9}},
        ]
        run = trained(runs_dir, data_dir, small)
        first, second = (open_checkpoint(run, c)["method"] for c in checkpoints.listed(run))
        torch.testing.assert_close(first["head.weight"], second["head.weight"], atol=1e-6, rtol=0)

    def test_a_head_for_turns_is_not_handed_on(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        small["stage"] = [{"name": "turn", "method": {"name": "rotation"}}, {"name": "probe", "method": PROBE}]
        run = trained(runs_dir, data_dir, small)
        assert open_checkpoint(run, checkpoints.listed(run)[-1])["method"]["head.weight"].shape[0] == 10

    def test_labels_reach_only_methods_that_may_look(self, small: dict[str, Any], data_dir: Path) -> None:
        blind, seeing = (in_training({**small, "stage": TWO_STAGES}, data_dir, index) for index in (0, 1))
        places = torch.tensor([5, 2, 7])
        assert (step.batch_of(blind, (), places).labels == -1).all()
        labels = seeing.subject.dataset.labels[seeing.indices[places]]
        assert torch.equal(step.batch_of(seeing, (), places).labels, labels)

    def test_a_run_of_ours_gives_its_encoder(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        giver = trained(runs_dir, data_dir, {**small, "method": SIMCLR}, "giver")
        small.update(method=PROBE, epochs=1, encoder={"name": "tinyvgg-a", "weights": "giver"})
        small["data"]["normalise"] = "weights"
        taker = trained(runs_dir, data_dir, small, "taker")
        given = open_checkpoint(giver, checkpoints.chosen(giver, "best")[0])
        taken = open_checkpoint(taker, checkpoints.listed(taker)[-1])
        key = "encoder.layer1.0.weight"
        assert torch.equal(given["method"][key], taken["method"][key])
        assert given["normalisation"] == taken["normalisation"]

    def test_an_encoder_of_another_kind_is_refused(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1}, "giver")
        small.update(method=PROBE, encoder={"name": "tinyvgg-b", "weights": "giver"})
        with pytest.raises(RunError, match="the checkpoint holds tinyvgg-a"):
            trained(runs_dir, data_dir, small, "taker")


class TestEarlyStopping:
    def test_a_stage_ends_when_patience_is_over(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        small.update(epochs=50, method={"name": "supervised"}, optimizer={"name": "sgd", "lr": 1e-12})
        small["early_stopping"] = {"patience": 2}
        run = trained(runs_dir, data_dir, small)
        last = checkpoints.listed(run)[-1]
        assert (last.epoch, last.ended) == (4, True)
        again(run, data_dir)
        assert checkpoints.listed(run)[-1].epoch == 4
        again(run, data_dir, more_epochs=46)  # 50 in all, as first planned: asked for by hand, so patience is over
        assert checkpoints.listed(run)[-1].epoch == 50


class TestTrouble:
    def test_a_loss_that_is_no_number_stops_the_stage_and_says_where(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small.update(epochs=9, method={"name": "supervised"}, optimizer={"name": "sgd", "lr": 1e25})
        run = run_of(runs_dir, small)
        with pytest.raises(Diverged, match=r"the loss became (nan|inf) at step \d+ of epoch 1 of stage supervised"):
            again(run, data_dir)
        assert run.status()["state"] == "failed"
        assert "the loss became" in run.status()["reason"]
        rows = [row for row in metrics.read(run.metrics) if "step/loss" in row]
        assert all(math.isfinite(float(row["step/loss"])) for row in rows)
        assert checkpoints.listed(run) == []

    def test_the_last_good_checkpoint_stays(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        small.update(epochs=4, method={"name": "supervised"})
        small["schedule"] = {"name": "constant", "warmup": 2.0}
        run = trained(runs_dir, data_dir, {**small, "epochs": 1, "schedule": {"name": "constant"}})
        preset = run.preset()
        wild = preset.stage[0].model_copy(update={"optimizer": presets.Optimizer(lr=1e25), "epochs": 3})
        (run.path / "resolved.toml").write_text(presets.dump(preset.model_copy(update={"stage": (wild,)})))
        described = checkpoints.listed(run)[0]
        path = run.checkpoints / described.file
        kept = torch.load(path, weights_only=True)
        for group in kept["optimizer"]["param_groups"]:
            group["base_lr"] = 1e25
        torch.save(kept, path)
        described = replace(described, size=path.stat().st_size, sha256=sha256(path), ended=False)
        checkpoints.describe(run.checkpoints, described)
        with pytest.raises(Diverged, match=r"supervised-0001\.pt is the last good checkpoint"):
            again(run, data_dir)
        assert [c.file for c in checkpoints.listed(run)] == ["supervised-0001.pt"]

    def test_a_batch_larger_than_the_part_is_a_sentence(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small.update(batch_size=1000, method=SIMCLR)
        with pytest.raises(RunError, match="1000 is more than the 128 images of part 'train'; make it smaller"):
            trained(runs_dir, data_dir, small)

    def test_damaged_splits_are_drawn_again_the_same(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        run = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1})
        dataset = open_dataset(run.preset().data, None, data_dir)
        before = parts.kept(run, dataset)
        run.splits.write_bytes(run.splits.read_bytes()[:50])
        again(run, data_dir, more_epochs=1)
        after = parts.kept(run, dataset)
        assert all(torch.equal(before[name], after[name]) for name in before)


class TestViewsAndOrder:
    def test_valid_and_test_images_are_never_trained_on(self, small: dict[str, Any], data_dir: Path) -> None:
        stage = in_training({**small, "method": SIMCLR}, data_dir)
        parts = stage.subject.parts
        seen = set(stage.indices[torch.cat(step.epoch_order(stage))].tolist())
        assert seen <= set(parts["train"].tolist())
        assert not seen & {*parts["valid"].tolist(), *parts["test"].tolist()}

    def test_each_epoch_has_its_own_order(self) -> None:
        indices = torch.arange(64)
        orders = [chance.shuffled(indices, 0, "order", 0, epoch) for epoch in range(3)]
        assert len({tuple(order.tolist()) for order in orders}) == 3


def test_the_rows_are_strict_json(small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    run = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1})

    def refuse(word: str) -> float:
        raise AssertionError(word)

    for path in run.metrics.iterdir():
        for line in path.read_text().splitlines():
            json.loads(line, parse_constant=refuse)


class TestAStep:
    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "lars"])
    def test_never_waits_for_the_device(self, optimizer: str, small: dict[str, Any], data_dir: Path) -> None:
        views = {"crop": "resized", "flip": 0.5, "jitter": 0.8, "hue": 0.1, "gray": 0.2, "blur": 0.5, "rotate": 10.0}
        small.update(views=views, method={"name": "byol", "hidden_dim": 16}, optimizer={"name": optimizer, "lr": 1e-3})
        stage = in_training(small, data_dir)
        steps = step.steps_left(stage)
        step.one_step(stage, *next(steps))  # the first one may look at the hardware
        with NoWaiting():
            step.one_step(stage, *next(steps))
        assert stage.meter.waiting == 2


class NoWaiting(TorchDispatchMode):
    """Fails where a network's output or gradient is asked for its value. The views' draws, made on the CPU from the
    CPU's own numbers, may be."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            caller = "".join(line.filename for line in traceback.extract_stack())
            assert "sslterm/data/views/" in caller, "a step waits for the device"
        return func(*args, **(kwargs or {}))


def test_streamed_images_train_as_cached_ones_do(
    small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    folder_of_images(tmp_path / "photos", 48, size=20)
    ends = []
    for way in ("always", "never"):
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "photos"), "size": 16, "stream": way}
        run = trained(runs_dir, data_dir, {**small, "batch_size": 16, "epochs": 1, "method": SIMCLR}, way)
        ends.append(open_checkpoint(run, checkpoints.listed(run)[-1])["method"])
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[1])


def folder_of_images(folder: Path, count: int, size: int = 16) -> None:
    """Noise in two classes."""
    generator = torch.Generator().manual_seed(0)
    for place in range(count):
        home = folder / f"kind{place % 2}"
        home.mkdir(parents=True, exist_ok=True)
        pixels = torch.randint(0, 256, (size, size, 3), generator=generator, dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(home / f"{place:03}.png")


class TestViewSize:
    def test_training_and_evaluation_see_images_of_the_stages_own_size(
        self, small: dict[str, Any], data_dir: Path
    ) -> None:
        small.update(views={"size": 24}, method=SIMCLR)
        stage = in_training(small, data_dir)
        images = next(iter(stage.subject.dataset.batches([stage.indices[:4]], stage.subject.device)))
        assert images.shape == (4, 3, 16, 16)
        assert stage.views[0](images, torch.Generator()).shape == stage.plain(images).shape == (4, 3, 24, 24)

    def test_a_folder_is_kept_at_the_largest_size_of_all_stages(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
    ) -> None:
        folder_of_images(tmp_path / "photos", 48)
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "photos")}
        small.update(batch_size=16, epochs=1)
        small["stage"] = [
            {"name": "small", "method": SIMCLR, "views": {"size": 8}},
            {"name": "large", "method": SIMCLR, "views": {"size": 12}},
        ]
        run = trained(runs_dir, data_dir, small)
        assert run.status()["state"] == "finished"
        assert open_dataset(run.preset().data, 12, data_dir).size == 12


class TestForesight:
    def test_a_later_stage_that_cannot_train_is_refused_before_the_first(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small["stage"] = [
            {"name": "pretrain", "method": SIMCLR},
            {"name": "probe", "method": PROBE, "batch_size": 5000},
        ]
        with pytest.raises(RunError, match=r"stage\.probe\.batch_size: 5000 is more than the 128 images"):
            trained(runs_dir, data_dir, small)

    def test_a_stage_that_needs_labels_is_refused_where_there_are_none(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
    ) -> None:
        folder_of_images(tmp_path / "x", 48)
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "x" / "kind0"), "size": 16, "valid": 0}
        small.update(batch_size=16, stage=[{"name": "a", "method": SIMCLR}, {"name": "b", "method": PROBE}])
        with pytest.raises(RunError, match=r"stage\.b: supervised needs labels, and image_folder has none"):
            trained(runs_dir, data_dir, small)

    def test_patches_that_do_not_fit_a_folders_images_are_refused(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
    ) -> None:
        folder_of_images(tmp_path / "photos", 48)
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "photos"), "size": 18}
        small.update(batch_size=16, method=SIMCLR, encoder={"name": "vit-micro"})
        with pytest.raises(presets.PresetError, match=r"encoder\.patch: 4 pixels do not divide a view of 18; say 3"):
            trained(runs_dir, data_dir, small)

    def test_images_without_labels_are_left_out_of_supervised_training(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
    ) -> None:
        folder_of_images(tmp_path / "photos", 60)
        for path in sorted((tmp_path / "photos" / "kind0").iterdir())[:8]:
            path.rename(tmp_path / "photos" / path.name)  # beside the class folders: no label
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "photos"), "size": 16, "valid": 0}
        small.update(batch_size=8, epochs=1, method={"name": "supervised"})
        run = trained(runs_dir, data_dir, small)
        assert run.status()["state"] == "finished"


class TestWhatAStageBeginsWith:
    def test_a_teacher_is_a_copy_of_what_the_student_begins_with(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        run = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1})
        left = open_checkpoint(run, checkpoints.listed(run)[-1])
        written = {**small, "stage": [{"name": "a", "method": SIMCLR}, {"name": "b", "method": {"name": "byol"}}]}
        preset = presets.resolve(written)
        dataset = open_dataset(preset.data, None, data_dir)
        state = build_method(
            preset, 1, facts_of(preset, 1, dataset, 9, Normalisation.of_checkpoint(left)), left
        ).state_dict()
        for key in left["method"]:
            if key.startswith("encoder."):
                assert torch.equal(state[key], left["method"][key])
                assert torch.equal(state[f"teacher.copies.0.{key.removeprefix('encoder.')}"], left["method"][key])

    def test_each_stage_has_its_own_precision(self, small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
        small["stage"] = [
            {**stage, "precision": name} for stage, name in zip(TWO_STAGES, ("bf16", "fp32"), strict=True)
        ]
        run = trained(runs_dir, data_dir, small)
        said = [open_checkpoint(run, c)["precision"] for c in checkpoints.listed(run) if c.ended]
        assert said == ["bf16", "fp32"]

    def test_looks_between_epochs_are_exact_in_bf16_too(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        small.update(precision="bf16", method=SIMCLR, views={"crop": "resized", "blur": 0.5}, epochs=1)
        assert trained(runs_dir, data_dir, small).status()["state"] == "finished"


class TestChangedSurroundings:
    def test_other_images_than_the_splits_were_drawn_for_are_refused(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path, tmp_path: Path
    ) -> None:
        folder_of_images(tmp_path / "photos", 48)
        small["data"] = {"name": "image_folder", "folder": str(tmp_path / "photos"), "size": 16}
        run = trained(runs_dir, data_dir, {**small, "batch_size": 16, "epochs": 1, "method": SIMCLR})
        for path in sorted((tmp_path / "photos" / "kind0").iterdir())[:5]:
            path.unlink()
        with pytest.raises(RunError, match="are not those that its splits were drawn for"):
            again(run, data_dir, more_epochs=1)
        assert run.preset().stage[0].epochs == 1  # a failed try adds nothing

    def test_where_every_checkpoint_is_damaged_nothing_is_overwritten(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        run = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1})
        for checkpoint in checkpoints.listed(run):
            (run.checkpoints / checkpoint.file).write_bytes(b"cut")
        with pytest.raises(RunError, match="no checkpoint of this run can be loaded"):
            again(run, data_dir)
        assert [path.read_bytes() for path in run.checkpoints.glob("*.pt")] == [b"cut"]

    def test_weights_are_pinned_to_a_checkpoint_before_the_run_is_made(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        giver = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1}, "giver")
        wanted = presets.resolve({**small, "method": PROBE, "encoder": {"name": "tinyvgg-a", "weights": "last"}})
        pinned = settled(wanted, runs_dir).encoder.weights
        assert pinned == str((giver.checkpoints / "simclr-0001.pt").resolve())

    def test_a_resumed_run_needs_the_weights_it_began_with_no_more(
        self, small: dict[str, Any], runs_dir: Path, data_dir: Path
    ) -> None:
        giver = trained(runs_dir, data_dir, {**small, "method": SIMCLR, "epochs": 1}, "giver")
        small.update(method=PROBE, epochs=1, encoder={"name": "tinyvgg-a", "weights": "giver"})
        taker = trained(runs_dir, data_dir, small, "taker")
        giver.path.rename(giver.path.with_name("moved"))
        again(taker, data_dir, more_epochs=1)
        assert checkpoints.listed(taker)[-1].epoch == 2


def test_the_logged_rate_is_the_one_that_was_used(small: dict[str, Any], runs_dir: Path, data_dir: Path) -> None:
    small.update(method=SIMCLR, epochs=1, schedule={"name": "cosine", "per": "step"}, monitor={"log_every": 1})
    run = trained(runs_dir, data_dir, {**small, "optimizer": {"name": "sgd", "lr": 1.0}})
    rates = [row["optimizer/lr"] for row in metrics.read(run.metrics) if "optimizer/lr" in row]
    assert rates == pytest.approx([0.5 * (1 + math.cos(math.pi * step / 4)) for step in range(4)])
