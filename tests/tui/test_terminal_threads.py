"""Work beside the screen: it ends with its thread, and keeps nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from pathlib import Path

import pytest

from sslterm.tui.app import SSLTerm
from sslterm.tui.screens.room import Room
from sslterm.tui.terminal.threads import Fresh


def test_results_and_errors_come_back() -> None:
    work = Fresh()
    assert work.submit(lambda a, b: a + b, 1, b=2).result(20) == 3
    with pytest.raises(ZeroDivisionError):
        work.submit(lambda: 1 / 0).result(20)


def test_much_work_is_done_at_once_and_nobody_waits_for_it_in_the_end() -> None:
    work, all_there = Fresh(), threading.Barrier(50)
    found = [work.submit(all_there.wait, 20) for _ in range(50)]
    assert sorted(future.result(20) for future in found) == list(range(50))
    work.submit(threading.Event().wait)  # forever
    work.shutdown(wait=True)


class Busy(Room):
    """A screen that has work done."""

    def on_mount(self) -> None:
        self.run_worker(lambda: "done", thread=True)


def test_a_screen_that_was_left_is_let_go_with_all_that_it_holds(tmp_path: Path) -> None:
    async def go() -> None:
        app = SSLTerm(tmp_path / "runs", tmp_path / "data")
        async with app.run_test(size=(60, 20)) as pilot:
            await pilot.pause()
            await app.push_screen(Busy(app.house))
            screen = weakref.ref(app.screen)
            await app.workers.wait_for_complete()
            await pilot.pause()
            await app.pop_screen()
            until = time.monotonic() + 20
            while screen() is not None:
                assert time.monotonic() < until, gc.get_referrers(screen())
                await pilot.pause(0.02)
                gc.collect()

    asyncio.run(go())
