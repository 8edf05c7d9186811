"""Evaluation: what a checkpoint knows of images that it was not trained on. One question, one answer, kept in the run.

Images are seen as training saw valid ones: the normalisation and the view come out of the checkpoint and the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslterm.data.open import open_dataset
from sslterm.data.views import PlainView
from sslterm.engine import chance, parts, predictions, tta
from sslterm.engine.checkpoint import DamagedCheckpoint, load, open_checkpoint
from sslterm.engine.device import PrecisionName, pick_device, pick_precision, prepare, reckoning
from sslterm.engine.features import outputs
from sslterm.engine.knn import knn_probabilities
from sslterm.engine.linear import WEIGHT_DECAYS, LinearProbe, fit_linear
from sslterm.engine.scores import scores
from sslterm.engine.stage import build_method, facts_of, largest_view, plain_view
from sslterm.engine.weights import Normalisation
from sslterm.methods import Facts, Method
from sslterm.runs import Run, RunError, RunNotFound, checkpoints, evaluations, files
from sslterm.runs.checkpoints import Checkpoint

PROTOCOLS = ("head", "knn", "linear")


@dataclass(frozen=True)
class Question:
    """What is asked of every chosen checkpoint."""

    protocol: str | None = None
    """head, knn or linear; None: head where there is one, else linear."""
    tta: bool = False
    scales: tuple[int, ...] = ()
    split: str = "test"


def evaluate(
    run: Run,
    wanted: str,
    question: Question,
    *,
    device: str,
    data_dir: Path,
    say: Callable[[str], None],
    progress: Callable[[str, int], Callable[[int], object]],
) -> Iterator[list[dict[str, Any]]]:
    """The answers for each chosen checkpoint: the plain one, and the one with test-time augmentation where asked for.

    `progress(title, images)` gives a function that is told how many more images are done. Raises RunError,
    RunNotFound, DataError, ValueError with a sentence.
    """
    run.info()
    asked = chosen(run, wanted)
    examiner = Examiner(run, pick_device(device), data_dir, progress)
    answered = 0
    for checkpoint in asked:
        try:
            examined = examiner.open(checkpoint, say)
        except DamagedCheckpoint as error:
            if len(asked) == 1:
                raise
            say(f"{error}; left out")  # a run in training also deletes what it no longer keeps
            continue
        answered += 1
        yield [examined.answer(version) for version in _versions(question)]
    if not answered:
        raise RunError(f"{run.path}: none of its checkpoints can be loaded")


def _versions(question: Question) -> list[Question]:
    """The plain question first, then flip, then flip at every scale, as far as they are asked for."""
    versions = [replace(question, tta=False, scales=())]
    if question.tta:
        versions.append(replace(question, scales=()))
    if question.scales:
        versions.append(replace(question, tta=True))
    return versions


def chosen(run: Run, wanted: str) -> list[Checkpoint]:
    """The checkpoints that words mean, or the one at a path. Raises RunNotFound, DamagedCheckpoint."""
    path = Path(wanted)
    if path.suffix != ".pt" or (path.parent == Path() and not path.is_file()):
        return checkpoints.chosen(run, wanted)
    if not path.is_file():
        raise RunNotFound(f"{wanted}: no such checkpoint")
    if path.resolve().parent != run.checkpoints.resolve():
        path, state = path.resolve(), load(path)
        return [
            Checkpoint(
                file=str(path), stage=state["stage"], stage_index=state["stage_index"], epoch=state["epoch"],
                step=state["step"], total_steps=state["total_steps"], ended=state["ended"], time=path.stat().st_mtime,
                size=path.stat().st_size, sha256=files.sha256(path),
            )
        ]  # fmt: skip
    return checkpoints.chosen(run, path.name)


def state_of(run: Run, checkpoint: Checkpoint) -> dict[str, Any]:
    """What a chosen checkpoint holds. Raises DamagedCheckpoint."""
    return load(Path(checkpoint.file)) if "/" in checkpoint.file else open_checkpoint(run, checkpoint)


class Examiner:
    """Opens a run's data once for all the checkpoints that are asked."""

    def __init__(
        self,
        run: Run,
        device: torch.device,
        data_dir: Path,
        progress: Callable[[str, int], Callable[[int], object]],
    ) -> None:
        self.run, self.device, self.progress = run, device, progress
        prepare(device)
        self.preset = run.preset()
        self.dataset = open_dataset(self.preset.data, largest_view(self.preset), data_dir)
        self.parts = parts.kept(run, self.dataset)

    def open(self, checkpoint: Checkpoint, say: Callable[[str], None]) -> Examined:
        """A checkpoint with its method, ready to be asked. Raises RunError."""
        state = state_of(self.run, checkpoint)
        if state["stage_index"] >= len(self.preset.stage):
            raise RunError(f"{checkpoint.file}: is of a stage that {self.run.path} does not have")
        if list(state["classes"]) != list(self.dataset.classes):
            raise RunError(f"{checkpoint.file}: was trained on other classes than those of {self.dataset.name}")
        if state["data"]["fingerprint"] != self.dataset.fingerprint:
            say(f"{checkpoint.file}: {self.dataset.name} has changed since this was trained")
        return Examined(self, checkpoint, state)


