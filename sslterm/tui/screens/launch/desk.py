"""Where drafts lie. A draft is written as soon as a preset is changed, so that nothing that was typed is ever lost.

runs/.sslterm/drafts/quickstart.toml       made of quickstart; quickstart-2.toml is the next one
runs/.sslterm/drafts/fine-tune/moco.toml   moco with weights to begin from and otherwise as shipped: made anew each time
"""

from __future__ import annotations

import threading
from pathlib import Path

from textual.message import Message

from sslterm.tui.screens.launch.shelf import Choice, write_draft


class Filed(Message):
    """A text lies in a file: `path`, or it cannot, and `trouble` says why. `purpose`: what it was wanted for."""

    def __init__(self, choice: Choice, text: str, purpose: str, path: Path | None, trouble: str = "") -> None:
        super().__init__()
        self.choice, self.text, self.purpose, self.path, self.trouble = choice, text, purpose, path, trouble

    @property
    def is_draft(self) -> bool:
        """Whether it was kept as a draft: it differs from what was chosen."""
        return self.path is not None and self.text != self.choice.text


class Desk:
    """Finds and writes the file of a text, for threads. What was typed last wins, whichever thread is quicker."""

    def __init__(self, drafts: Path) -> None:
        self.drafts = drafts
        self._lock = threading.Lock()
        self._files: dict[str, Path] = {}
        """The drafts of this sitting, by what they were made of."""
        self._newest: dict[Path, int] = {}

    def file(self, choice: Choice, text: str, age: int, purpose: str) -> Filed:
        """Have a file that holds this text; `age` counts up with every change. `purpose` "leave": what is made of it
        next time will be another draft."""
        try:
            with self._lock:
                path = self._file(choice, text, age)
                if purpose == "leave":
                    self._files.pop(choice.key, None)
                return Filed(choice, text, purpose, path)
        except OSError as error:
            trouble = f"{self.drafts}: the draft cannot be written ({error.strerror})"
            return Filed(choice, text, purpose, None, trouble)

    def _file(self, choice: Choice, text: str, age: int) -> Path:
        if text != choice.text:
            path = self._files.setdefault(choice.key, choice.file if choice.draft else self._free(choice.name))
        else:
            self._take_back(choice, age)
            if not choice.fine_tunes:
                return choice.file
            path = self.drafts / "fine-tune" / f"{choice.name}.toml"
        self._write(path, text, age)
        return path

    def _write(self, path: Path, text: str, age: int) -> None:
        if age >= self._newest.get(path, -1):
            self._newest[path] = age
            write_draft(path, text)

    def _take_back(self, choice: Choice, age: int) -> None:
        """What was changed was changed back: a draft is as it was, a copy of what is shipped is none."""
        path = self._files.get(choice.key)
        if path is None or age < self._newest.get(path, -1):
            return
        if choice.draft:
            self._write(path, choice.text, age)
        else:
            del self._files[choice.key]
            path.unlink(missing_ok=True)

    def _free(self, name: str) -> Path:
        """The first name that nothing has."""
        number, path = 1, self.drafts / f"{name}.toml"
        while path.exists():
            number += 1
            path = self.drafts / f"{name}-{number}.toml"
        return path

    def forget(self, path: Path) -> None:
        """A draft was started: the run has it now."""
        with self._lock:
            self._files = {key: file for key, file in self._files.items() if file != path}
            if path.parent == self.drafts:
                path.unlink(missing_ok=True)
