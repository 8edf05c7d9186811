"""Two who want the same thing at the same moment: one gets it, the other is told who has it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from family import PATIENCE, Family, eventually
from real import in_a_process

from sslterm import presets
from sslterm.jobs.supervisor import TAKEN
from sslterm.runs import Run, list_runs
from sslterm.runs.create import create
from sslterm.runs.directory import BadName

TINY = {
    "data": {"name": "shapes", "images": 160, "size": 16, "valid": 32},
    "encoder": {"name": "conv4"},
    "method": {"name": "supervised"},
    "monitor": {"every": 0},
    "precision": "fp32",
    "epochs": 1,
    "batch_size": 32,
}


def typed(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sslterm", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def both(*arguments: str) -> list[tuple[int, str, str]]:
    """The same command twice at once; exit code, stdout and stderr of each, the lower exit code first."""
    processes = [typed(*arguments), typed(*arguments)]
    said = [process.communicate(timeout=2 * PATIENCE) for process in processes]
    ended = [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]
    assert not any("Traceback" in text for one in ended for text in one[1:]), ended
    return sorted(ended)


def test_a_name_is_taken_once(runs_dir: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.toml"
    source.write_text("")
    settings = presets.resolve({"method": {"name": "simclr"}})
    for number in range(20):
        barrier, ends = threading.Barrier(3), []

        def make(barrier: threading.Barrier = barrier, ends: list[Any] = ends, name: str = f"r{number}") -> None:
            barrier.wait()
            try:
                ends.append(create(runs_dir, settings, source=source, name=name).name)
            except BadName as error:
                ends.append(error)

        threads = [threading.Thread(target=make) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, ends))[-1] == f"r{number}"
        assert sum(isinstance(end, BadName) for end in ends) == 2
    assert len(list_runs(runs_dir)) == 20
    assert len(list(runs_dir.iterdir())) == 20


def test_of_two_runs_of_one_name_one_trains(tmp_path: Path, runs_dir: Path, data_dir: Path) -> None:
    preset = tmp_path / "tiny.toml"
    preset.write_text(presets.dump(presets.resolve(TINY)))
    where = ("--runs-dir", str(runs_dir), "--data-dir", str(data_dir))
    first, second = both("run", str(preset), "--name", "same", *where)
    assert (first[0], second[0]) == (0, 2), (first, second)
    assert "there is a run of this name; choose another --name" in second[2]
    assert [run.name for run in list_runs(runs_dir)] == ["same"]


def test_of_two_supervisors_one_has_the_job(family: Family, figures: Counter[str]) -> None:
    for _ in range(10):
        first = Family(family.run)
        first.start("--steps", "50", "--pause", "0.002")
        family.start("--steps", "50", "--pause", "0.002")
        assert first.supervisor is not None
        assert family.supervisor is not None
        codes = sorted(one.wait(PATIENCE) for one in (first.supervisor, family.supervisor))
        assert codes == [0, TAKEN]
        assert family.settled() == "finished", family.told()
        figures["pairs that met"] += 1


def test_of_two_resumes_one_trains_and_the_other_says_who(
    make_run: Callable[..., Run], data_dir: Path, figures: Counter[str]
) -> None:
    run = make_run(written=TINY)
    first, second = both("resume", str(run.path), "--data-dir", str(data_dir))
    assert (first[0], second[0]) == (0, 1), (first, second)
    assert re.search(r"is being trained already \(process \d+ on .+\); follow it: sslterm watch", second[2])
    assert run.status()["attempt"] == 1
    figures["pairs that met"] += 1


def test_of_two_evals_one_works_and_both_answer(
    make_run: Callable[..., Run], data_dir: Path, figures: Counter[str]
) -> None:
    run = make_run(written=TINY)
    assert in_a_process(run, data_dir) == 0
    first, second = both("eval", str(run.path), "--json", "--data-dir", str(data_dir))
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert json.loads(first[1]) == json.loads(second[1])
    assert sum("following it" in one[2] for one in (first, second)) == 1
    assert eventually(lambda: len(list(run.evaluations.glob("*.json"))) == 1)
    figures["pairs that met"] += 1
