"""How a command answers: data on stdout, sentences on stderr, an exit code; a mistake becomes a sentence."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

DONE, FAILED, USAGE, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 130


@contextmanager
def answering() -> Iterator[None]:
    """What goes wrong becomes a sentence on stderr and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        end("ended at once; what was saved stays", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAILED) from None
    except Exception as error:
        known = code(error)
        if known is None:
            raise
        end(sentence(error), known)


def sentence(error: Exception) -> str:
    """Our own errors are sentences already; those of the system name the file and what ails it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error)


def say(text: object) -> None:
    """A sentence on stderr, for stdout is data."""
    from sslterm.tables import safe

    print(safe(text), file=sys.stderr, flush=True)


def end(text: object, code: int) -> NoReturn:
    """A last sentence, and the exit code."""
    say(text)
    raise SystemExit(code) from None


def log(text: object) -> None:
    """A sentence for a job's log, as its followers expect it."""
    say(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}")


def leave(code: int) -> NoReturn:
    """End this very process. Everything is written, and taking torch apart in good order takes seconds."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def refuse(wrong: bool, text: str) -> None:
    """An option that cannot be what was meant."""
    if wrong:
        end(text, USAGE)


def code(error: Exception) -> int | None:
    """The exit code of an error that is meant for people; None for our own mistakes."""
    if isinstance(error, FileNotFoundError):
        return NOT_FOUND
    return getattr(error, "exit_code", FAILED if isinstance(error, OSError) else None)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> str:
    """Aligned columns; see `sslterm.tables`."""
    from sslterm import tables

    return tables.table(headings, rows, right)
