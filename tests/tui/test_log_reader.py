"""A log is read from its end, in bounded pieces, and shown harmlessly; whatever becomes of the file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sslterm.tui.looking.log_reader import AT_ONCE, KEPT, LONGEST, LogRead, LogReader, beginning, logs_of, shown


def look(reader: LogReader) -> LogRead | None:
    found = reader()
    assert found is None or isinstance(found, LogRead)
    return found


def test_lines_come_once_and_a_torn_one_waits(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\ntwo\nhal")
    reader = LogReader(log)
    first = look(reader)
    assert first is not None
    assert (first.lines, first.afresh) == (["one", "two"], True)
    assert look(reader) is None
    with log.open("ab") as file:
        file.write(b"f\nthree\n")
    second = look(reader)
    assert second is not None
    assert (second.lines, second.afresh) == (["half", "three"], False)


def test_a_log_that_is_not_there_yet_or_no_longer_is_empty(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    reader = LogReader(log)
    first = look(reader)
    assert first is not None
    assert first.lines == []
    assert look(reader) is None
    log.write_text("one\n")
    assert look(reader).lines == ["one"]  # type: ignore[union-attr]
    log.unlink()
    gone = look(reader)
    assert gone is not None
    assert gone.afresh
    log.write_text("another one\n")
    again = look(reader)
    assert again is not None
    assert (again.lines, again.afresh) == (["another one"], True)


def test_a_log_that_was_cut_is_read_afresh(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("a long first line\n" * 3)
    reader = LogReader(log)
    look(reader)
    log.write_text("short\n")
    again = look(reader)
    assert again is not None
    assert (again.lines, again.afresh) == (["short"], True)


@pytest.mark.parametrize("lines", [1, 3, 100, 10_000])
def test_the_end_is_found_from_behind(tmp_path: Path, lines: int) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"".join(b"line %d %s\n" % (n, b"x" * (n % 200)) for n in range(10_000)))
    start, size = beginning(log, lines)
    assert size == log.stat().st_size
    assert len(log.read_bytes()[start:].splitlines()) == lines
    assert log.read_bytes()[start:].startswith(b"line %d " % (10_000 - lines))
    assert beginning(log, lines, most=0) == (size, size)


def test_a_log_of_half_a_gigabyte_opens_at_once(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with log.open("wb") as file:
        file.truncate(500 << 20)  # takes no room on the disk
        file.seek(0, 2)
        file.write(b"\n" + b"".join(b"line %d\n" % n for n in range(KEPT + 5)))
    began = time.monotonic()
    found = look(LogReader(log))
    assert found is not None
    assert len(found.lines) == KEPT
    assert found.lines[-1] == f"line {KEPT + 4}"
    assert time.monotonic() - began < 2


def test_much_that_is_added_comes_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("")
    reader = LogReader(log)
    look(reader)
    with log.open("a") as file:
        file.writelines(f"{n}\n" for n in range(AT_ONCE * 2 + 1))
    pieces = [look(reader) for _ in range(3)]
    assert [len(piece.lines) for piece in pieces if piece] == [AT_ONCE, AT_ONCE, 1]
    assert look(reader) is None


def test_nothing_in_a_line_can_move_the_cursor() -> None:
    said = list(
        shown(b"\x1b[31mred\x1b[0m\n 10%\r 20%\r\r\na\tb\x07\x1b]0;title\x07\n\xff\xfe[b]\n" + b"x" * 9000 + b"\n")
    )
    assert said[:4] == ["red", " 20%", "a   b�", "��[b]"]
    assert len(said[4]) == LONGEST
    assert said[4].endswith("…")


def test_the_logs_of_a_run_begin_with_training(tmp_path: Path) -> None:
    assert logs_of(tmp_path) == []
    (tmp_path / "logs").mkdir()
    for name in ("eval-1.log", "train.log", "eval-2.log", "other.txt"):
        (tmp_path / "logs" / name).write_text("")
    assert {path.name for path in logs_of(tmp_path)} == {"eval-1.log", "train.log", "eval-2.log"}
    assert logs_of(tmp_path)[0].name == "train.log"
