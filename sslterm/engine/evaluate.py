"""Evaluation: what a checkpoint knows of images that it was not trained on. One question, one answer, kept in the run.

Images are seen as training saw valid ones: the normalisation and the view come out of the checkpoint and the run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslterm.data.open import open_dataset
from sslterm.data.views import PlainView
from sslterm.engine import chance, parts, tta
from sslterm.engine.checkpoint import load, open_checkpoint
from sslterm.engine.device import pick_device, prepare
from sslterm.engine.features import extract, outputs
from sslterm.engine.knn import knn_probabilities
from sslterm.engine.linear import WEIGHT_DECAYS, LinearProbe, fit_linear
from sslterm.engine.scores import scores
from sslterm.engine.stage import build_method, plain_view
from sslterm.engine.weights import Normalisation
from sslterm.methods import Method
from sslterm.runs import Run, RunError, checkpoints, evaluations, files
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
    chosen = _chosen(run, wanted)
    examiner = Examiner(run, pick_device(device), data_dir, progress)
    for checkpoint in chosen:
        versions = [Question(question.protocol, split=question.split)]
        if question.tta or question.scales:
            versions.append(question)
        examined = examiner.open(checkpoint, say)
        yield [examined.answer(version) for version in versions]


def _chosen(run: Run, wanted: str) -> list[Checkpoint]:
    path = Path(wanted)
    if path.suffix == ".pt" and path.is_file() and path.resolve().parent != run.checkpoints.resolve():
        state = load(path)
        return [
            Checkpoint(
                file=str(path), stage=state["stage"], stage_index=state["stage_index"], epoch=state["epoch"],
                step=state["step"], total_steps=state["total_steps"], ended=state["ended"], time=path.stat().st_mtime,
                size=path.stat().st_size, sha256=files.sha256(path),
            )
        ]  # fmt: skip
    return checkpoints.chosen(run, path.name if path.suffix == ".pt" else wanted)


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
        self.dataset = open_dataset(self.preset.data, self.preset.stage[0].views.size, data_dir)
        self.parts = parts.kept(run)

    def open(self, checkpoint: Checkpoint, say: Callable[[str], None]) -> Examined:
        """A checkpoint with its method, ready to be asked. Raises RunError."""
        outside = "/" in checkpoint.file
        state = load(Path(checkpoint.file)) if outside else open_checkpoint(self.run, checkpoint)
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
        self._seen: dict[tuple[Any, ...], Tensor] = {}

    @cached_property
    def method(self) -> Method:
        """The method as it was in the checkpoint."""
        preset = self.examiner.preset
        bare = preset.model_copy(update={"encoder": preset.encoder.model_copy(update={"weights": None})})
        method = build_method(bare, self.state["stage_index"], self.examiner.dataset)
        try:
            method.load_state_dict(self.state["method"])
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise RunError(f"{self.checkpoint.file}: does not fit the run's preset ({reason})") from None
        return method.to(self.examiner.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @cached_property
    def view(self) -> PlainView:
        """Images as this checkpoint knows them."""
        normal = self.state["normalisation"]
        normalisation = Normalisation(tuple(normal["mean"]), tuple(normal["std"]), normal["of"])
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
            "tta": tta.versions(question.tta, question.scales) if question.tta or question.scales else None,
            "split": question.split,
            "data": dataset.fingerprint,
            "seed": self.examiner.preset.seed,
        }
        asked = json.loads(json.dumps(asked))
        before = evaluations.answered(run, asked)
        if before:
            return before
        began = time.monotonic()
        probabilities = self._probabilities(protocol, question, indices)
        answer = {
            "run": run.name,
            "checkpoint": {
                "file": asked["file"],
                "sha256": self.checkpoint.sha256,
                "stage": self.checkpoint.stage,
                "epoch": self.checkpoint.epoch,
            },
            "protocol": protocol,
            "tta": {"flip": question.tta or bool(question.scales), "scales": list(question.scales)}
            if asked["tta"]
            else None,
            "split": question.split,
            "n": len(indices),
            "classes": list(dataset.classes),
            **scores(probabilities, dataset.labels[indices], dataset.classes),
            "probe": self._probe_facts() if protocol == "linear" else None,
            "time": time.time(),
            "seconds": time.monotonic() - began,
        }
        evaluations.keep(run, asked, answer)
        return answer

    def _asked(self, split: str) -> Tensor:
        indices = self.examiner.parts[split]
        indices = indices[self.examiner.dataset.labels[indices] >= 0]
        if not len(indices):
            raise RunError(f"--split {split}: {self.examiner.run.path} has no labelled {split} images")
        return indices

    def _probabilities(self, protocol: str, question: Question, indices: Tensor) -> Tensor:
        """float32 (N, classes), with whatever augmentation the question asks for."""
        if protocol == "head":
            predict = lambda flip, scale: self._outputs(indices, flip, scale).softmax(1)  # noqa: E731
        elif protocol == "knn":
            predict = lambda flip, scale: self._vote(self._features(indices, flip, scale))  # noqa: E731
        else:
            predict = lambda flip, scale: self.probe.probabilities(self._features(indices, flip, scale))  # noqa: E731
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
            self._features(train), labels[train], self._features(valid), labels[valid], classes, progress=bars
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
        return knn_probabilities(self._features(bank), dataset.labels[bank], queries, len(dataset.classes))

    def _features(self, indices: Tensor, flip: bool = False, scale: int | None = None) -> Tensor:
        return self._pass(extract, self.method.encoder, indices, flip, scale, "features")

    def _outputs(self, indices: Tensor, flip: bool, scale: int | None) -> Tensor:
        classify = lambda network, *rest, **named: outputs(network.classify, network, *rest, **named)  # noqa: E731
        return self._pass(classify, self.method, indices, flip, scale, "logits")

    def _pass(
        self,
        look: Callable[..., Tensor],
        network: torch.nn.Module,
        indices: Tensor,
        flip: bool,
        scale: int | None,
        what: str,
    ) -> Tensor:
        """One pass over images, kept for the other questions that need the same."""
        key = (what, flip, scale, len(indices), int(indices[0]))
        if key not in self._seen:
            examiner = self.examiner
            self._seen[key] = look(
                network, examiner.dataset, indices, self.view, examiner.device, precision=self.state["precision"],
                flip=flip, scale=scale, progress=examiner.progress(what, len(indices)),
            )  # fmt: skip
        return self._seen[key]
