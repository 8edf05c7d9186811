"""The commands as a person types them: real processes, exit codes, stdout for data and stderr for the rest."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from forked import typed

SMALL = """
title = "Small"
batch_size = 32
epochs = 2
data = { name = "digits", valid = 100 }
encoder = { name = "conv4" }
monitor = { bank = 200, queries = 100 }
[[stage]]
name = "pretrain"
method = { name = "simclr" }
[[stage]]
name = "probe"
method = { name = "supervised", train = "head" }
optimizer = { name = "adam", lr = 0.01 }
"""


class Shell:
    """A directory where commands are typed."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SSLTERM_DATA": str(data_dir), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
        self.environment.pop("SSLTERM_RUNS", None)
        (folder / "small.toml").write_text(SMALL)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A new Python, for what is watched, signalled or waited for while it goes on."""
        return subprocess.Popen(
            [sys.executable, "-m", "sslterm", *arguments],
            cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return typed(*arguments, folder=self.folder, environment=self.environment)

    def close(self) -> None:
        """What a test left at work here when it failed ends with it, and takes no core from all the others."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.cwd() == str(self.folder):
                    process.kill()


@pytest.fixture
def shell(tmp_path: Path, data_dir: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path, data_dir)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Shell:
    """A directory with one finished run, named `mine`."""
    shell = Shell(tmp_path_factory.mktemp("shell"), data_dir)
    done = shell.type("run", "small.toml", "--name", "mine")
    assert done.returncode == 0, done.stderr
    shell.first = done  # type: ignore[attr-defined]
    return shell


class TestRun:
    def test_without_a_terminal_it_prints_a_line_an_epoch(self, trained: Shell) -> None:
        lines = trained.first.stdout.splitlines()  # type: ignore[attr-defined]
        assert [line.split(" · ")[0] for line in lines[:4]] == [
            "pretrain 1/2",
            "pretrain 2/2",
            "probe 1/2",
            "probe 2/2",
        ]
        assert re.search(r"loss \d\.\d{3} · acc \d\.\d{3} · kNN \d\.\d{3} · [\d,]+ images/s", lines[0])
        assert lines[-1] == "  next: sslterm eval runs/mine --tta"

    def test_json_is_all_that_stdout_holds(self, shell: Shell) -> None:
        done = shell.type("run", "small.toml", "--set", "epochs=1", "--json")
        said = json.loads(done.stdout)
        assert said["state"] == "finished"
        assert said["latest"] == "probe-0001.pt"

    @pytest.mark.slow
    def test_the_same_seed_trains_the_same_another_one_another(self, shell: Shell) -> None:
        best = []
        for seed in ("3", "3", "4"):
            done = shell.type(
                "run", "small.toml", "--seed", seed, "--set", "epochs=1", "--set", "precision=fp32", "--json"
            )
            run = Path(shell.folder / json.loads(done.stdout)["path"])
            rows = [json.loads(line) for line in (run / "metrics" / "0001.jsonl").read_text().splitlines()]
            best.append([row["step/loss"] for row in rows if "step/loss" in row])
        assert best[0] == best[1] != best[2]

    def test_ctrl_c_saves_and_resume_goes_on(self, shell: Shell) -> None:
        process = shell.start("run", "small.toml", "--name", "long", "--set", "stage.pretrain.epochs=2000")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "continue with `sslterm resume runs/long`" in err
        assert "Traceback" not in err
        assert "finishing the step and saving" in err
        status = json.loads((shell.folder / "runs" / "long" / "status.json").read_text())
        assert status["state"] == "interrupted"
        resumed = shell.start("resume", "long")
        assert resumed.stdout is not None
        first = resumed.stdout.readline()
        resumed.send_signal(signal.SIGINT)
        resumed.communicate(timeout=60)
        assert first.startswith("pretrain ")
        assert not first.startswith("pretrain 1/")

    def test_a_second_trainer_is_refused(self, shell: Shell) -> None:
        process = shell.start("run", "small.toml", "--name", "busy", "--set", "stage.pretrain.epochs=2000")
        assert process.stdout is not None
        process.stdout.readline()
        second = shell.type("resume", "busy")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert second.returncode == 1
        status = json.loads((shell.folder / "runs" / "busy" / "status.json").read_text())
        assert f"is being trained already (process {status['process']['pid']} on" in second.stderr

    def test_more_epochs(self, trained: Shell) -> None:
        done = trained.type("resume", "last", "--epochs", "1")
        assert done.returncode == 0
        assert done.stdout.splitlines()[0].startswith("probe 3/3")


