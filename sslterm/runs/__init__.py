"""Run directories: what they hold, read by anyone, written by one. Knows neither torch nor numpy nor a screen."""

from sslterm.runs.directory import Run, RunError, RunNotFound, create, find, list_runs
from sslterm.runs.writer import RunWriter

__all__ = ["Run", "RunError", "RunNotFound", "RunWriter", "create", "find", "list_runs"]
