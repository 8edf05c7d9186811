"""The screen: holds what is looked at, hands it to its parts, and says in words what is under the cursor."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.text import Text
from textual.widgets import Static

from sslterm.runs import Run
from sslterm.tables import safe
from sslterm.tui.looking.watch import Watch
from sslterm.tui.screens.evaluation import lines, words
from sslterm.tui.screens.evaluation.answers import Answer
from sslterm.tui.screens.evaluation.entries import Entry, over_epochs, place_of
from sslterm.tui.screens.evaluation.look import Answers, AnswersSeen
from sslterm.tui.screens.evaluation.parts import Parts
from sslterm.tui.screens.room import House
from sslterm.tui.widgets.answer_list import AnswerList
from sslterm.tui.widgets.chart import LineChart, Series
from sslterm.tui.widgets.class_bars import ClassBars
from sslterm.tui.widgets.confusion import ConfusionMatrix
from sslterm.tui.widgets.reliability import Bin, Reliability
from sslterm.tui.widgets.scores import Scored, Scores, written


class EvaluationScreen(Parts):
    """How good the run is on images it never saw, and how it fails.

    Each question (checkpoint, protocol, split) has its answers side by side: plain and with test-time flip; in the
    figures, left and right choose the one that the other parts show. Rows of the confusion matrix are what images are,
    columns what they were taken for; enter shows the images of a cell. tab goes to the next part.
    """

    name_in_registry: ClassVar[str] = "evaluation"

    def __init__(self, house: House, run: Run, file: str | None = None) -> None:
        super().__init__(house)
        self.run = run
        self.file = file
        self.entries: list[Entry] = []
        self.entry: Entry | None = None
        self.how = -1
        """Which of the entry's answers the parts show; -1: the most augmented."""
        self.went = False
        """Whether a person chose the cell under the cursor."""
        self.wrong: list[str] = []
        """What was told of files that cannot be read."""
        self.watch_answers = Watch(Answers(run), self.post_from_thread)

    def on_mount(self) -> None:
        self.say_head(None)
        self._say_empty("looking for evaluations …")
        self.watch_answers.start()
        self.set_interval(30, self._grow_older)

    def on_unmount(self) -> None:
        self.watch_answers.end()

    # -------------------------------------------------------- what is seen

    def on_answers_seen(self, message: AnswersSeen) -> None:
        """There are other answers than before."""
        before = {entry.key for entry in self.entries}
        self.entries = message.entries
        self.say_head(message)
        if not self.entries:
            self.entry = None
            self._say_empty(lines.nothing(self.run, message))
            return
        if self.has_class("-empty"):
            self.remove_class("-empty")
            self.lay_out()
            self.go_to_part(self.part)
        new = [entry for entry in self.entries if entry.key not in before]
        if before and new:
            self.tell(f"new: {new[0].title}" + (f", and {len(new) - 1} more" if len(new) > 1 else ""))
        self.show_entry(self._place())

    def _place(self) -> int:
        """The entry that was shown, or the one to begin with."""
        if self.entry is not None:
            keys = [entry.key for entry in self.entries]
            return keys.index(self.entry.key) if self.entry.key in keys else 0
        if self.file is None:
            return 0
        place = place_of(self.entries, self.file)
        if place is None:
            self.tell(f"{self.file} was not evaluated yet; these are the newest answers", "warning")
        return place or 0

    @property
    def place(self) -> int:
        """Where among the entries the one is that is shown."""
        return self.entries.index(self.entry) if self.entry in self.entries else 0

    @property
    def answer(self) -> Answer | None:
        """The answer that the parts show."""
        if self.entry is None:
            return None
        return self.entry.answers[self.how] if -1 <= self.how < len(self.entry.answers) else self.entry.main

    def show_entry(self, place: int) -> None:
        """Show an entry in all parts, with the cursor on its worst confusion, or on the cell that a person went to."""
        before, self.entry = self.entry, self.entries[place]
        if before is None or before.key != self.entry.key:
            self.how = -1
        if before is None or before.main.classes != self.entry.main.classes:
            self.went = False
        self._show_answer()
        if not self.went:
            self.query_one(ConfusionMatrix).go(*self.entry.worst)
            self._follow_cell()
        self._show_entries()
        self._show_epochs()

    def _show_entries(self) -> None:
        assert self.entry
        now = time.time()
        self.query_one(AnswerList).show([words.listed(entry, now) for entry in self.entries], self.place)
        self.query_one("#question", Static).update(lines.question(self.entry, self.place, len(self.entries)))

    def _grow_older(self) -> None:
        """The list says how old answers are."""
        if self.entry is not None:
            self._show_entries()

    def _show_answer(self) -> None:
        """Hand the answer to the parts."""
        entry, answer = self.entry, self.answer
        assert entry
        assert answer
        columns = [Scored(one.how, one.metrics) for one in entry.answers]
        notes = words.notes(self.run.name, entry, answer)
        self.query_one(Scores).show(entry.title, columns, entry.answers.index(answer), notes)
        of = answer.how if len(entry.answers) > 1 else ""
        self.query_one(ConfusionMatrix).show(answer.classes, answer.confusion, of)
        self.query_one(ClassBars).show(words.class_scores(answer))
        ece = answer.metrics.get("ece")
        bins = [Bin(*one) for one in answer.bins]
        self.query_one(Reliability).show(bins, "" if ece is None else f"ECE {written(ece)}")
        self._follow_cell()

    def _show_epochs(self) -> None:
        assert self.entry
        chart = self.query_one(LineChart)
        main = self.entry.main
        chart.title = " · ".join(word for word in ("top-1", main.stage, main.protocol, main.split) if word)
        ways = over_epochs(self.entries, self.entry)
        chart.show([Series(how, epochs, values) for how, (epochs, values) in ways.items()])

    # -------------------------------------------------------- words

    def say_head(self, seen: AnswersSeen | None) -> None:
        """Of which run, and how much there is."""
        self.query_one("#head", Static).update(lines.head(self.run, seen))
        wrong = seen.wrong if seen else []
        if set(wrong) - set(self.wrong):
            self.tell(wrong[0], "warning")
        self.wrong = wrong

    def say_words(self) -> None:
        """What is under the cursor."""
        answer = self.answer
        text = Text()
        if answer is not None and self.part == "reliability":
            part = self.query_one(Reliability)
            first, _, second = words.of_bin(part.bins, part.bin).partition("\n")
            text.append(first, "bold").append(f"\n{second}")
        elif answer is not None:
            matrix = self.query_one(ConfusionMatrix)
            text.append(words.of_cell(answer, matrix.truth, matrix.guess), "bold")
            if self._nothing_in_cell() is None:
                text.append("  enter shows them", "dim")
            text.append("\n" + words.of_class(answer, matrix.truth))
        self.query_one("#words", Static).update(text)

    def _say_empty(self, text: str) -> None:
        self.query_one("#empty", Static).update(Text(safe(text)))
        self.add_class("-empty")

    # -------------------------------------------------------- parts that follow one another

    def _follow_cell(self) -> None:
        self.query_one(ClassBars).go(self.query_one(ConfusionMatrix).truth)
        self.say_words()

    def on_confusion_matrix_cell_moved(self) -> None:
        """The list of classes follows."""
        self.went = True
        self._follow_cell()

    def on_confusion_matrix_cell_opened(self) -> None:
        """Its pictures."""
        self.action_do("open")

    def on_class_bars_class_moved(self, message: ClassBars.ClassMoved) -> None:
        """The matrix follows: to what the class is most taken for."""
        self.went = True
        if self.answer is not None:
            other, _ = words.most_taken_for(self.answer, message.place)
            self.query_one(ConfusionMatrix).go(message.place, other)
            self.say_words()

    def on_reliability_bin_moved(self) -> None:
        """Say what is in the bin."""
        self.say_words()

    def on_scores_answer_chosen(self, message: Scores.AnswerChosen) -> None:
        """Show another answer of the same question."""
        self.how = message.place
        self._show_answer()

    def on_answer_list_entry_chosen(self, message: AnswerList.EntryChosen) -> None:
        """Show another question."""
        if message.place < len(self.entries):
            self.show_entry(message.place)

    # -------------------------------------------------------- doing

    def why_not(self, name: str) -> str | None:
        """Most need an answer, the pictures need a mistake."""
        if name in ("open", "shares", "copy", "next_answer", "previous_answer", "sort") and self.entry is None:
            return "there is no evaluation yet"
        if name in ("next_answer", "previous_answer") and len(self.entries) == 1:
            return "this is the only one"
        if name == "open":
            return self._nothing_in_cell()
        return super().why_not(name)

    def _nothing_in_cell(self) -> str | None:
        """Why a cell has no mistakes to look at."""
        answer, matrix = self.answer, self.query_one(ConfusionMatrix)
        if answer is None or answer.confusion is None:
            return "this answer holds no confusion matrix"
        if matrix.truth == matrix.guess:
            return "these were recognised; mistakes are beside the diagonal"
        if not answer.confusion[matrix.truth, matrix.guess]:
            return words.of_cell(answer, matrix.truth, matrix.guess)
        return None

    def do_open(self) -> None:
        """The images of a cell."""
        answer, matrix = self.answer, self.query_one(ConfusionMatrix)
        assert answer
        asked = {
            "--truth": answer.classes[matrix.truth], "--guess": answer.classes[matrix.guess],
            "--checkpoint": answer.checkpoint, "--protocol": answer.protocol, "--split": answer.split,
        }  # fmt: skip
        options = [word for pair in asked.items() for word in pair] + ["--tta"] * (answer.how != "plain")
        self.enter("pictures", self.run.path, "mistakes", tuple(options))

    def do_shares(self) -> None:
        """Shares of a row, or images."""
        matrix = self.query_one(ConfusionMatrix)
        matrix.shares = not matrix.shares

    def do_sort(self) -> None:
        """Classes by another column."""
        self.query_one(ClassBars).sort()

    def do_next_answer(self) -> None:
        """The next question."""
        self.show_entry((self.place + 1) % len(self.entries))

    def do_previous_answer(self) -> None:
        """The question before."""
        self.show_entry((self.place - 1) % len(self.entries))

    def do_copy(self) -> None:
        """The figures as text."""
        assert self.entry
        self.app.copy_to_clipboard(words.to_copy(self.run.name, self.entry))
        self.tell(f"copied the figures of {self.entry.title}")
