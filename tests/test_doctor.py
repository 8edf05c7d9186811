"""`sslterm doctor`: what it finds on machines made by hand, and that it finds something on any."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest

from sslterm import doctor
from sslterm.doctor import Finding, clock, data, disk, limits, machine, session, software
from sslterm.jobs import logind


def of_level(findings: Iterable[Finding], level: str) -> list[Finding]:
    return [finding for finding in findings if finding.level == level]


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def booted(tmp_path: Path) -> Path:
    """The root of a machine that systemd runs."""
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    return tmp_path / "root"


def command(folder: Path, name: str, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name, found before any other."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


# ---------------------------------------------------------------- logind


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        ({}, False),
        ({"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=no\n"}, False),
        ({"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=yes\n"}, True),  # shown as built in
        ({"usr/lib/systemd/logind.conf": "[Login]\n#KillUserProcesses=yes\n"}, True),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, True),
        ({"etc/systemd/logind.conf": "[Login]\n KillUserProcesses = On \n"}, True),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=perhaps\n"}, False),
        ({"etc/systemd/logind.conf": "[Other]\nKillUserProcesses=yes\n"}, False),
        ({"etc/systemd/logind.conf": "KillUserProcesses=yes\n"}, False),
        # a drop-in has the last word, the later name before the earlier
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=no\n",
          "usr/lib/systemd/logind.conf.d/10-kill.conf": "[Login]\nKillUserProcesses=yes\n"}, True),
        ({"etc/systemd/logind.conf.d/10-a.conf": "[Login]\nKillUserProcesses=yes\n",
          "usr/lib/systemd/logind.conf.d/20-b.conf": "[Login]\nKillUserProcesses=no\n"}, False),
        # of the same name, that of /etc counts
        ({"etc/systemd/logind.conf.d/10.conf": "[Login]\nKillUserProcesses=no\n",
          "usr/lib/systemd/logind.conf.d/10.conf": "[Login]\nKillUserProcesses=yes\n"}, False),
        ({"etc/systemd/logind.conf.d/10.txt": "[Login]\nKillUserProcesses=yes\n"}, False),
        # of the main file, only the first
        ({"etc/systemd/logind.conf": "[Login]\n",
          "usr/lib/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, False),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root anna\n"}, False),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root \\\n anna\n"}, False),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bert\n"}, False),
        ({"etc/systemd/logind.conf": "[Login]\nKillOnlyUsers=bert\nKillOnlyUsers=anna\n"}, True),
    ],
)  # fmt: skip
def test_whether_logind_kills_is_read_as_logind_reads_it(booted: Path, files: dict[str, str], kills: bool) -> None:
    assert logind.kills_user_processes(write(booted, files), "anna") is kills


def test_root_is_spared_unless_the_exception_is_taken_away(booted: Path) -> None:
    write(booted, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"})
    assert not logind.kills_user_processes(booted, "root")
    write(booted, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n"})
    assert logind.kills_user_processes(booted, "root")


def test_nobody_kills_where_systemd_does_not_run(tmp_path: Path) -> None:
    write(tmp_path, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"})
    assert not logind.kills_user_processes(tmp_path, "anna")
    assert "no logind" in next(session.logout(tmp_path, "anna")).text


def test_garbage_in_logind_conf_is_passed_over(booted: Path) -> None:
    file = write(booted, {"etc/systemd/logind.conf": ""}) / "etc/systemd/logind.conf"
    file.write_bytes(b"\xff\x00[Login]\n[\n=\n\\\n===\x1b\n[Login]\nKillUserProcesses=yes\n")
    assert logind.kills_user_processes(booted, "anna")


def test_a_scope_is_used_only_where_logind_kills_and_a_scope_works(
    booted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path / "bin", "systemd-run", "exit 0", monkeypatch)
    assert logind.scope_prefix(booted, "anna") == []
    write(booted, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"})
    assert logind.scope_prefix(booted, "anna") == ["systemd-run", "--user", "--scope", "--quiet", "--collect"]
    command(tmp_path / "bin", "systemd-run", "echo no bus >&2; exit 1", monkeypatch)
    assert logind.scope_prefix(booted, "anna") == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert logind.scope_prefix(booted, "anna") == []


def test_the_scope_is_of_the_standard_form_and_keeps_the_process(tmp_path: Path) -> None:
    """Whoever starts a supervisor trusts the number of the process that it started."""
    if not logind.scopes_work():
        pytest.skip("systemd-run --user does not work here")
    prefix = ["systemd-run", "--user", "--scope", "--quiet", "--collect"]
    with subprocess.Popen([*prefix, sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1) as child:
        assert int(child.communicate()[0]) == child.pid


def test_training_that_ends_at_logout_is_bad_and_linger_mends_it(
    booted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(booted, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"})
    command(tmp_path / "bin", "systemd-run", "exit 1", monkeypatch)
    [finding] = session.logout(booted, "anna")
    assert finding.level == "bad"
    assert finding.fix
    assert "KillExcludeUsers=root anna" in finding.fix
    command(tmp_path / "bin", "systemd-run", "exit 0", monkeypatch)
    [finding] = session.logout(booted, "anna")
    assert (finding.level, finding.fix) == ("bad", "loginctl enable-linger anna")
    write(booted, {"var/lib/systemd/linger/anna": ""})
    [finding] = session.logout(booted, "anna")
    assert finding.level == "good"


def test_a_terminal_of_the_users_own_systemd_needs_linger_too(booted: Path) -> None:
    write(booted, {"proc/self/cgroup": f"0::/user.slice/user@{os.getuid()}.service/app.slice/terminal.scope\n"})
    [finding] = session.logout(booted, "anna")
    assert (finding.level, finding.fix) == ("bad", "loginctl enable-linger anna")
    write(booted, {"var/lib/systemd/linger/anna": ""})
    assert next(session.logout(booted, "anna")).level == "good"


# ---------------------------------------------------------------- cores and memory


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "100000 100000\n",
          "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n"}, 1.0),
        ({"proc/self/cgroup": "3:cpu,cpuacct:/docker/x\n1:name=systemd:/\n",
          "sys/fs/cgroup/cpu,cpuacct/cpu.max": "", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ({"proc/self/cgroup": "3:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, None),
    ],
)  # fmt: skip
def test_the_tightest_control_group_grants_the_cores(tmp_path: Path, files: dict[str, str], share: float) -> None:
    assert limits.core_share(write(tmp_path, files)) == share


def test_more_threads_than_cores_are_noted_with_the_number_that_fits(tmp_path: Path) -> None:
    usable = limits.affinity()
    findings = list(machine.cores({"OMP_NUM_THREADS": str(usable + 7)}, tmp_path))
    assert f"export OMP_NUM_THREADS={usable}" in [finding.fix for finding in findings]
    write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"})
    findings = list(machine.cores({}, tmp_path))
    assert "grants the time of 0.5" in findings[0].text
    assert ("export OMP_NUM_THREADS=1" in [finding.fix for finding in findings]) is (usable > 1)


@pytest.mark.parametrize("said", ["many", "0", "-1", "1.5"])
def test_a_number_of_threads_that_is_none_is_noted(said: str, tmp_path: Path) -> None:
    findings = list(machine.cores({"OMP_NUM_THREADS": said}, tmp_path))
    assert findings[-1].fix == "unset OMP_NUM_THREADS"


MEMORY = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\n"


def test_memory_is_the_lesser_of_the_machine_and_the_control_group(tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": MEMORY})
    [finding] = machine.memory(tmp_path)
    assert (finding.level, finding.text) == ("good", "8.0 GiB of 16.0 GiB are free")
    group = {
        "proc/self/cgroup": "0::/box\n",
        "sys/fs/cgroup/box/memory.max": str(4 * 2**30),
        "sys/fs/cgroup/box/memory.current": str(4 * 2**30 - 2**20),
        "sys/fs/cgroup/box/memory.stat": f"anon 5\ninactive_file {3 * 2**30}\n",
    }
    [finding] = machine.memory(write(tmp_path, group))
    assert finding.text.endswith("allows 4.0 GiB, of which 3.0 GiB are free")  # copies of files can be dropped
    [finding] = machine.memory(write(tmp_path, {"sys/fs/cgroup/box/memory.stat": ""}))
    assert finding.level == "bad"


def test_the_old_control_groups_way_to_say_no_limit_is_understood(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/box\n",
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1000",
    }
    assert limits.memory(write(tmp_path, files)) is None


# ---------------------------------------------------------------- disk, clock, terminal


def test_a_folder_is_tried_by_saving_and_locking_in_it_and_left_as_it_was(tmp_path: Path) -> None:
    findings = list(disk.runs(tmp_path / "runs"))
    assert f"will be made in {tmp_path}" in findings[0].text
    assert " ms" in findings[0].text
    assert not of_level(findings, "bad")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_bad_for_runs(tmp_path: Path) -> None:
    """/proc refuses even an administrator."""
    place = Path("/proc") if Path("/proc").is_dir() else tmp_path
    if place == tmp_path:
        tmp_path.chmod(0o500)
    [finding] = disk.runs(place / "runs")
    assert finding.level == "bad"
    assert "cannot be written" in finding.text
    assert finding.fix


def test_data_that_can_only_be_read_are_no_misfortune() -> None:
    if not Path("/proc").is_dir():
        pytest.skip("no folder here that nobody can write to")
    assert [finding.level for finding in disk.data(Path("/proc"))] == ["note"]
    assert [finding.level for finding in disk.data(Path("/proc/data"))] == ["bad"]


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    for folder in (tmp_path / "runs", tmp_path / "runs/below"):
        [finding] = disk.runs(folder)
        assert finding.level == "bad"
        assert f"{tmp_path / 'runs'} is not a folder" in finding.text


@pytest.mark.parametrize(("kind", "word"), [("nfs4", "network"), ("tmpfs", "memory"), ("overlay", "container")])
def test_file_systems_that_promise_less_are_known(kind: str, word: str, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw 0 0\nb /far\\040away {kind} rw 0 0\nc /far xfs rw 0 0\nbroken\n")
    assert disk.file_system(Path("/far away/runs"), mounts) == kind
    assert disk.file_system(Path("/far/runs"), mounts) == "xfs"
    assert disk.file_system(Path("/elsewhere"), mounts) == "ext4"
    assert disk.file_system(Path("/"), tmp_path / "none") == ""
    assert word in next(disk._kind(Path("runs"), kind)).text


def test_a_clock_of_another_century_is_bad(tmp_path: Path) -> None:
    for now in (0, 4.2e9 + 2**31):
        finding = next(clock.clock(tmp_path, now))
        assert finding.level == "bad"
        assert finding.fix
    assert next(clock.clock(tmp_path)).level == "good"


def test_a_run_made_later_than_now_shows_that_the_clock_went_back(tmp_path: Path) -> None:
    now = time.time()
    made = {"a": now, "b": now + 7200, "c": "yesterday", "d": math.inf, "e": None}
    write(tmp_path, {f"{name}/run.json": json.dumps({"created": created}) for name, created in made.items()})
    write(tmp_path, {"f/run.json": "{", "g/run.json": "[]"})
    [finding] = of_level(clock.clock(tmp_path, now), "note")
    assert finding.text.startswith("d was made more than a century from now (2 runs are)")
    (tmp_path / "d/run.json").unlink()
    [finding] = of_level(clock.clock(tmp_path, now), "note")
    assert finding.text.startswith("b was made 2h00m from now")
    assert not of_level(clock.clock(tmp_path, now + 7200), "note")


def test_the_terminal_is_described_in_words() -> None:
    there = {"TERM": "tmux-256color", "TMUX": "x", "SSH_CONNECTION": "y", "LANG": "en_GB.UTF-8"}
    text = next(session.terminal(there)).text
    assert all(word in text for word in ("TERM=tmux-256color", "256 colours", "inside tmux", "over SSH"))
    assert "16 million" in next(session.terminal({**there, "COLORTERM": "truecolor"})).text
    assert "NO_COLOR" in next(session.terminal({**there, "NO_COLOR": "1"})).text


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS is UTF-8 whatever the locale says")
def test_a_locale_without_utf8_is_noted() -> None:
    noted = list(session.terminal({"TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "POSIX"}))
    assert "export LANG=C.UTF-8" in [finding.fix for finding in noted]


# ---------------------------------------------------------------- packages and data


def test_a_package_that_is_missing_or_too_old_is_named_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = "Requires-Dist: typer<999,>=0.1\nRequires-Dist: pydantic>=999.0\nRequires-Dist: nowhere-to-be-found\n"
    asks += "Requires-Dist: neither-this; extra == 'dev'\n"
    head = "Metadata-Version: 2.1\nName: pretended\nVersion: 1.0\n"
    write(tmp_path, {"pretended-1.0.dist-info/METADATA": head + asks})
    monkeypatch.syspath_prepend(tmp_path)
    missing = of_level(software.packages("pretended"), "bad")
    assert [finding.text.split()[0] for finding in missing] == ["pydantic", "nowhere-to-be-found"]
    assert missing[0].fix
    assert "pip install 'pydantic>=999.0'" in missing[0].fix


@pytest.mark.parametrize(
    ("has", "least", "enough"),
    [("1.0", "1", True), ("1.0.0", "1.0", True), ("1.9", "1.10", False), ("2.15.0+cu132", "2.4", True),
     (None, "0", False)],
)  # fmt: skip
def test_versions_compare_as_numbers(has: str | None, least: str, enough: bool) -> None:
    assert software._enough(has, least) is enough


def test_data_sets_that_are_here_are_told_from_those_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cifar-10-python.tar.gz").touch()
    here, others = next(data.sets(tmp_path)).text.split(";")
    assert "cifar10" in here
    assert "cifar100" in others
    assert list(data.caches(tmp_path)) == []
    write(tmp_path / ".sslterm", {"shapes-32-abc/meta.json": "{}", "shapes-32-abd.part/meta.json": "{}"})
    whole, torn = data.caches(tmp_path)
    assert whole.text.startswith("1 decoded data set in ")
    assert "half made" in torn.text


# ---------------------------------------------------------------- the whole


def test_every_subject_is_looked_at_and_nothing_fails(tmp_path: Path) -> None:
    findings = list(doctor.examine(tmp_path / "runs", tmp_path / "data"))
    assert {finding.subject for finding in findings} == {
        "python", "sslterm", "packages", "cores", "memory", "files", "disk", "clock", "terminal", "logout", "data",
        "torch", "device", "precision",
    }  # fmt: skip
    assert not [finding.text for finding in findings if "could not be found out" in finding.text]
    assert all(finding.fix for finding in findings if finding.level == "bad")
    json.dumps([asdict(finding) for finding in findings])
    assert not list(tmp_path.iterdir())


def test_a_look_that_fails_becomes_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that we stand in is gone, so that no relative path leads anywhere."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    findings = list(_until_torch(Path("runs")))
    failed = [finding for finding in findings if "could not be found out (FileNotFoundError" in finding.text]
    assert {finding.subject for finding in failed} >= {"disk"}
    assert {finding.subject for finding in findings} >= {"python", "cores", "clock", "logout"}


def _until_torch(folder: Path) -> Iterable[Finding]:
    for finding in doctor.examine(folder, folder):
        if finding.subject == "torch":
            return
        yield finding


def test_text_from_outside_cannot_control_the_terminal() -> None:
    shown = doctor.text(Finding("disk", "bad", "runs\x1b[2J\nnext", "mend\x07 it"))
    assert not set(shown) & set("\x1b\x07")
    assert shown.splitlines() == ["✗ bad   disk       runs�[2J next", f"{'':<19}fix: mend� it"]


def test_a_terminal_without_utf8_gets_plain_glyphs() -> None:
    code = "from sslterm import doctor; print(doctor.text(doctor.Finding('disk', 'bad', 'r\\xfcns \\u753b', None)))"
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, check=True)
    assert done.stdout == "x bad   disk       rüns ?\n".encode("latin-1")


def test_the_first_findings_come_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom sslterm import doctor\n"
        "findings = doctor.examine(Path(sys.argv[1]), Path(sys.argv[1]))\n"
        "while next(findings).subject != 'logout': pass\n"
        "print([name for name in ('torch', 'numpy', 'textual') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_looking_at_logind_loads_only_the_standard_library() -> None:
    code = "import sys; from sslterm.jobs import logind; print([n for n in ('pydantic', 'typer') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
