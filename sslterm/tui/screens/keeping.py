"""What can be done to checkpoints: evaluate, fine-tune from one, export, delete, prune, copy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from textual.message import Message

from sslterm.errors import UserError
from sslterm.runs import Run, edit
from sslterm.runs.summary import Row
from sslterm.tui.commands import CommandEnded
from sslterm.tui.screens.dialogs import Ask
from sslterm.tui.screens.evaluate_dialog import EvaluateDialog, How
from sslterm.tui.screens.over_table import OverTable
from sslterm.tui.screens.room import House
from sslterm.tui.turns import Order, Turns
from sslterm.tui.widgets.checkpoint_table import CheckpointTable
from sslterm.tui.widgets.checkpoint_table.words import amount, difference, role, short, stem
from sslterm.tui.widgets.run_table.columns import figure

NEED_ONE = frozenset({"open", "fine_tune", "export"})
NEED_SOME = frozenset({"evaluate", "evaluate_tta", "verify", "delete", "prune", "copy", "mark", "mark_all"})
NEED_WHOLE = frozenset({"fine_tune", "export"})
NAMED = 6
"""How many are named in a question; of more, only how many."""


class Prunable(Message):
    """What `--prune` would delete, by run; looked at in a thread."""

    def __init__(self, found: dict[str, tuple[int, int]], problems: Sequence[str]) -> None:
        super().__init__()
        self.found = found
        """How many, and how many bytes."""
        self.problems = problems


class Keeping(OverTable):
    """A screen of checkpoints: what is done, is done to the marked ones, or to the one under the cursor."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.how = How()
        """How evaluations were asked for last."""
        self.turns = Turns(house.place, self.post_from_thread)

    @property
    def table(self) -> CheckpointTable:
        """The list."""
        return self.query_one(CheckpointTable)

    @property
    def here(self) -> Row:
        """The one under the cursor; `why_not` has seen to it that there is one."""
        row = self.table.highlighted
        assert row is not None
        return row

    def chosen(self) -> list[Row]:
        """The marked ones, or the one under the cursor."""
        row = self.table.highlighted
        return self.table.marked or ([row] if row else [])

    def acted(self) -> None:
        """Something was done that will show."""

    def why_not(self, name: str) -> str | None:
        """Most actions need a checkpoint, some one that is whole."""
        row = self.table.highlighted
        if name in NEED_ONE | NEED_SOME and row is None:
            return "there is no checkpoint under the cursor"
        if name in NEED_WHOLE and row is not None:
            known = self.table.known(row)
            if known is not None and known.word in ("damaged", "gone"):
                return f"{short(stem(row))} is {self.table.said(row)[2:]}"
        return super().why_not(name)

    def at_work(self) -> str:
        """What was started here and has not ended."""
        order = self.turns.at_work
        if order is None:
            return ""
        more = self.turns.waiting
        return f"{order.title} …" + (f" and {more} more run{'s' * (more != 1)}" if more else "")

    # -------------------------------------------------------- evaluate

    def do_evaluate(self) -> None:
        """Ask how, then do it."""
        rows = self.chosen()
        self.app.push_screen(EvaluateDialog(f"evaluate {_told(rows)}", self.how), lambda how: self._evaluate(rows, how))

    def do_evaluate_tta(self) -> None:
        """With flip, and else as usual."""
        self._evaluate(self.chosen(), How(flip=True), keep=False)

    def _evaluate(self, rows: Sequence[Row], how: How | None, keep: bool = True) -> None:
        if how is None:
            return
        self.how = how if keep else self.how
        self.turns.add(
            [
                Order(
                    f"evaluates {_told(of_run)}",
                    ["eval", run, "--checkpoint", _files(of_run), "--json", *how.options()],
                    True,
                )
                for run, of_run in _by_run(rows)
            ]
        )
        several = len(list(_by_run(rows))) > 1
        self.tell(f"evaluates {_told(rows)}{', one run after another while this viewer is open' if several else ''}")
        self.acted()

    # -------------------------------------------------------- make something of it

    def do_fine_tune(self) -> None:
        """A new run whose encoder begins from this one."""
        self.enter("launch", weights=Path(self.here["path"]))

    def do_export(self) -> None:
        """Ask where to, then write the encoder's weights."""
        row = self.here
        target = Path.cwd() / f"{row['run']}-{stem(row)}-encoder.pt"
        self.app.push_screen(
            Ask(f"write the encoder of {short(stem(row))} of {short(row['run'])} to", str(target)),
            lambda text: self._export(row, text.strip() if text else ""),
        )

    def _export(self, row: Row, target: str) -> None:
        if target:
            place = str(Path(target).expanduser())
            self.command("export", "export", _run(row), "--checkpoint", row["file"], "--to", place)

    def do_copy(self) -> None:
        """The paths."""
        paths = [str(Path(row["path"]).absolute()) for row in self.chosen()]
        self.app.copy_to_clipboard("\n".join(paths))
        self.tell(f"copied {paths[0]}" if len(paths) == 1 else f"copied {len(paths)} paths")

    # -------------------------------------------------------- delete

    def do_delete(self) -> None:
        """Delete, after a yes that was told which are the best or the latest."""
        rows = self.chosen()
        marked = [
            f"{short(stem(row))} of {short(row['run'])} is the {role(row).replace(' ', ' and the ')}"
            for row in rows
            if role(row)
        ]
        told = "\n".join(marked[:NAMED] + ([f"… and {len(marked) - NAMED} more are"] if len(marked) > NAMED else []))
        question = f"delete {_told(rows)} for good, {amount(sum(row['size'] for row in rows))}?"
        orders = [
            Order(f"deletes {_told(of_run)}", ["checkpoints", run, "--delete", _files(of_run), "--yes", "--no-verify"])
            for run, of_run in _by_run(rows)
        ]
        self.ask(f"{question}\n{told}" if told else question, lambda: self._start(orders))

    def do_prune(self) -> None:
        """See what can go, then ask."""
        runs = [Run(Path(path)) for path, _ in _by_run(self.chosen())]
        self.tell("sees what can go …")
        self.run_worker(
            lambda: self._see_what_can_go(runs), thread=True, exclusive=True, group="prune", exit_on_error=False
        )

    def _see_what_can_go(self, runs: Sequence[Run]) -> None:
        found, problems = {}, []
        for run in runs:
            try:
                unwanted = edit.prunable(run, trusting=True)
            except (UserError, OSError) as error:
                problems.append(str(error))
                continue
            if unwanted:
                found[str(run.path)] = len(unwanted), sum(one.size for one in unwanted)
        self.post_from_thread(Prunable(found, problems))

    def on_prunable(self, message: Prunable) -> None:
        """Ask, naming how many and how much."""
        for problem in message.problems[:3]:
            self.tell(problem, "error")
        if not message.found:
            self.tell("nothing to prune; what is left is each stage's best and last")
            return
        count = sum(count for count, _ in message.found.values())
        size = amount(sum(size for _, size in message.found.values()))
        names = ", ".join(short(Path(path).name) for path in list(message.found)[:NAMED])
        more = f" and {len(message.found) - NAMED} more runs" if len(message.found) > NAMED else ""
        orders = [
            Order(f"prunes {short(Path(path).name)}", ["checkpoints", path, "--prune", "--yes", "--no-verify"])
            for path in message.found
        ]
        self.ask(
            f"prune {names}{more}? Deletes {count} checkpoint{'s' * (count != 1)}, {size}, for good;\n"
            "each stage's best and last stay",
            lambda: self._start(orders),
        )

    def _start(self, orders: Sequence[Order]) -> None:
        self.turns.add(orders)
        self.acted()

    # -------------------------------------------------------- what came of it

    def command_ended(self, message: CommandEnded) -> None:
        """Tell what an evaluation found; of all others, their last words."""
        said = _answers(message) if message.title.startswith("evaluates") and not message.code else ""
        if said:
            self.tell(said)
        else:
            super().command_ended(message)
        self.acted()