class TestEval:
    def test_plain_and_flip_stand_side_by_side(self, trained: Shell) -> None:
        done = trained.type("eval", "mine", "--tta")
        assert done.returncode == 0
        assert re.search(r"plain +flip +diff", done.stdout)
        assert re.search(r"top-1 +0\.\d{4} +0\.\d{4} +[+-]0\.\d{4}", done.stdout)

    def test_json_is_a_list_of_answers(self, trained: Shell) -> None:
        answers = json.loads(trained.type("eval", "mine", "--tta", "--protocol", "knn", "--json").stdout)
        assert [answer["tta"] for answer in answers] == [None, {"flip": True, "scales": []}]

    def test_all_checkpoints_make_a_table(self, trained: Shell) -> None:
        done = trained.type("eval", "mine", "--checkpoint", "all", "--protocol", "linear", "--split", "valid")
        assert done.stdout.splitlines()[0].split()[:4] == ["checkpoint", "stage", "epoch", "protocol"]
        assert len(done.stdout.splitlines()) >= 3


class TestOtherCommands:
    def test_check_says_every_problem_at_once_and_exits_2(self, shell: Shell) -> None:
        (shell.folder / "bad.toml").write_text('epoch = 3\nbatch_size = 0\n[method]\nname = "simclr"\n')
        done = shell.type("check", "bad.toml")
        assert done.returncode == 2
        assert done.stdout.splitlines() == [
            "bad.toml: epoch: no such setting; did you mean epochs?",
            "bad.toml: batch_size: 0 does not fit; it takes a number of at least 1",
        ]

    def test_check_of_a_good_preset_says_so(self, shell: Shell) -> None:
        done = shell.type("check", "small.toml")
        assert (done.returncode, done.stdout) == (0, "small.toml: can run\n")

    def test_presets_lists_what_is_shipped(self, shell: Shell) -> None:
        names = {row["name"] for row in json.loads(shell.type("presets", "--json").stdout)}
        assert {
            "quickstart", "supervised", "rotation", "simclr", "moco", "byol", "simsiam", "transfer-mnist",
            "transfer-cifar10", *(f"tinyvgg-{letter}" for letter in ("a", "b", "c", "d", "e", "bn")),
        } <= names  # fmt: skip

    def test_data_lists_and_prepares(self, shell: Shell) -> None:
        rows = {row["name"]: row for row in json.loads(shell.type("data", "--json").stdout)}
        assert rows["shapes"]["present"]
        assert {"digits", "cifar10", "cifar100", "mnist", "fashion_mnist", "stl10", "image_folder"} <= set(rows)
        said = json.loads(shell.type("data", "digits", "--json").stdout)
        assert (said["images"], said["size"], len(said["classes"])) == (1797, 8, 10)

    def test_version(self, shell: Shell) -> None:
        assert re.fullmatch(r"sslterm \d+\.\d+\.\d+\n", shell.type("--version").stdout)

    @pytest.mark.parametrize("command", [[], ["run"], ["resume"], ["eval"], ["check"], ["presets"], ["data"]])
    def test_everything_has_help(self, shell: Shell, command: list[str]) -> None:
        done = shell.type(*command, "--help")
        assert done.returncode == 0
        assert "Usage:" in done.stdout


