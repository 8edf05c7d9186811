"""TensorBoard's events can be read, and can never stop a run."""

from __future__ import annotations

import math
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sslterm.engine import tensorboard
from sslterm.engine.tensorboard import TensorBoard


def crc32c(content: bytes) -> int:
    """Bit by bit, as RFC 3720 defines it (and masked, as TFRecord does)."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events(path: Path) -> Iterator[object]:
    """Every whole record of an event file, its checksums checked."""
    from tensorboardX.proto.event_pb2 import Event

    content, place = path.read_bytes(), 0
    while place + 12 <= len(content):
        length, checksum = struct.unpack_from("<QI", content, place)
        assert crc32c(content[place : place + 8]) == checksum
        record = content[place + 12 : place + 12 + length]
        place += 16 + length
        if place > len(content):
            return
        assert crc32c(record) == struct.unpack_from("<I", content, place - 4)[0]
        yield Event.FromString(record)


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    (path,) = folder.iterdir()
    return [(e.step, value.tag, value.simple_value) for e in events(path) for value in e.summary.value]


@pytest.fixture
def a_full_disk() -> Iterator[None]:
    """No file grows beyond 2,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with TensorBoard(tmp_path / "tensorboard") as board:
        board.write(1, {"loss": 2.5, "kNN top-1": 0.25})
        board.write(300, {"loss": -1.0})
        board.write(301, {})
    assert scalars(tmp_path / "tensorboard") == [(1, "loss", 2.5), (1, "kNN top-1", 0.25), (300, "loss", -1.0)]
    assert board.failed is None


def test_tensorboard_knows_the_file_by_its_name_and_its_first_event(tmp_path: Path) -> None:
    with TensorBoard(tmp_path):
        (path,) = tmp_path.iterdir()
        assert path.name.startswith("events.out.tfevents.")
        assert [event.file_version for event in events(path)] == ["brain.Event:2"]


def test_each_attempt_has_a_file_of_its_own_that_sorts_behind_the_others(tmp_path: Path) -> None:
    made: list[Path] = []
    for _ in range(3):
        with TensorBoard(tmp_path) as board:
            board.write(1, {"loss": 1.0})
        made += set(tmp_path.iterdir()) - set(made)
    assert made == sorted(made)
    assert len(made) == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_a_value_need_not_be_finite(value: float, tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.write(1, {"loss": value})
    ((_, _, read),) = scalars(tmp_path)
    assert not math.isfinite(read)
    assert board.failed is None


def test_events_wait_in_memory_but_not_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TensorBoard(tmp_path) as board:
        board.write(1, {"loss": 1.0})
        assert scalars(tmp_path) == []
        monkeypatch.setattr(tensorboard, "FLUSH_SECONDS", 0.0)
        board.write(2, {"loss": 1.0})
        assert [step for step, _, _ in scalars(tmp_path)] == [1, 2]


@pytest.mark.usefixtures("a_full_disk")
@pytest.mark.parametrize("flush_seconds", [0.0, 5.0])
def test_a_full_disk_switches_the_board_off_and_what_it_took_stays(
    flush_seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tensorboard, "FLUSH_SECONDS", flush_seconds)
    with TensorBoard(tmp_path) as board:
        for step in range(1000):
            board.write(step, {"loss": 1.0})
        assert bool(board.failed) == (flush_seconds == 0)
    assert board.failed
    assert "could not be written (File too large); training goes on without" in board.failed
    steps = [step for step, _, _ in scalars(tmp_path)]
    assert steps == list(range(len(steps)))
    assert len(steps) > 20
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("taken", ["", "tensorboard"])
def test_a_folder_that_cannot_be_made_is_a_sentence(taken: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with TensorBoard(tmp_path / "file" / taken) as board:
        board.write(1, {"loss": 1.0})
    assert board.failed
    assert board.failed.startswith(f"{tmp_path / 'file' / taken}: events for TensorBoard could not be written (")


def test_no_thread_is_started(tmp_path: Path) -> None:
    before = threading.active_count()
    with TensorBoard(tmp_path):
        assert threading.active_count() == before


def test_a_tensorboardx_that_cannot_be_loaded_is_a_sentence(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.modules['tensorboardX'] = None\n"
        "from sslterm.engine.tensorboard import TensorBoard\n"
        f"with TensorBoard(Path({str(tmp_path)!r})) as board: board.write(1, dict(loss=1.0))\n"
        "print(board.failed)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "could not be written (No module named 'tensorboardX.proto'" in done.stdout
    assert done.stderr == ""
