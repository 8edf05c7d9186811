"""What this machine does: found out without any library or driver, and said in as few words as there is room for."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from textual.content import Content

from sslterm.jobs.devices import CPU, Device
from sslterm.runs.locks import Lock
from sslterm.runs.summary import BLANK
from sslterm.tui.looking import gpus, machine
from sslterm.tui.looking.gpus import Gpu
from sslterm.tui.looking.machine import Held, Machine, MachineSeen, ThisMachine
from sslterm.tui.screens import runs_head
from sslterm.tui.widgets.top_line import fitted

H200 = Gpu("0", "GPU-aa", "H200", 87.0, 41.0, 139.0)
CUDA = Device("cuda:0", "cuda-0", {"CUDA_VISIBLE_DEVICES": "0"})
SAID = """\
0, GPU-8f1e, NVIDIA H200, 87, 42000, 143771
1, GPU-77aa, NVIDIA GeForce RTX 4090, [N/A], [N/A], 24564
what is this
"""


def look(runs_dir: Path, **more: object) -> Machine:
    message = ThisMachine(runs_dir, **more)()  # type: ignore[arg-type]
    assert isinstance(message, MachineSeen)
    return message.machine


class TestLooking:
    def test_a_device_is_held_as_long_as_somebody_holds_a_place_on_it(self, tmp_path: Path) -> None:
        key = look(tmp_path).devices[0].device.key
        with Lock(tmp_path / ".sslterm" / "devices" / f"{key}-0.lock"):
            assert look(tmp_path).devices[0].runs == 1
        assert look(tmp_path).devices[0].runs == 0

    def test_it_is_looked_at_every_two_seconds_at_most(self, tmp_path: Path) -> None:
        looker = ThisMachine(tmp_path)
        assert looker() is not None
        assert looker() is None

    def test_memory_and_processor_are_known_everywhere(self, tmp_path: Path) -> None:
        seen = look(tmp_path)
        assert seen.total > 0
        assert 0 <= seen.cpu <= 100

    def test_a_place_that_is_not_there_is_looked_at_all_the_same(self, tmp_path: Path) -> None:
        assert look(tmp_path / "runs").trouble == ""

    def test_a_disk_that_is_nearly_full_is_trouble(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "LITTLE", 1 << 62)
        assert "is nearly full" in look(tmp_path).trouble

    def test_gpus_that_do_not_answer_are_left_in_peace(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "EVERY", 0.0)
        asked = []

        def ask() -> None:
            asked.append(1)

        looker = ThisMachine(tmp_path, ask, lambda wanted: [CUDA])
        looker()
        looker()
        assert len(asked) == 1

    def test_a_gpu_is_known_by_its_number_or_its_name(self, tmp_path: Path) -> None:
        by_name = Device("cuda:1", "cuda-GPU-7", {"CUDA_VISIBLE_DEVICES": "GPU-7"})
        other = Gpu("1", "GPU-77aa", "H200", 0.0, 0.2, 139.2)
        devices = look(tmp_path, ask_gpus=lambda: [H200, other], candidates=lambda wanted: [CUDA, by_name]).devices
        assert [held.gpu and (held.gpu.index, held.gpu.total) for held in devices] == [("0", 139.0), ("1", 139.0)]


class TestGpus:
    def test_what_nvidia_smi_says_is_read_and_what_it_does_not_know_is_none(self) -> None:
        first, second = gpus.read(SAID)
        assert (first.model, first.busy, round(first.used or 0), round(first.total or 0)) == ("H200", 87.0, 41, 140)
        assert (second.model, second.busy, second.used) == ("RTX 4090", None, None)

    def test_without_nvidia_smi_nothing_is_known(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert gpus._by_command() is None

    @pytest.mark.parametrize(
        ("script", "found"), [("echo '0, GPU-a, NVIDIA H200, 1, 2, 3'", 1), ("exit 9", None), ("exec sleep 60", None)]
    )
    def test_it_is_asked_where_it_is_there_and_never_waited_for_long(
        self, script: str, found: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        command = tmp_path / "nvidia-smi"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(gpus, "LONGEST", 0.5)
        began = time.monotonic()
        said = gpus._by_command()
        assert (said if said is None else len(said)) == found
        assert time.monotonic() - began < 5

    @pytest.mark.parametrize("model", ["NVIDIA H200", "NVIDIA", "Tesla V100-SXM2-16GB", "x" * 2000])
    def test_a_model_has_a_short_name(self, model: str) -> None:
        assert 0 < len(gpus.short(model)) <= 16


def run(name: str, state: str = "running", device: str = "cuda:0") -> dict[str, object]:
    return {**BLANK, "name": name, "state": state, "device": device}


class TestWords:
    def test_rich_where_there_is_room_and_short_where_there_is_not(self) -> None:
        seen = Machine([Held(CUDA, 1, H200)], cpu=12, used=5, total=64)
        words = [said.rsplit("   ", 1)[0] for said in runs_head.right(seen, [run("moco-a1")])]
        assert words[0] == "cuda:0 H200 moco-a1 87 % 41/139 GB   cpu 12 %   5/64 GB"
        assert words[2:5] == ["cuda:0 moco-a1 87 %   cpu 12 %", "cuda:0 87 %   cpu 12 %", "cpu 12 %"]
        assert len(words[-1]) == 5  # the time alone

    def test_a_device_that_nobody_holds_is_free(self) -> None:
        seen = Machine([Held(CUDA, 0)], cpu=3)
        assert runs_head.right(seen, [run("a", "finished"), run("b", "queued")])[0].startswith("cuda:0 free   cpu")

    def test_several_on_one_device_are_counted(self) -> None:
        seen = Machine([Held(CUDA, 2, H200)])
        assert "2 runs" in runs_head.right(seen, [run("a"), run("b")])[0]
        assert "1 run " in runs_head.right(Machine([Held(CUDA, 1, H200)]), [])[0]  # an evaluation, say

    def test_many_devices_are_told_of_together(self) -> None:
        seen = Machine([Held(Device(f"cuda:{i}", f"cuda-{i}"), int(i < 3), H200) for i in range(8)])
        assert runs_head.right(seen, [])[0].startswith("8 devices, 5 free, 87 %")

    def test_a_machine_without_gpus_says_what_its_processor_does(self) -> None:
        assert runs_head.right(Machine([Held(CPU, 0)], cpu=7), [])[0].startswith("cpu 7 %   0/0 GB")
        assert runs_head.right(Machine([Held(CPU, 1)], cpu=7), [run("a", device="cpu")])[0].startswith("cpu a 7 %")

    def test_nothing_from_a_file_can_harm_the_line(self) -> None:
        listed = runs_head.Listed(Path("/runs\x1b[31m"), [run("a")], False, "[red]" * 99, 1, 2, True)
        for words in runs_head.left(listed):
            assert "\x1b" not in words.plain
            assert words.cell_length < 160
        assert "\x1b" not in runs_head.right(Machine([Held(CUDA, 1)]), [run("\x1b[2J" * 500)])[0]

    @pytest.mark.parametrize("width", range(0, 200, 9))
    def test_the_line_never_outgrows_the_screen_but_for_its_last_words(self, width: int) -> None:
        listed = runs_head.Listed(
            Path("/srv/lab/runs"), [run("a"), run("b", "failed")], True, "state:running", 1, 3, True
        )
        left = runs_head.left(listed)
        right = runs_head.right(Machine([Held(CUDA, 1, H200)], 12, 5, 64), [run("a")])
        assert fitted(left, right, width).cell_length <= max(width, left[-1].cell_length)

    def test_the_left_side_chooses_first(self) -> None:
        left = [Content("a long story"), Content("short")]
        assert fitted(left, ["12 o'clock sharp", "12:00"], 20).plain == "a long story   12:00"
        assert fitted(left, ["12 o'clock sharp", "12:00"], 13).plain == "short   12:00"
        assert fitted(left, ["12:00"], 6).plain == "short "
