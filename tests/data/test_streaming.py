"""Images decoded while training are those that the cache would hold."""

import multiprocessing
import subprocess
import sys
import time

import psutil
import pytest
import torch

from sslterm.data.catalog import DataError
from sslterm.data.open import open_dataset
from sslterm.data.streaming import StreamingDataset
from sslterm.presets import Data

CPU = torch.device("cpu")


def dataset(folder, **said):
    return open_dataset(Data(name="image_folder", folder=str(folder), **said), 8, folder.parent, progress=False)


def order(count=24, batch=5, seed=0):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).split(batch)


def alike(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def workers_left() -> list[psutil.Process]:
    """Workers are grandchildren: the fork server and the resource tracker, which stay, are our only children."""
    return [child for server in psutil.Process().children() for child in server.children(recursive=True)]


@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_batches_equal_cached_ones(workers, class_folders):
    cached = dataset(class_folders, stream="never")
    streamed = dataset(class_folders, stream="always", workers=workers)
    assert isinstance(streamed, StreamingDataset)
    assert torch.equal(streamed.labels, cached.labels)
    for fact in ("name", "classes", "first_test", "channels", "size", "mean", "std", "fingerprint"):
        assert getattr(streamed, fact) == getattr(cached, fact), fact
    for seed in range(2):
        assert alike(streamed.batches(order(seed=seed), CPU), cached.batches(order(seed=seed), CPU))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_batch_stays_as_it_is_until_the_next_one_is_asked_for(workers, class_folders):
    cached = dataset(class_folders, stream="never")
    streamed = dataset(class_folders, stream="always", workers=workers)
    for batch, same in zip(streamed.batches(order(batch=1), CPU), cached.batches(order(batch=1), CPU), strict=True):
        time.sleep(0.02)  # time enough for all that was asked for ahead
        assert torch.equal(batch, same)


def gone() -> bool:
    end = time.monotonic() + 5
    while workers_left() and time.monotonic() < end:
        time.sleep(0.05)
    return not workers_left() and not multiprocessing.active_children()


def test_workers_stay_from_epoch_to_epoch_and_end_with_the_data_set(class_folders):
    streamed = dataset(class_folders, stream="always", workers=2)
    list(streamed.batches(order(), CPU))
    workers = workers_left()
    assert len(workers) == 2
    list(streamed.batches(order(seed=1), CPU))
    list(streamed.batches(order(batch=2), CPU))
    assert workers_left() == workers
    del streamed
    assert gone()


def test_an_epoch_that_is_left_before_its_end_takes_its_workers_with_it(class_folders):
    streamed = dataset(class_folders, stream="always", workers=2)
    batches = streamed.batches(order(batch=1), CPU)
    next(batches)
    batches.close()
    assert gone()


def test_larger_batches_and_two_orders_at_once_are_served(class_folders):
    cached = dataset(class_folders, stream="never")
    streamed = dataset(class_folders, stream="always", workers=1)
    list(streamed.batches(order(batch=2), CPU))
    first, second = (streamed.batches(order(batch=7, seed=seed), CPU) for seed in (1, 2))
    pairs = [(one.clone(), other.clone()) for one, other in zip(first, second, strict=True)]
    for place, seed in enumerate((1, 2)):
        assert alike([pair[place] for pair in pairs], cached.batches(order(batch=7, seed=seed), CPU))


def test_streaming_leaves_the_random_numbers_of_the_run_alone(class_folders):
    streamed = dataset(class_folders, stream="always", workers=0)
    state = torch.get_rng_state()
    list(streamed.batches(order(), CPU))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_image_is_named_by_the_worker_too(workers, class_folders):
    streamed = dataset(class_folders, stream="always", workers=workers)
    (class_folders / "test" / "eel" / "1.png").write_bytes(b"spoilt")
    with pytest.raises(DataError, match=r"^\S*test/eel/1\.png is broken \([^\n]*\); replace or remove this file$"):
        list(streamed.batches(order(), CPU))


def test_statistics_are_kept_in_a_small_file(class_folders):
    first = dataset(class_folders, stream="always")
    kept = list((class_folders.parent / ".sslterm").glob("*.json"))
    assert len(kept) == 1
    kept[0].write_text(kept[0].read_text().replace(str(first.mean[0]), "0.25"))
    assert dataset(class_folders, stream="always").mean[0] == 0.25


def test_a_set_that_fits_is_not_streamed(class_folders):
    assert not isinstance(dataset(class_folders), StreamingDataset)


def test_the_server_of_workers_ends_with_the_run(class_folders):
    program = (
        "import sys, torch; from pathlib import Path; from sslterm.data.open import open_dataset\n"
        "from sslterm.presets import Data\n"
        "if __name__ == '__main__':\n"
        "    folder = Path(sys.argv[1])\n"
        "    data = open_dataset(Data(name='image_folder', folder=str(folder), stream='always'), 8, folder.parent)\n"
        "    print(sum(len(b) for b in data.batches([torch.arange(5)] * 3, torch.device('cpu'))))\n"
        "    import psutil; print(*[p.pid for p in psutil.Process().children(recursive=True)])\n"
    )
    script = class_folders.parent / "program.py"
    script.write_text(program)
    done = subprocess.run([sys.executable, script, class_folders], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    total, children = done.stdout.splitlines()
    assert total == "15"
    end = time.monotonic() + 5
    left = [int(pid) for pid in children.split()]
    while any(map(psutil.pid_exists, left)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in left)
