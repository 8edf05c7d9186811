"""Processes of their own that come cheap: forked from a server that has loaded torch, which would take two seconds."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
# What commands and trainers import when they run; tensorboardX comes with a trainer's first row.
CONTEXT.set_forkserver_preload(
    ["sslterm.cli.commands", "sslterm.engine.check", "sslterm.engine.evaluate", "sslterm.engine.train", "tensorboardX"]
)
STREAMS = ("in", "out", "err")


def typed(
    *arguments: str, folder: Path | None = None, environment: dict[str, str] | None = None, answer: str = ""
) -> subprocess.CompletedProcess[str]:
    """What a shell sees of `sslterm`, typed in a folder, with `answer` on its standard input. Never a traceback."""
    with tempfile.TemporaryDirectory() as streams:
        (Path(streams) / "in").write_text(answer)
        words = (arguments, folder or Path.cwd(), environment or dict(os.environ), Path(streams))
        process = CONTEXT.Process(target=_type, args=words)
        process.start()
        process.join(120)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"sslterm {' '.join(arguments)} did not end")
        out, err = ((Path(streams) / name).read_text() for name in STREAMS[1:])
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _type(arguments: tuple[str, ...], folder: Path, environment: dict[str, str], streams: Path) -> None:
    """What such a process does."""
    for number, name in enumerate(STREAMS):
        os.dup2(os.open(streams / name, os.O_RDWR | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing gave it nothing to read
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["sslterm", *arguments]
    from sslterm.cli import main

    main()