class Examined:
    """One checkpoint under examination; features are made once for all the questions that need them."""

    def __init__(self, examiner: Examiner, checkpoint: Checkpoint, state: dict[str, Any]) -> None:
        self.examiner, self.checkpoint, self.state = examiner, checkpoint, state
        self._passes: dict[tuple[Any, ...], Tensor] = {}

    @cached_property
    def method(self) -> Method:
        """The method as it was in the checkpoint."""
        examiner = self.examiner
        method = build_method(examiner.preset, self.state["stage_index"], self._facts, self.state)
        try:
            method.load_state_dict(self.state["method"])
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise RunError(f"{self.checkpoint.file}: does not fit the run's preset ({reason})") from None
        return method.to(self.examiner.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def _facts(self) -> Facts:
        """What the method was told when it was trained."""
        index, normal = self.state["stage_index"], Normalisation.of_checkpoint(self.state)
        known = facts_of(self.examiner.preset, index, self.examiner.dataset, 0, normal)
        # Only methods that came later ask how many images there were; a checkpoint of before does not say.
        return replace(known, images=self.state.get("images", 0))

    @cached_property
    def precision(self) -> PrecisionName:
        """That of training; on another kind of device, what suits it."""
        device = self.examiner.device
        same = self.state["device"] == device.type
        return self.state["precision"] if same else pick_precision("auto", device).name

    @cached_property
    def view(self) -> PlainView:
        """Images as this checkpoint knows them."""
        normalisation = Normalisation.of_checkpoint(self.state)
        return plain_view(self.examiner.preset, self.state["stage_index"], self.examiner.dataset, normalisation)

    # -------------------------------------------------------- one answer

    def answer(self, question: Question) -> dict[str, Any]:
        """The answer to a question: from the run where it was asked before, else worked out and kept."""
        protocol = question.protocol or ("head" if self.method.classifies() else "linear")
        if protocol == "head" and not self.method.classifies():
            name = self.state["method_name"]
            raise RunError(
                f"--protocol head: {self.checkpoint.file} ({name}) has no classifier; use --protocol linear or knn"
            )
        dataset, run = self.examiner.dataset, self.examiner.run
        indices = self._asked(question.split)
        asked = {
            "file": Path(self.checkpoint.file).name,
            "sha256": self.checkpoint.sha256,
            "protocol": protocol,
            "tta": {"flip": True, "scales": list(question.scales)} if question.tta else None,
            "split": question.split,
            "data": dataset.fingerprint,
            "seed": self.examiner.preset.seed,
            "device": self.examiner.device.type,
            "precision": self.precision,
        }
        before = evaluations.answered(run, asked)
        if before:
            return before
        began = time.monotonic()
        probabilities, labels = self._probabilities(protocol, question, indices), dataset.labels[indices]
        answer = {
            "run": run.name,
            "checkpoint": {
                "file": asked["file"],
                "sha256": self.checkpoint.sha256,
                "stage": self.checkpoint.stage,
                "epoch": self.checkpoint.epoch,
            },
            "protocol": protocol,
            "tta": asked["tta"],
            "split": question.split,
            "n": len(indices),
            "classes": list(dataset.classes),
            **scores(probabilities, labels, dataset.classes),
            "learned_from": None if protocol == "head" else len(self._bank()),
            "probe": self._probe_facts() if protocol == "linear" else None,
            "time": time.time(),
            "seconds": time.monotonic() - began,
        }
        said = predictions.writer(predictions.of(probabilities, labels, indices))
        return evaluations.keep(run, asked, answer, said)

    def _asked(self, split: str) -> Tensor:
        indices = self.examiner.parts[split]
        indices = indices[self.examiner.dataset.labels[indices] >= 0]
        if not len(indices):
            raise RunError(f"--split {split}: {self.examiner.run.path} has no labelled {split} images")
        return indices

    def _probabilities(self, protocol: str, question: Question, indices: Tensor) -> Tensor:
        """float32 (N, classes), with whatever augmentation the question asks for."""

        def predict(flip: bool, scale: int | None) -> Tensor:
            if protocol == "head":
                return self._seen("logits", indices, flip, scale).softmax(1)
            features = self._compared(indices, flip, scale)
            said = self._vote(features) if protocol == "knn" else self.probe.probabilities(features)
            return said.cpu()

        return tta.predicted(predict, question.tta, question.scales)

    # -------------------------------------------------------- what the protocols need

    @cached_property
    def probe(self) -> LinearProbe:
        """The linear probe of this checkpoint, trained on train and chosen on valid (or on a tenth of train)."""
        train, valid = self._bank(), self.examiner.parts["valid"]
        if not len(valid):
            mixed = chance.shuffled(train, self.examiner.preset.seed, "probe")
            held_out = max(len(mixed) // 10, 1)
            valid, train = mixed[:held_out].sort().values, mixed[held_out:].sort().values
        labels = self.examiner.dataset.labels
        classes = len(self.examiner.dataset.classes)
        bars = self.examiner.progress("linear probe", len(WEIGHT_DECAYS))
        return fit_linear(
            self._compared(train),
            labels[train],
            self._compared(valid),
            labels[valid],
            classes,
            progress=bars,
        )

    def _probe_facts(self) -> dict[str, Any]:
        return {"weight_decay": self.probe.weight_decay, "valid_top1": self.probe.valid_top1}

    def _bank(self) -> Tensor:
        """The labelled training images."""
        train = self.examiner.parts["train"]
        train = train[self.examiner.dataset.labels[train] >= 0]
        if not len(train):
            raise RunError(f"{self.examiner.run.path}: has no labelled training images for this protocol")
        return train

    def _vote(self, queries: Tensor) -> Tensor:
        bank = self._bank()
        dataset = self.examiner.dataset
        return knn_probabilities(self._compared(bank), dataset.labels[bank], queries, len(dataset.classes))

    def features(self, indices: Tensor) -> Tensor:
        """The representation of images as this checkpoint knows them: float32 (n, D) on the CPU."""
        return self._seen("features", indices)

    def _compared(self, indices: Tensor, flip: bool = False, scale: int | None = None) -> Tensor:
        """The same, where it is quickly compared."""
        return self._seen("features", indices, flip, scale).to(reckoning(self.examiner.device))

    def _seen(self, what: str, indices: Tensor, flip: bool = False, scale: int | None = None) -> Tensor:
        """`features` (n, D) or `logits` (n, classes) of images; one pass serves every question that needs it."""
        key = (what, flip, scale, indices.numpy().tobytes())
        if key not in self._passes:
            examiner, method = self.examiner, self.method
            network = method if what == "logits" else method.encoder
            self._passes[key] = outputs(
                method.classify if what == "logits" else network, network, examiner.dataset, indices, self.view,
                examiner.device, precision=self.precision, flip=flip, scale=scale,
                progress=examiner.progress(what, len(indices)),
            )  # fmt: skip
        return self._passes[key]