BAD: list[tuple[list[str], int, str]] = [
    (["run", "nowhere.toml"], 3, "nowhere.toml: no such file, nor a shipped preset"),
    (["run", "simclrr"], 3, "did you mean simclr?"),
    (["run", "small.toml", "--set", "epochs"], 2, "an override is written KEY=VALUE"),
    (["run", "small.toml", "--set", "optimizer.momentun=1"], 2, "did you mean momentum?"),
    (["run", "small.toml", "--device", "tpu"], 2, "--device tpu: no such device"),
    (["run", "small.toml", "--device", "cpu:1"], 2, "--device cpu:1: no such device"),
    (["run", "small.toml", "--name", "a/../out"], 2, "must not hold slashes"),
    (["run", "small.toml", "--set", "data.name=image_folder", "--set", "data.folder=photos"], 1, "photos"),
    (["run", "small.toml", "--set", "data.valid=5000"], 1, "data.valid"),
    (["run", "small.toml", "--set", "batch_size=5000"], 1, "5000 is more than the"),
    (["run", "small.toml", "--set", "stage.pretrain.optimizer.lr=1e30"], 1, "of epoch 1 of stage pretrain"),
    (["resume", "nothing"], 3, "nothing: no such run"),
    (["eval", "nothing"], 3, "nothing: no such run"),
    (["eval", "last", "--protocol", "guess"], 2, "--protocol guess: use head, knn or linear"),
    (["eval", "last", "--tta-scales", "big"], 2, "--tta-scales big: sizes in pixels"),
    (["eval", "last", "--split", "train"], 2, "--split train: use test or valid"),
    (["data", "cifar11"], 3, "did you mean cifar10?"),
    (["check", "nowhere.toml"], 3, "no such file"),
    (["run"], 2, "Missing argument"),
    (["train"], 2, "No such command"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), BAD, ids=[" ".join(case[0])[:60] for case in BAD])
def test_bad_input_is_a_sentence_and_an_exit_code(shell: Shell, arguments: list[str], code: int, says: str) -> None:
    done = shell.type(*arguments)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", ["run.json", "resolved.toml", "splits.npz", "checkpoints/best.json"])
@pytest.mark.parametrize("damage", [b"", b"\x00garbage\xff", None])
def test_a_damaged_run_directory_is_a_sentence(trained: Shell, name: str, damage: bytes | None) -> None:
    import shutil

    copy = trained.folder / "runs" / f"copy-{time.time_ns()}"
    shutil.copytree(trained.folder / "runs" / "mine", copy)
    if damage is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(damage)
    done = trained.type("eval", copy.name, "--protocol", "knn")
    shutil.rmtree(copy)
    if name == "checkpoints/best.json":
        assert done.returncode == 0  # pointers are never the only copy of anything
    else:
        assert done.returncode in (1, 2, 3)
        assert name in done.stderr


class TestLeavingItRunning:
    def test_detached_training_goes_on_and_is_followed_and_stopped(self, shell: Shell) -> None:
        begun = shell.type("run", "small.toml", "--name", "far", "--set", "stage.pretrain.epochs=5000", "--detach")
        assert begun.returncode == 0, begun.stderr
        assert begun.stdout == "far\n"  # and training really began:
        assert json.loads((shell.folder / "runs/far/status.json").read_text())["state"] == "running"
        assert re.search(r"● running +far +simclr +digits +pretrain", shell.type("ls").stdout)
        watching = shell.start("watch", "far")
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("pretrain ")
        watching.send_signal(signal.SIGINT)  # leaves it alone
        _, err = watching.communicate(timeout=60)
        assert (watching.returncode, "far trains on" in err) == (0, True)
        saved = shell.type("checkpoints", "far", "--now", "--json")
        assert any(row["latest"] and row["verified"] for row in json.loads(saved.stdout)), saved.stdout
        stopped = shell.type("stop", "far")
        assert stopped.returncode == 0
        assert re.search(r"far +◼ interrupted +stopped ", stopped.stdout)
        assert shell.type("stop", "far").returncode == 1

    def test_what_does_not_begin_says_why_with_the_end_of_its_log(self, shell: Shell) -> None:
        shell.type("run", "small.toml", "--name", "gone", "--set", "epochs=1")
        (shell.folder / "runs/gone/resolved.toml").write_text("nonsense")
        again = shell.type("resume", "gone", "--detach")
        assert again.returncode != 0
        assert "resolved.toml" in again.stderr

    @pytest.mark.slow
    def test_a_paused_run_is_resumed(self, shell: Shell) -> None:
        shell.type("run", "small.toml", "--name", "p", "--set", "stage.pretrain.epochs=5000", "--detach")
        assert re.search(r"p +Ⅱ paused +stopped ", shell.type("pause", "p").stdout)
        assert shell.type("resume", "p", "--detach").returncode == 0
        assert shell.type("stop", "p", "--now").returncode == 0
        assert json.loads(shell.type("ls", "--json").stdout)[0]["state"] == "killed"

    def test_an_evaluation_outlives_its_terminal(self, trained: Shell) -> None:
        answers = trained.folder / "runs/mine/evaluations"
        before = set(answers.glob("*linear-valid*.json"))
        asking = trained.start("eval", "mine", "--protocol", "linear", "--split", "valid", "--tta-scales", "9")
        job = wait_for(
            lambda: [p for p in (trained.folder / "runs/mine/jobs").glob("eval-*/heartbeat.json") if is_new(p)]
        )
        asking.kill()
        asking.communicate()
        record = job[0].parent / "job.json"
        wait_for(lambda: json.loads(record.read_text())["phase"] == "ended")
        answered = [json.loads(path.read_text()) for path in set(answers.glob("*linear-valid*.json")) - before]
        assert any(answer["tta"] and answer["tta"]["scales"] == [9] for answer in answered)
        assert all(answer["metrics"]["top1"] > 0.3 for answer in answered)


