"""What the C library does with memory that is given back."""

from __future__ import annotations

import contextlib
import ctypes


def keep_large_blocks() -> None:
    """Let glibc keep the memory of large temporaries for the next step or image.

    Otherwise it goes back to the kernel, and every page of it is paid for again. Elsewhere, and where glibc cannot be
    asked, nothing happens.
    """
    trim_threshold, mmap_threshold = -1, -3  # as in malloc.h
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        if libc.gnu_get_libc_version:
            libc.mallopt(mmap_threshold, 2**30)
            libc.mallopt(trim_threshold, 2**31 - 1)
