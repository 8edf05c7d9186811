"""What can be done to runs, the same on every screen that shows some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sslterm.runs import Run
from sslterm.runs.state import ALIVE
from sslterm.tui.screens.dialogs import Ask
from sslterm.tui.screens.room import Room

Row = dict[str, Any]
NEED_ONE = frozenset({"pause", "resume", "note", "tag", "copy", "pictures", "evaluations"})
NEED_SOME = frozenset({"stop", "evaluate", "evaluate_tta", "delete"})


class Acting(Room):
    """A screen of runs: `here` is the one that is looked at, `chosen` are those that a command is meant for."""

    @property
    def here(self) -> Row | None:
        """The run under the cursor, as its summary."""
        raise NotImplementedError

    def chosen(self) -> Sequence[Row]:
        """The marked runs, or the one under the cursor."""
        return [self.here] if self.here else []

    def acted(self) -> None:
        """Something was done that will show."""

    # -------------------------------------------------------- why not

    def why_not(self, name: str) -> str | None:
        """Most actions need a run, some a run that is at work, or one that is not."""
        if name in NEED_ONE and self.here is None:
            return "there is no run under the cursor"
        if name in NEED_SOME and not self.chosen():
            return "there is no run under the cursor, and none is marked"
        states = [row["state"] for row in self.chosen()]
        alive = [state for state in states if state in ALIVE]
        if name in ("stop", "pause", "checkpoint") and not alive:
            return f"nobody works on it ({', '.join(dict.fromkeys(states)) or 'unknown'})"
        if name in ("resume", "delete") and alive:
            return f"somebody works on it ({alive[0]}); stop it first"
        return super().why_not(name)

    # -------------------------------------------------------- while they train

    def do_stop(self) -> None:
        """Stop cleanly, after a yes."""
        self._end_work("stop", "finishes the step and saves")

    def do_pause(self) -> None:
        """Pause, after a yes."""
        self._end_work("pause", "saves and gives the device up")

    def _end_work(self, word: str, how: str) -> None:
        rows = [row for row in self.chosen() if row["state"] in ALIVE]

        def go() -> None:
            for row in rows:
                self.command(word, word, row["path"])
            self.acted()

        it = "It" if len(rows) == 1 else "Each"
        self.ask(f"{word} {_names(rows)}? {it} {how}.", go)

    def do_resume(self) -> None:
        """Go on where it stopped."""
        for row in self.chosen():
            self.command("resume", "resume", row["path"], "--detach", data=True)
        self.acted()

    # -------------------------------------------------------- afterwards

    def do_evaluate(self) -> None:
        """The best checkpoint, on test."""
        self._evaluate()

    def do_evaluate_tta(self) -> None:
        """The best checkpoint, on test, also with flip."""
        self._evaluate("--tta")

    def _evaluate(self, *how: str) -> None:
        self.tell(f"evaluates the best checkpoint of {_names(self.chosen())}{' with flip' if how else ''}")
        for row in self.chosen():
            self.command("evaluate", "eval", row["path"], *how, data=True)

    def do_delete(self) -> None:
        """Delete, after a yes."""
        rows = self.chosen()
        self.ask(
            f"delete {_names(rows)} for good, with all checkpoints and evaluations?",
            lambda: self.command("rm", "rm", *(row["path"] for row in rows), "--yes"),
        )

    # -------------------------------------------------------- words

    def do_note(self) -> None:
        """Say something of the run."""
        row = self.here
        assert row
        self.app.push_screen(
            Ask(f"note on {row['name']}", row["note"]),
            lambda text: None if text is None else self.command("note", "note", row["path"], text),
        )

    def do_tag(self) -> None:
        """Mark the run with words."""
        row = self.here
        assert row
        self.app.push_screen(
            Ask(f"tags for {row['name']} (words)"),
            lambda text: self.command("tag", "tag", row["path"], *text.split()) if text else None,
        )

    def do_copy(self) -> None:
        """The path of the run."""
        if self.here:
            self.app.copy_to_clipboard(self.here["path"])
            self.tell(f"copied {self.here['path']}")

    # -------------------------------------------------------- the other rooms of a run

    def do_checkpoints(self) -> None:
        """Those of the chosen runs."""
        self.enter("checkpoints", [Run(Path(row["path"])) for row in self.chosen()])

    def do_evaluations(self) -> None:
        """Those of the run under the cursor."""
        assert self.here
        self.enter("evaluation", Run(Path(self.here["path"])))

    def do_pictures(self) -> None:
        """Of the run under the cursor."""
        assert self.here
        self.enter("pictures", Path(self.here["path"]))


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row["name"] for row in rows)
