"""What the screen shows, in words: sentences about cells, classes and bins, and the table to copy."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Sequence

import numpy as np

from sslterm.tables import METRICS, duration, safe, table
from sslterm.tui.screens.evaluation.answers import Answer
from sslterm.tui.screens.evaluation.entries import Entry
from sslterm.tui.widgets.answer_list import Listed
from sslterm.tui.widgets.class_bars import ClassScore
from sslterm.tui.widgets.panel import Piece
from sslterm.tui.widgets.reliability import Bin
from sslterm.tui.widgets.run_table import cells
from sslterm.tui.widgets.run_table.columns import figure
from sslterm.tui.widgets.scores import difference, written

NAME = 28
"""A class's name in a sentence is no longer."""


def brief(name: str) -> str:
    """A name in at most `NAME` cells."""
    return cells.fit(name, NAME, both_ends=True).rstrip()


def per_cent(share: float) -> str:
    """`14 %`; what is rare is not nothing, what is frequent is not all."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"


# ---------------------------------------------------------------- one cell, one class, one bin


def of_cell(answer: Answer, truth: int, guess: int) -> str:
    """`143 of 1,000 images of cat were taken for dog (14 %)`."""
    if answer.confusion is None or truth >= len(answer.confusion):
        return ""
    count, images = int(answer.confusion[truth, guess]), int(answer.confusion[truth].sum(dtype=np.int64))
    name, other = brief(answer.classes[truth]), brief(answer.classes[guess])
    if not images:
        return f"there is no image of {name} in {answer.split}"
    share = f"({per_cent(count / images)})"
    were = "was" if count == 1 else "were"
    if truth == guess:
        return f"{count:,} of {images:,} images of {name} {were} recognised {share}"
    if not count:
        return f"none of {images:,} images of {name} was taken for {other}"
    return f"{count:,} of {images:,} images of {name} {were} taken for {other} {share}"


def of_class(answer: Answer, truth: int) -> str:
    """`cat: precision .720, recall .700, F1 .710 · most confused with dog (14 %)`."""
    if truth >= len(answer.per_class):
        return ""
    precision, recall, f1 = (("–" if math.isnan(value) else figure(value)) for value in answer.per_class[truth])
    text = f"{brief(answer.classes[truth])}: precision {precision}, recall {recall}, F1 {f1}"
    other, share = most_taken_for(answer, truth)
    return f"{text} · most confused with {brief(answer.classes[other])} ({per_cent(share)})" if share else text


def most_taken_for(answer: Answer, truth: int) -> tuple[int, float]:
    """The class that one is most taken for, and the share of its images; 0 where there is none."""
    if answer.confusion is None or truth >= len(answer.confusion):
        return truth, 0.0
    row = answer.confusion[truth].astype(np.int64)
    images = int(row.sum())
    row[truth] = 0
    other = int(row.argmax())
    return other, int(row[other]) / max(images, 1)


def of_bin(bins: Sequence[Bin], place: int) -> str:
    """`93 predictions with confidence .400 to .467`, and beneath: `100 % right at .430 on average: too modest by 57
    points`."""
    if not 0 <= place < len(bins):
        return ""
    one, width = bins[place], 1 / len(bins)
    between = f"confidence {figure(place * width)} to {figure((place + 1) * width)}"
    if not one.predictions:
        return f"no prediction with {between}"
    points = round((one.accuracy - one.confidence) * 100)
    judged = "as it should be" if not points else f"too {'modest' if points > 0 else 'sure'} by {abs(points)} points"
    many = f"{one.predictions:,} prediction{'s' * (one.predictions != 1)}"
    return f"{many} with {between}\n{per_cent(one.accuracy)} right at {figure(one.confidence)} on average: {judged}"


# ---------------------------------------------------------------- for the panels


def class_scores(answer: Answer) -> list[ClassScore]:
    """A line for each class."""
    found = []
    for place, (name, row) in enumerate(zip(answer.classes, answer.per_class.tolist(), strict=True)):
        other, share = most_taken_for(answer, place)
        taken_for = (
            f"{cells.fit(answer.classes[other], 18, both_ends=True).rstrip()} ({per_cent(share)})" if share else ""
        )
        found.append(ClassScore(name, row[0], row[1], row[2], int(answer.support[place]), taken_for))
    return found


def listed(entry: Entry, now: float) -> Listed:
    """An entry in the list at the left."""
    main = entry.main
    asked = " · ".join(word for word in (main.protocol, main.split, main.device * entry.ambiguous) if word)
    old = Piece(duration(max(now - entry.time, 0)) + " ago", "muted") if entry.time else Piece("")
    return Listed(main.checkpoint, written(main.metrics.get("top1")), asked, _gain(entry) or old)


def _gain(entry: Entry) -> Piece | None:
    if len(entry.answers) < 2:
        return None
    return difference("top1", entry.answers[0].metrics.get("top1"), entry.main.metrics.get("top1"))


def notes(run: str, entry: Entry, answer: Answer) -> list[str]:
    """What is good to know beside the figures: on what, how sure that is, by what, when, and what lacks."""
    found = []
    on = f"{answer.images:,} images of {answer.split}" if answer.images is not None else answer.split
    top = answer.metrics.get("top1", math.nan)
    if answer.images and 0 <= top <= 1:
        on += f" · top-1 ±{written(math.sqrt(top * (1 - top) / answer.images))} (standard error)"
    trained = f"{answer.stage}, epoch {answer.epoch}" if answer.epoch is not None else answer.stage
    chosen = answer.probe.get("valid_top1")
    probed = f"probe on valid {written(chosen)}" if chosen is not None else ""
    found += [on, _dotted(trained, probed), _dotted(*_when(answer), answer.device)]
    if len(entry.answers) == 1 and answer.how == "plain":
        asked = f"{shlex.quote(run)} --checkpoint {answer.checkpoint} --protocol {answer.protocol}"
        found.append(f"with flip: sslterm eval {asked} --tta")
    return [note for note in found if note]


def _when(answer: Answer) -> tuple[str, str]:
    made = time.strftime("%d %b %Y %H:%M", time.localtime(answer.time)) if answer.time else ""
    took = f"took {duration(answer.seconds)}" if answer.seconds is not None and 0 <= answer.seconds < 1e9 else ""
    return made, took


def _dotted(*words: str) -> str:
    return " · ".join(word for word in words if word)


def to_copy(run: str, entry: Entry) -> str:
    """The figures and the classes as text."""
    main, plain = entry.main, entry.answers[0]
    head = f"{run} · {entry.title}" + (f" · {main.images:,} images" if main.images is not None else "")
    several = len(entry.answers) > 1
    rows = []
    for key, word in METRICS.items():
        values = [answer.metrics.get(key) for answer in entry.answers]
        if any(value is not None for value in values):
            gain = difference(key, plain.metrics.get(key), main.metrics.get(key)).text.strip()
            rows.append([word, *map(written, values), *([gain] if several else [])])
    columns = ["", *(answer.how for answer in entry.answers), *(["diff"] if several else [])]
    return f"{safe(head)}\n\n{table(columns, rows, right=' '.join(columns[1:]))}\n\n{_classes(main)}\n"


def _classes(answer: Answer) -> str:
    rows = [
        [one.name, *(f"{value:.3f}" for value in (one.precision, one.recall, one.f1)), one.images, one.taken_for]
        for one in class_scores(answer)
    ]
    columns = ["class", "precision", "recall", "F1", "images", "most taken for"]
    return table(columns, rows, right="precision recall F1 images")
