"""A real terminal for tests: tmux, without anybody's settings; keys go in, what is on the screen comes out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

TMUX = shutil.which("tmux")


class Terminal:
    """One tmux server with one window of a fixed size; it ends with whatever runs in it when the test ends."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self.socket = folder / "tmux"
        self.folder, self.size = folder, (width, height)

    def __enter__(self) -> Terminal:
        width, height = map(str, self.size)
        own = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR", "COLUMNS")}
        environment = {**own, "LANG": "C.UTF-8", "PS1": "$ ", "XDG_CONFIG_HOME": str(self.folder / "config")}
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "-c", str(self.folder), "sh",
            environment=environment,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str, environment: dict[str, str] | None = None) -> str:
        assert TMUX
        done = subprocess.run(
            [TMUX, "-S", str(self.socket), *words], capture_output=True, text=True, env=environment, check=False
        )
        return done.stdout

    def type(self, text: str) -> None:
        """Letters, as they are."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: Enter, Escape, C-r."""
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.05)  # or an Escape and what follows it would be one key with Alt

    def screen(self) -> str:
        """What is on it, as text."""
        return self._tmux("capture-pane", "-p")

    def waits(self, wanted: str | Callable[[str], bool], seconds: float = 30) -> str:
        """The screen, once it shows a text (a regular expression) or is as asked for; the last one when it never is."""
        fits = wanted if callable(wanted) else lambda text: re.search(wanted, text) is not None
        until = time.monotonic() + seconds
        while not fits(shown := self.screen()):
            assert time.monotonic() < until, f"never saw {wanted!r}; the screen at the end:\n{shown}"
            time.sleep(0.1)
        return shown
