"""Runs, one run, and its checkpoints, as text for a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sslterm.runs.state import GLYPHS
from sslterm.tables import WORDS, duration, safe, table

NUMBERS = "epoch best last images/s left MiB"


def runs(rows: Sequence[dict[str, Any]], width: int | None = None) -> str:
    """A line a run. Where a line may only be so wide, the columns that tell least are left out first."""
    cells = [_cells(row) for row in rows]
    columns = [
        "state",
        "name",
        "method",
        "data",
        "stage",
        "epoch",
        "best",
        "last",
        "images/s",
        "left",
        "device",
        "note",
    ]
    empty = {column for column in columns if all(not row[column] for row in cells)}
    for leave_out in ("", "note", "device", "data", "images/s", "last", "stage", "method"):
        empty.add(leave_out)
        shown = [column for column in columns if column not in empty]
        text = table(shown, [[row[column] for column in shown] for row in cells], right=NUMBERS)
        if width is None or max(map(len, text.splitlines())) <= width:
            break
    return "\n".join(line if width is None else _short(line, width) for line in text.splitlines())


def _cells(row: dict[str, Any]) -> dict[str, str]:
    state = row["state"]
    speed, left, epoch = row.get("images_per_second"), row.get("left"), row.get("epoch")
    alive = state in ("running", "stalled", "stopping", "orphaned")
    tags = " ".join(f"#{tag}" for tag in row.get("tags") or ())
    return {
        "state": f"{GLYPHS.get(state, '?')} {state}",
        "name": _short(row["name"], 40),
        "method": str(row.get("method") or ""),
        "data": str(row.get("data") or ""),
        "stage": str(row.get("stage") or ""),
        "epoch": f"{epoch}/{row.get('epochs')}" if epoch is not None else "",
        "best": _metric(row.get("best_metric"), row.get("best_value")),
        "last": _last(row.get("metrics") or {}),
        "images/s": f"{speed:,.0f}" if isinstance(speed, int | float) and alive else "",
        "left": duration(left) if isinstance(left, int | float) and alive else "",
        "device": str(row.get("device") or ""),
        "note": _short(" ".join(part for part in (tags, row.get("note") or "") if part), 30),
    }


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _metric(name: Any, value: Any) -> str:
    return f"{WORDS.get(name, name)} {value:.3f}" if isinstance(value, int | float) and name else ""


def _last(metrics: dict[str, Any]) -> str:
    loss = metrics.get("train/loss", metrics.get("loss"))
    return f"loss {loss:.3f}" if isinstance(loss, int | float) else ""


# ---------------------------------------------------------------- one run


def run(facts: dict[str, Any]) -> str:
    """All that `sslterm show` says of a run."""
    parts = [_head(facts), _about(facts), _stages(facts)]
    if facts["checkpoints"]:
        parts.append("checkpoints\n" + _indented(checkpoints(facts["checkpoints"])))
    if facts["evaluations"]:
        parts.append("evaluations\n" + _indented(evaluations(facts["evaluations"])))
    return safe("\n\n".join(part for part in parts if part))


def _head(facts: dict[str, Any]) -> str:
    lines = [f"{facts['name']}  {GLYPHS.get(facts['state'], '?')} {facts['state']}", f"  {facts['reason']}"]
    if facts.get("advice"):
        lines.append(f"  next: {facts['advice']}")
    tags = " ".join(f"#{tag}" for tag in facts.get("tags") or ())
    if tags or facts.get("note"):
        lines.append("  " + " ".join(part for part in (tags, facts.get("note")) if part))
    return "\n".join(lines)


def _about(facts: dict[str, Any]) -> str:
    info, where = _table(facts["info"]), _table([{}, *_list(facts["environment"])][-1])
    made, git = info.get("created"), _table(info.get("git"))
    rows = [
        ("preset", f"{facts.get('title') or ''} ({facts.get('preset') or ''})"),
        ("method", facts.get("methods") or facts.get("method")),
        ("data", facts.get("data")),
        ("encoder", facts.get("encoder")),
        ("seed", facts.get("seed")),
        ("made", _clock(made)),
        ("by", f"{info.get('user')}@{info.get('host')}" if info else None),
        ("command", " ".join(map(str, _list(info.get("argv"))))),
        ("code", f"{str(git.get('commit'))[:12]}{', changed' if git.get('changed') else ''}" if git else None),
        ("device", " · ".join(str(where[key]) for key in ("device", "device_name", "system") if where.get(key))),
        ("precision", _precision(where.get("precision"))),
        ("packages", ", ".join(f"{k} {v}" for k, v in _table(where.get("packages")).items() if k.startswith("torch"))),
        ("attempts", facts.get("attempt")),
        ("where", facts["path"]),
    ]
    return "\n".join(f"  {word:<10}{value}" for word, value in rows if value not in (None, "", " ()"))


def _clock(said: Any) -> str:
    """A time as people write it; nothing for what no calendar knows."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(said))
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _precision(said: Any) -> str:
    if not isinstance(said, dict):
        return ""
    return ", ".join(f"{stage} {one.get('name')}" for stage, one in said.items() if isinstance(one, dict))


