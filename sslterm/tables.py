"""Text for terminals: aligned columns, and words from files that cannot control a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any


def safe(text: object) -> str:
    """The same words without control characters: nothing printed from a file can move the cursor or ring the bell."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in str(text))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> str:
    """Aligned columns; `right` names the headings whose column is numbers."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in [list(headings), *cells]) for place in range(len(headings))]
    lines = []
    for row in [list(headings), *cells]:
        padded = [
            cell.rjust(width) if heading in right.split() else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


SHOWN = ("loss", "top1", "knn/top1", "valid/top1")
"""The metrics that a line of progress has room for."""
WORDS = {"top1": "acc", "knn/top1": "kNN", "valid/top1": "valid"}


def figures(row: dict[str, float], between: str = " · ") -> str:
    """`loss 2.310 · kNN 0.812`."""
    return between.join(f"{WORDS.get(key, key)} {float(row[key]):.3f}" for key in SHOWN if key in row)


def duration(seconds: float) -> str:
    """`45s`, `12m`, `3h05m`, `2d04h`."""
    if seconds < 90:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes}m"
    hours = minutes // 60
    return f"{hours}h{minutes % 60:02d}m" if hours < 48 else f"{hours // 24}d{hours % 24:02d}h"


METRICS = {
    "top1": "top-1", "top5": "top-5", "precision_macro": "precision", "recall_macro": "recall", "f1_macro": "F1",
    "nll": "NLL", "ece": "ECE",
}  # fmt: skip


def evaluation(answers: Sequence[dict[str, Any]]) -> str:
    """One checkpoint's answers: every metric, plain beside augmented and by how much the last differs; the classes."""
    plain, last = answers[0], answers[-1]
    checkpoint = plain["checkpoint"]
    head = f"{checkpoint['file']} · {plain['split']}, {plain['n']:,} images · {plain['protocol']}"
    rows = []
    for key, word in METRICS.items():
        if key in plain["metrics"]:
            row = [word, *(f"{answer['metrics'][key]:.4f}" for answer in answers)]
            rows.append([*row, *_difference(answers, key)])
    columns = ["", *(_tta(answer) for answer in answers), *(["diff"] if len(answers) > 1 else [])]
    metrics = table(columns, rows, right=" ".join(columns[1:]))
    return f"{safe(head)}\n\n{metrics}\n\n{_classes(last)}"


def _difference(answers: Sequence[dict[str, Any]], key: str) -> list[str]:
    """What the last, most augmented answer gains over the plain one."""
    if len(answers) == 1:
        return []
    return [f"{answers[-1]['metrics'][key] - answers[0]['metrics'][key]:+.4f}"]


def _tta(answer: dict[str, Any]) -> str:
    if not answer["tta"]:
        return "plain"
    scales = answer["tta"]["scales"]
    return "flip" + (f"@{','.join(map(str, scales))}" if scales else "")


def _classes(answer: dict[str, Any]) -> str:
    names, confusion = answer["classes"], answer["confusion"]
    rows = []
    for place, one in enumerate(answer["per_class"][:30]):
        wrong = [(count, other) for other, count in enumerate(confusion[place]) if other != place and count]
        most = max(wrong, default=None)
        confused = f"{names[most[1]]} ({_share(most[0] / max(one['support'], 1))})" if most else ""
        bar = "█" * round(one["f1"] * 20)
        rows.append(
            [
                one["class"],
                f"{one['precision']:.3f}",
                f"{one['recall']:.3f}",
                f"{one['f1']:.3f}",
                bar.ljust(20),
                confused,
            ]
        )
    text = table(["class", "precision", "recall", "F1", "", "most taken for"], rows, right="precision recall F1")
    more = len(answer["per_class"]) - len(rows)
    return text + (f"\nand {more} more classes: --json has them all" if more > 0 else "")


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def over_checkpoints(examined: Sequence[Sequence[dict[str, Any]]]) -> str:
    """One line a checkpoint, for `--checkpoint all`."""
    rows = []
    for answers in examined:
        plain = answers[0]
        checkpoint, values = plain["checkpoint"], plain["metrics"]
        row = [checkpoint["file"], checkpoint["stage"], checkpoint["epoch"], plain["protocol"]]
        row += [f"{answer['metrics']['top1']:.4f}" for answer in answers] + _difference(answers, "top1")
        rows.append([*row, f"{values['f1_macro']:.4f}", f"{values['nll']:.4f}", f"{values['ece']:.4f}"])
    augmented = [f"top-1+{_tta(answer)}" for answer in examined[0][1:]]
    tops = ["top-1", *augmented, *(["diff"] if augmented else [])]
    columns = ["checkpoint", "stage", "epoch", "protocol", *tops, "F1", "NLL", "ECE"]
    return table(columns, rows, right=" ".join(["epoch", *columns[4:]]))
