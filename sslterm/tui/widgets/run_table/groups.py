"""Runs that differ in nothing but their seed, as one row: mean and standard deviation of what they reached."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from sslterm.runs.summary import BLANK, Row
from sslterm.tui.widgets.run_table.columns import RANK

ITS_OWN = ("name", "path", "seed", "note", "reason", "advice")
"""What belongs to one run, even if all the others say the same."""


def kind(row: Row, likeness: Hashable = None) -> Hashable | None:
    """What runs of one group share: preset, data, encoder, each stage's method and length, and, where it is known, the
    likeness of all their settings. None: stands alone."""
    if not row["preset"]:
        return None
    stages = tuple((stage.get("name"), stage.get("method"), stage.get("epochs")) for stage in row["stages"])
    return (row["preset"], row["methods"], row["data"], row["encoder"], stages, likeness)


class Folds:
    """Folds rows into groups, again and again; groups whose rows are the same as before are not worked out anew."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[list[Row], Row]] = {}

    def fold(self, rows: Sequence[Row], likeness: Mapping[str, Hashable]) -> list[Row]:
        """One row for each group of two runs or more, in the place of its first; the others as they are."""
        families: dict[Hashable, list[Row]] = {}
        for row in rows:
            families.setdefault(kind(row, likeness.get(row["path"])) or ("alone", row["path"]), []).append(row)
        before, self._known = self._known, {}
        return [self._one(key, members, before) for key, members in families.items()]

    def _one(self, key: Hashable, members: list[Row], before: dict[Hashable, tuple[list[Row], Row]]) -> Row:
        if len(members) == 1:
            return members[0]
        known = before.get(key)
        same = known is not None and list(map(id, known[0])) == list(map(id, members))
        self._known[key] = known if known and same else (members, folded(members))
        return self._known[key][1]


def fold(rows: Sequence[Row]) -> list[Row]:
    """The same, once."""
    return Folds().fold(rows, {})


def folded(members: Sequence[Row]) -> Row:
    """A group as a row. It has `members`, its `path` is no path, and `best_spread` is the standard deviation."""
    first = members[0]
    shared = {key: first[key] for key in BLANK if all(member[key] == first[key] for member in members)}
    for key in ITS_OWN:
        shared.pop(key, None)
    return {
        **BLANK,
        **shared,
        "name": f"{_name(members)} ×{len(members)}",
        "path": f"\0{min(member['path'] for member in members)}",
        "created": _greatest(members, "created"),
        "updated": _greatest(members, "updated"),
        "left": _greatest(members, "left"),
        "metrics": _means([member["metrics"] for member in members]),
        "eval": _means([member["eval"] for member in members]),
        "members": list(members),
        **_state(members),
        **_best(members),
    }


def _name(members: Sequence[Row]) -> str:
    """What the names of its runs begin with, where that tells something; else the preset."""
    names = [STAMP.sub("", member["name"]) for member in members]
    pairs = zip(min(names), max(names), strict=False)  # what these two begin with, all between them do
    shared = COUNTED.sub("", "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return shared if len(shared) >= TELLING else str(members[0]["preset"])


STAMP = re.compile(r"\A\d{4}-\d\d-\d\d_\d{4}_")
"""What a run is named by that nobody named: the day and the minute, before its preset."""
COUNTED = re.compile(r"[-_. ]*(seed|s)?[-_. ]*\d*\Z")
TELLING = 3
"""Letters that a name needs to tell something."""


def _state(members: Sequence[Row]) -> Row:
    """The state that a person wants to see first, and how many are in it where not all are."""
    words = [member["state"] for member in members]
    word = min(words, key=lambda state: RANK.get(state, len(RANK)))
    count = words.count(word)
    return {"state": word, "state_of": "" if count == len(words) else f"{count}/{len(words)}"}


def _best(members: Sequence[Row]) -> Row:
    """Mean and standard deviation of the metric that most of them report."""
    reported = [member for member in members if _finite(member["best_value"]) and member["best_metric"]]
    if not reported:
        return {"best_metric": None, "best_value": None, "best_spread": None}
    metric = Counter(member["best_metric"] for member in reported).most_common(1)[0][0]
    mean, spread = mean_and_spread([member["best_value"] for member in reported if member["best_metric"] == metric])
    return {"best_metric": metric, "best_value": mean, "best_spread": spread}


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation of a sample; one value alone has no deviation."""
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _means(tables: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each metric that all report."""
    names = set(tables[0]).intersection(*tables[1:])
    return {name: mean_and_spread([table[name] for table in tables])[0] for name in names}


def _greatest(members: Sequence[Row], key: str) -> float | None:
    return max((member[key] for member in members if member[key] is not None), default=None)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
