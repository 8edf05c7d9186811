"""Decoding by other processes."""

import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from sslterm.data import pool
from sslterm.data.catalog import DataError
from sslterm.data.folders import open_folder


@pytest.fixture
def processes_for_few(monkeypatch):
    monkeypatch.setattr(pool, "FEW", 0)


def decoded(folder):
    return np.concatenate(list(pool.decoded(folder.root, folder.files, 3, 12)))


def test_processes_and_threads_decode_alike(class_folders, monkeypatch):
    folder = open_folder("image_folder", class_folders)
    by_threads = decoded(folder)
    monkeypatch.setattr(pool, "FEW", 0)
    assert np.array_equal(decoded(folder), by_threads)
    assert by_threads.shape == (24, 3, 12, 12)


@pytest.mark.usefixtures("processes_for_few")
def test_a_broken_image_is_named_by_another_process_too(class_folders):
    path = class_folders / "train" / "eel" / "5.png"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train/eel/5\.png is broken"):
        decoded(open_folder("image_folder", class_folders))


def test_an_error_keeps_its_key_on_its_way():
    error = pickle.loads(pickle.dumps(DataError("does not fit", "data.size")))
    assert (str(error), error.key) == ("data.size: does not fit", "data.size")


@pytest.mark.skipif(pool.cores() < 2, reason="one core decodes without other processes")
def test_workers_end_when_their_run_is_killed(class_folders):
    script = class_folders.parent / "program.py"
    script.write_text(
        "import sys, time, psutil; from sslterm.data import pool; from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    pool.FEW = 0\n"
        "    pieces = pool.decoded(Path(sys.argv[1]), [f'train/cat/{i}.jpg' for i in (0, 2, 4)] * 100, 3, 12)\n"
        "    next(pieces)\n"
        "    print(*[child.pid for child in psutil.Process().children(recursive=True)], flush=True)\n"
        "    time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, script, class_folders], stdout=subprocess.PIPE, text=True)
    assert run.stdout
    workers = [int(pid) for pid in run.stdout.readline().split()]
    assert len(workers) >= 2
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    end = time.monotonic() + 10
    while (left := [pid for pid in workers if running(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
