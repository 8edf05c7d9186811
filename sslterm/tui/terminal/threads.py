"""A thread for every piece of work beside the screen, which ends with it.

Those of asyncio's pool live on, and so does what each of them did last: Textual leaves it in the thread's context, with
the screen that asked for it and all curves on it. They are also waited for when the program ends; nobody wants to wait
for a disk that does not answer, only to leave.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Fresh(ThreadPoolExecutor):
    """Starts a thread for each piece of work. A ThreadPoolExecutor because asyncio takes nothing else."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin at once."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, daemon=True, name="beside the screen").start()
        return future
