"""Run directories: what they hold, read by anyone, written by one. Knows neither torch nor numpy nor a screen."""

from sslterm.runs.directory import Run, RunError, RunNotFound, find, list_runs

__all__ = ["Run", "RunError", "RunNotFound", "find", "list_runs"]