def _answers(message: CommandEnded) -> str:
    """`probe-0008: head .851 · flip .858 +.007`, for each checkpoint; empty where that cannot be read."""
    lines: dict[str, list[str]] = {}
    plain: dict[str, float] = {}
    try:
        for answer in json.loads(message.out):
            name, top1 = Path(answer["checkpoint"]["file"]).stem, float(answer["metrics"]["top1"])
            if not answer["tta"]:
                plain[name] = top1
            scales = "".join(f"@{scale}" for scale in answer["tta"]["scales"]) if answer["tta"] else ""
            word = f"flip{scales}" if answer["tta"] else f"{answer['split']} {answer['protocol']}"
            more = f" {difference(top1 - plain[name])}" if answer["tta"] and name in plain else ""
            lines.setdefault(name, []).append(f"{word} {figure(top1)}{more}")
    except (ValueError, TypeError, KeyError):
        return ""
    told = [f"{short(name)}: {' · '.join(words)}" for name, words in lines.items()]
    return "\n".join(told[:NAMED] + ([f"… and {len(told) - NAMED} more"] if len(told) > NAMED else []))


def _run(row: Row) -> str:
    return str(Path(row["path"]).parents[1])


def _by_run(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Rows by the path of their run, in the order they come in."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_run(row), []).append(row)
    return iter(found.items())


def _files(rows: Sequence[Row]) -> str:
    return ",".join(row["file"] for row in rows)


def _told(rows: Sequence[Row]) -> str:
    """`probe-0008 of q5`; of several, how many of what."""
    runs = list(_by_run(rows))
    if len(runs) > 1:
        return f"{len(rows)} checkpoints of {len(runs)} runs"
    names = ", ".join(short(stem(row)) for row in rows) if len(rows) <= 3 else f"{len(rows)} checkpoints"
    return f"{names} of {short(rows[0]['run'])}"
