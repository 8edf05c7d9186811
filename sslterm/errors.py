"""Errors that are meant for people: the text is a sentence with what is wrong, where, and what would be right."""

from __future__ import annotations

from typing import ClassVar


class UserError(ValueError):
    """Something a person can mend. `exit_code`: 1 the work failed, 2 usage or preset, 3 not found, 130 interrupted."""

    exit_code: ClassVar[int] = 1


class UsageError(UserError):
    """A command that cannot be what was meant."""

    exit_code = 2