def _stages(facts: dict[str, Any]) -> str:
    stages = [stage for stage in _list(_table(facts["info"]).get("stages")) if isinstance(stage, dict)]
    best, rows = _table(facts.get("best")), []
    for stage in stages:
        entry = _table(best.get(str(stage.get("name"))))
        now = "←" if stage.get("name") == facts.get("stage") else ""
        rows.append(
            [
                stage.get("name"), stage.get("method"), stage.get("epochs"),
                _metric(entry.get("metric"), entry.get("value")), entry.get("file") or "", now,
            ]
        )  # fmt: skip
    return "stages\n" + _indented(table(["stage", "method", "epochs", "best", "in", ""], rows, right="epochs"))


def evaluations(answers: Sequence[dict[str, Any]]) -> str:
    rows = []
    for answer in answers:
        metrics, checkpoint = _table(answer.get("metrics")), _table(answer.get("checkpoint"))
        tta = _table(answer.get("tta"))
        top1, ece = metrics.get("top1"), metrics.get("ece")
        rows.append(
            [
                checkpoint.get("file", "?"), answer.get("protocol", "?"), answer.get("split", "?"),
                "flip" + "".join(f"@{scale}" for scale in _list(tta.get("scales"))) if tta else "",
                f"{top1:.4f}" if isinstance(top1, float) else "?", f"{ece:.4f}" if isinstance(ece, float) else "?",
            ]
        )  # fmt: skip
    return table(["checkpoint", "protocol", "split", "tta", "top-1", "ECE"], rows, right="top-1 ECE")


def checkpoints(rows: Sequence[dict[str, Any]]) -> str:
    """A line a checkpoint."""
    cells = []
    for row in rows:
        metrics = row["metrics"]
        marks = " ".join(word for word in ("best", "latest") if row[word])
        epoch = f"{row['epoch']}" + (f"+{row['step']}" if row["step"] else "")
        shown = " ".join(
            f"{WORDS.get(key, key)} {metrics[key]:.3f}"
            for key in ("train/loss", "knn/top1", "valid/top1")
            if isinstance(metrics.get(key), int | float)
        ).replace("train/", "")
        whole = "damaged" if row["damaged"] else "verified" if row["verified"] else ""
        cells.append([row["file"], row["stage"], epoch, shown, f"{row['size'] / 2**20:.1f}", marks, whole])
    text = table(["checkpoint", "stage", "epoch", "metrics", "MiB", "", ""], cells, right="epoch MiB")
    problems = [f"{row['damaged']}" for row in rows if row["damaged"]]
    return "\n".join([text, *problems])


def _table(value: Any) -> dict[str, Any]:
    """What should be a table; a file may hold anything."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
