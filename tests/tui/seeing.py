"""What is on the screen of an app under test, and waiting for it to be as it should."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot


def text(app: App[Any]) -> str:
    """What is on the screen, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


async def seen(pilot: Pilot[None], true: Callable[[str], bool]) -> str:
    """The screen, as soon as it is as it should be."""
    until = time.monotonic() + 20
    while True:
        await pilot.pause()
        shown = text(pilot.app)
        if true(shown):
            return shown
        assert time.monotonic() < until, shown
        await asyncio.sleep(0.02)