def is_new(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < 5


def wait_for(true: Any, seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


class TestLookingAndChanging:
    def test_a_run_is_shown_with_its_state_and_what_to_do_next(self, trained: Shell) -> None:
        text = trained.type("show", "mine").stdout
        for part in ("✓ finished", "next: sslterm eval runs/mine", "simclr → supervised", "pretrain-0002.pt", "code"):
            assert part in text, text
        assert json.loads(trained.type("show", "mine", "--json").stdout)["info"]["data"] == "digits"

    def test_the_log_tells_everything(self, trained: Shell) -> None:
        lines = trained.type("logs", "mine").stdout.splitlines()
        assert any("supervisor: started process" in line for line in lines)
        assert any("pretrain 1/2 · loss" in line for line in lines)
        assert trained.type("logs", "mine", "-n", "2").stdout.splitlines() == lines[-2:]
        assert trained.type("logs", "mine", "--job", "../../x").returncode == 3

    def test_notes_tags_and_filters(self, trained: Shell) -> None:
        assert trained.type("note", "mine", "the", "baseline").returncode == 0
        assert trained.type("tag", "mine", "paper", "x").stdout == "paper x\n"
        assert trained.type("tag", "mine", "--remove", "x").stdout == "paper\n"
        assert "mine" in trained.type("ls", "note:baseline", "tag:paper", "cfg.batch_size=32").stdout
        assert trained.type("ls", "-tag:paper").stdout == ""
        wrong = trained.type("ls", "stat:running")
        assert (wrong.returncode, "did you mean state" in wrong.stderr) == (2, True)

    def test_a_damaged_checkpoint_is_named_and_put_aside(self, shell: Shell) -> None:
        shell.type("run", "small.toml", "--name", "d", "--set", "epochs=1")
        path = shell.folder / "runs/d/checkpoints/probe-0001.pt"
        path.write_bytes(path.read_bytes()[:-1])
        looked = shell.type("checkpoints", "d")
        assert looked.returncode == 1
        assert re.search(r"probe-0001.pt .* damaged", looked.stdout)
        assert "put aside" in shell.type("repair", "d").stdout
        assert shell.type("checkpoints", "d").returncode == 0
        assert shell.type("rename", "d", "e").stdout == "e\n"
        refused = shell.type("rm", "e")
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
        assert shell.type("rm", "e", "--yes").returncode == 0
        assert not (shell.folder / "runs/e").exists()

    def test_nobody_waits(self, trained: Shell) -> None:
        assert json.loads(trained.type("queue", "--json").stdout) == []
