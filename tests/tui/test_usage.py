"""What a trainer takes: of a living one its memory, of a dead one nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslterm.runs import Run, files
from sslterm.runs.identity import Identity
from sslterm.tui.looking import usage
from sslterm.tui.looking.usage import TrainerUsage, Usage, UsageSeen


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainerUsage:
    monkeypatch.setattr(usage, "EVERY", 0.0)
    (tmp_path / "jobs" / "train").mkdir(parents=True)
    return TrainerUsage(Run(tmp_path))


def works(look: TrainerUsage, worker: object) -> None:
    files.write_json(look._job.folder / "job.json", {"worker": worker, "device": "cpu"})


def test_a_living_trainer_takes_memory_and_a_dead_one_nothing(look: TrainerUsage) -> None:
    assert look() is None  # nobody works
    works(look, Identity.mine().written())
    seen = look()
    assert isinstance(seen, UsageSeen)
    assert seen.usage.memory is not None
    assert seen.usage.memory > 1 << 20
    assert seen.usage.gpu is None
    works(look, {**Identity.mine().written(), "start": 1})  # the number of another one now
    gone = look()
    assert isinstance(gone, UsageSeen)
    assert gone.usage == Usage()
    works(look, ["damaged"])
    assert look() is None
