"""Evaluations of one run: how good is it, on what, and how does it fail?

answers.py   one answer out of a file, as far as it can be believed     entries.py  plain and augmented: one entry
look.py      new answers, read in a thread                              words.py    what is shown, in sentences
layout.py    which parts are seen together                              screen.py   the screen
"""

from __future__ import annotations

from sslterm.tui.screens.evaluation.screen import EvaluationScreen

__all__ = ["EvaluationScreen"]
